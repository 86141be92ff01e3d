#include "store/file_identity.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace agentcom::store {
namespace {

std::optional<FileIdentity> look(int directory, const char* path, int flags) noexcept {
    struct statx found {};
    if (::statx(directory, path, flags, STATX_INO | STATX_SIZE, &found) != 0) return std::nullopt;
    return FileIdentity{makedev(found.stx_dev_major, found.stx_dev_minor), found.stx_ino,
                        found.stx_size};
}

}  // namespace

std::optional<FileIdentity> FileIdentity::of(int descriptor) noexcept {
    return look(descriptor, "", AT_EMPTY_PATH);
}

std::optional<FileIdentity> FileIdentity::of(const std::filesystem::path& file) noexcept {
    return look(AT_FDCWD, file.c_str(), 0);
}

}  // namespace agentcom::store
