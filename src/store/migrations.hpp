#pragma once

#include <cstdint>
#include <span>

#include "store/transaction.hpp"

/// What each schema version has changed: one numbered step for each. A step changes what its
/// version changed and nothing else, in the words of that version: it must go on working when later
/// ones have changed the same tables again.
namespace agentcom::store {

/// Brings a store from schema `from` to the next one, within one transaction that is committed by
/// whoever runs it (upgrade.hpp).
struct UpgradeStep {
    std::uint64_t from = 0;
    void (*run)(WriteTransaction&) = nullptr;
};

/// All of them, the first one first; the last one leads to kSchemaVersion.
[[nodiscard]] std::span<const UpgradeStep> upgrade_steps() noexcept;

}  // namespace agentcom::store
