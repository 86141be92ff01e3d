#pragma once

#include <cstdint>

#include "store/transaction.hpp"

/// Bringing older stores up to date: one numbered step for each schema version. A step changes what
/// its version changed and nothing else, in the words of that version: it must go on working when
/// later ones have changed the same tables again.
namespace agentcom::store {

/// Runs the steps that lead from schema `version` to kSchemaVersion. The caller's transaction holds
/// all of it, so a store is either as it was or up to date.
void migrate(WriteTransaction& txn, std::uint64_t version);

}  // namespace agentcom::store
