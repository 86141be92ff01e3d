#pragma once

#include "store/environment.hpp"
#include "store/epochs.hpp"
#include "store/rows.hpp"
#include "store/transaction.hpp"
#include "store/upgrade.hpp"

/// What kind of store lies in the directory.
///
///   meta key         value
///   schema_version   number: kSchemaVersion of the program that wrote last
///   epoch            number: the store's identity, drawn when it is made or restored from a copy
///   earlier_epochs   those before, of a store that was restored (epochs.hpp)
///   state            StateRow
///   upgrading_from   number: the schema an upgrade of several steps began with, until its last one
namespace agentcom::store {

/// Grows when a layout changes. An older store is brought up to it in numbered steps when opened
/// (migrations.hpp); a newer one is refused.
inline constexpr std::uint64_t kSchemaVersion = 3;

struct OpenedSchema {
    Epochs epochs;
    StateRow state;
};

/// Writes version, epoch and state into a new store; checks and reads those of an old one, and
/// brings it up to date when its version is older, after a `copy` if one is wanted (upgrade.hpp).
/// Throws StoreError.
[[nodiscard]] OpenedSchema open_schema(Environment& env,
                                       const std::optional<UpgradeCopy>& copy = {});

void write_epochs(WriteTransaction& txn, const Epochs& epochs);

}  // namespace agentcom::store
