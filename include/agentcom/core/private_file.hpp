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

/// Replaces the file with this text, readable by its owner only, or with another `mode`. File and
/// directory are synced, so that a crash leaves the old file or the new one, never a part. When the
/// superuser writes it, it belongs to the owner of its directory. What is not finished stands under
/// the file's name with `unfinished` behind it, and whatever stood there is gone: in directories
/// that are not ours it must be a name that nobody else takes. Throws FileError; the file is then
/// the old one, or the new one whose name is not synced.
void write_private_file(const std::filesystem::path& file, std::string_view text,
                        unsigned mode = 0600, std::string_view unfinished = ".new");

}  // namespace agentcom::core
