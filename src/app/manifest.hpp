#pragma once

#include <filesystem>
#include <string>

#include "agentcom/core/time.hpp"
#include "agentcom/store/backup.hpp"

namespace agentcom::app {

/// What lies beside a copy of a store, as `manifest.json`: written last, so that a copy that has
/// one is whole.
struct Manifest {
    store::StoreCopy copy;
    core::Timestamp time;  // when the copy was made

    /// Throws core::FileError.
    void write(const std::filesystem::path& directory) const;
    /// Throws std::runtime_error when there is none or it is not one.
    [[nodiscard]] static Manifest read(const std::filesystem::path& directory);
};

}  // namespace agentcom::app
