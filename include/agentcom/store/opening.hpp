#pragma once

#include <filesystem>

#include "agentcom/core/time.hpp"
#include "agentcom/store/store.hpp"

/// What the command line has to know before it opens a store. Thread-safe.
namespace agentcom::store {

/// How long opening a store waits for another process that has the directory: commands are done in
/// a moment, and a hub that is told to stop in a few.
inline constexpr core::Millis kLockWait{3'000};

/// Another process has the directory and keeps it for longer than that.
class StoreInUse : public StoreError {
    using StoreError::StoreError;
};

/// Whether there is a store in the directory.
[[nodiscard]] bool holds_store(const std::filesystem::path& directory);
/// Whether another process has the directory at this moment. Makes nothing.
[[nodiscard]] bool is_in_use(const std::filesystem::path& directory);

}  // namespace agentcom::store
