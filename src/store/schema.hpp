#pragma once

#include "store/environment.hpp"
#include "store/epochs.hpp"
#include "store/rows.hpp"
#include "store/transaction.hpp"

/// What kind of store lies in the directory.
///
///   meta key         value
///   schema_version   number: kSchemaVersion of the program that wrote last
///   epoch            number: the store's identity, drawn when it is made or restored from a copy
///   earlier_epochs   those before, of a store that was restored (epochs.hpp)
///   state            StateRow
namespace agentcom::store {

/// Grows when a layout changes. An older store is brought up to it in numbered steps when opened
/// (migrations.hpp); a newer one is refused.
inline constexpr std::uint64_t kSchemaVersion = 2;

struct OpenedSchema {
    Epochs epochs;
    StateRow state;
};

/// Writes version, epoch and state into a new store; checks and reads those of an old one, and
/// brings it up to date in one transaction when its version is older. Throws StoreError.
[[nodiscard]] OpenedSchema open_schema(Environment& env);

void write_epochs(WriteTransaction& txn, const Epochs& epochs);

}  // namespace agentcom::store
