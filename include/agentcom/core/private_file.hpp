#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

namespace agentcom::core {

/// A file cannot be written; `what()` is a sentence that names it.
class FileError : public std::runtime_error {
public:
    FileError(const std::filesystem::path& file, int error);
    /// The disk, or a quota or limit on it, has no room.
    [[nodiscard]] bool no_room() const noexcept;

private:
    int error_;
};

/// Replaces the file with this text, readable by its owner only. File and directory are synced, so
/// that a crash leaves the old file or the new one, never a part. When the superuser writes it, it
/// belongs to the owner of its directory. Throws FileError; the old file is then as it was.
void write_private_file(const std::filesystem::path& file, std::string_view text);

}  // namespace agentcom::core
