#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "agentcom/core/time.hpp"
#include "agentcom/store/store.hpp"
#include "store/environment.hpp"
#include "store/migrations.hpp"

/// How an older store is brought up to date: a copy of it is made first, then one step after the
/// other runs, each in a transaction of its own. Whatever ends the program meanwhile, the next one
/// goes on where this one was.
namespace agentcom::store {

/// "20260131T120000Z", in the names of what is kept.
[[nodiscard]] std::string time_in_names(core::Timestamp time);

/// Bytes that may be written into this directory.
[[nodiscard]] std::uint64_t free_bytes(const std::filesystem::path& directory);

/// The copy that is made before the first step, in
/// `<directory>/backup-v<schema>-<time>-<number of the store's last transaction>`.
struct UpgradeCopy {
    std::filesystem::path directory;  // the store's own
    core::Timestamp now;
    OnUpgradeCopy on_copy;  // may be empty
    std::function<std::uint64_t(const std::filesystem::path&)> room = free_bytes;
};

/// Runs the steps that lead from schema `version` to the last one's. Without `copy` none is made.
/// Throws StoreError when there is no room for one, and what a step throws; then nothing of that
/// step has happened.
void upgrade(Environment& env, std::uint64_t version, std::span<const UpgradeStep> steps,
             const std::optional<UpgradeCopy>& copy);

}  // namespace agentcom::store
