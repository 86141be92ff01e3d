#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "store/file_identity.hpp"

namespace agentcom::store {

/// Beside the store's file; the process that writes has it locked.
inline constexpr const char* kLockFile = "agentcom.lock";

/// Watches over the file under LMDB's map. LMDB takes it for granted that the file stays; when it
/// is cut off, touching a page that is gone is a SIGBUS. While a guard lives, such a page reads as
/// zeros instead, which is then an error of whoever reads it, and `trouble` tells of it. It watches
/// over the file that is locked beside it, too: without that name another process may lock a new
/// one, and write. Thread-safe but for `trouble`, which is for one thread.
class FileGuard {
public:
    /// `fd` is LMDB's descriptor of the file, which is mapped. Throws std::runtime_error.
    FileGuard(std::filesystem::path file, int fd);
    ~FileGuard();
    FileGuard(const FileGuard&) = delete;
    FileGuard& operator=(const FileGuard&) = delete;

    /// What has happened to the files since they were opened, and what to do about it, in a
    /// sentence; nothing: they are the same, and the store's is no smaller than it was.
    [[nodiscard]] std::optional<std::string> trouble();
    /// Whether a page of the map could not be read.
    [[nodiscard]] bool page_lost() const noexcept;
    [[nodiscard]] std::uint64_t size() const;
    /// The largest size that `trouble` has seen. For the thread of that.
    [[nodiscard]] std::uint64_t largest() const noexcept { return largest_; }

private:
    [[nodiscard]] std::optional<std::string> trouble_with_file();
    [[nodiscard]] std::optional<std::string> trouble_with_lock() const;

    const std::filesystem::path file_;
    const std::filesystem::path lock_file_;
    const int fd_;
    dev_t device_ = 0;
    ino_t inode_ = 0;
    std::optional<FileIdentity> lock_;  // nothing: there was none, so that nobody holds it
    std::uint64_t largest_ = 0;
    std::vector<std::size_t> ranges_;  // places in the table of the signal handler
};

}  // namespace agentcom::store
