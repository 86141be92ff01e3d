#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace agentcom::store {

/// Watches over the file under LMDB's map. LMDB takes it for granted that the file stays; when it
/// is cut off, touching a page that is gone is a SIGBUS. While a guard lives, such a page reads as
/// zeros instead, which is then an error of whoever reads it, and `trouble` tells of it.
/// Thread-safe but for `trouble`, which is for one thread.
class FileGuard {
public:
    /// `fd` is LMDB's descriptor of the file, which is mapped. Throws std::runtime_error.
    FileGuard(std::filesystem::path file, int fd);
    ~FileGuard();
    FileGuard(const FileGuard&) = delete;
    FileGuard& operator=(const FileGuard&) = delete;

    /// What has happened to the file since it was opened, as a sentence; nothing: it is the same
    /// and no smaller than it was.
    [[nodiscard]] std::optional<std::string> trouble();
    /// Whether a page of the map could not be read.
    [[nodiscard]] bool page_lost() const noexcept;
    [[nodiscard]] std::uint64_t size() const;
    /// The largest size that `trouble` has seen. For the thread of that.
    [[nodiscard]] std::uint64_t largest() const noexcept { return largest_; }

private:
    const std::filesystem::path file_;
    const int fd_;
    dev_t device_ = 0;
    ino_t inode_ = 0;
    std::uint64_t largest_ = 0;
    std::vector<std::size_t> ranges_;  // places in the table of the signal handler
};

}  // namespace agentcom::store
