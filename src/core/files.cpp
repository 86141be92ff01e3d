#include "agentcom/core/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace agentcom::core {

void sync_directory(const std::filesystem::path& directory) {
    const std::filesystem::path path = directory.empty() ? "." : directory;
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) {
        throw std::system_error(errno, std::system_category(), "cannot open " + path.string());
    }
    const bool synced = ::fsync(descriptor) == 0;
    const int error = errno;
    ::close(descriptor);
    // Some file systems cannot sync a directory and say so; there is nothing to wait for then.
    if (!synced && error != EINVAL && error != ENOTSUP) {
        throw std::system_error(error, std::system_category(), "cannot sync " + path.string());
    }
}

void give_to_owner_of_directory(const std::filesystem::path& file) noexcept {
    if (::geteuid() != 0) return;
    // Not opened to be read: closing that would drop the locks the process has on the file.
    const int descriptor = ::open(file.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor < 0) return;
    struct stat own {};
    struct stat parent {};
    // A second name of the file, or one that leads elsewhere, may have been put there by the
    // directory's owner to be given what is not his.
    if (::fstat(descriptor, &own) == 0 &&
        ((S_ISREG(own.st_mode) && own.st_nlink == 1) || S_ISDIR(own.st_mode)) &&
        ::stat(file.has_parent_path() ? file.parent_path().c_str() : ".", &parent) == 0 &&
        own.st_uid == 0 && parent.st_uid != 0) {
        [[maybe_unused]] const int outcome =
            ::fchownat(descriptor, "", parent.st_uid, parent.st_gid, AT_EMPTY_PATH);
    }
    ::close(descriptor);
}

}  // namespace agentcom::core
