#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>

namespace agentcom::store {

/// Which file it is and how long. Unlike `stat` it asks for no times: since Linux 6.13 a file whose
/// times somebody has seen gets a new one with its next write, and the `fdatasync` after that write
/// has to write the inode, too (fs/inode.c, fill_mg_cmtime). Asked with every commit, that is a
/// fifth of what a commit costs.
struct FileIdentity {
    dev_t device = 0;
    ino_t inode = 0;
    std::uint64_t size = 0;  // bytes

    /// Nothing, with errno, when it cannot be looked at.
    [[nodiscard]] static std::optional<FileIdentity> of(int descriptor) noexcept;
    [[nodiscard]] static std::optional<FileIdentity> of(const std::filesystem::path& file) noexcept;
};

}  // namespace agentcom::store
