#pragma once

#include "agentcom/core/seq.hpp"
#include "store/environment.hpp"
#include "store/rows.hpp"

/// What kind of store lies in the directory.
///
///   meta key         value
///   schema_version   number: kSchemaVersion of the program that wrote last
///   epoch            number: the store's identity, drawn when it is made
///   state            StateRow
namespace agentcom::store {

/// Grows when a layout changes. An older store is brought up to it in numbered steps when opened
/// (migrations.hpp); a newer one is refused.
inline constexpr std::uint64_t kSchemaVersion = 2;

struct OpenedSchema {
    core::Epoch epoch;
    StateRow state;
};

/// Writes version, epoch and state into a new store; checks and reads those of an old one, and
/// brings it up to date in one transaction when its version is older. Throws StoreError.
[[nodiscard]] OpenedSchema open_schema(Environment& env);

}  // namespace agentcom::store
