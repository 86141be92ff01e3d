#include "agentcom/core/private_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "agentcom/core/files.hpp"

namespace agentcom::core {
namespace {

/// Takes away the unfinished file.
[[noreturn]] void fail(const std::filesystem::path& file, const std::filesystem::path& fresh,
                       int error) {
    ::unlink(fresh.c_str());
    throw FileError(file, error);
}

}  // namespace

FileError::FileError(const std::filesystem::path& file, int error)
    : std::runtime_error("cannot write " + file.string() + ": " +
                         std::system_category().message(error)),
      error_(error) {}

bool FileError::no_room() const noexcept {
    return error_ == ENOSPC || error_ == EDQUOT || error_ == EFBIG;
}

void write_private_file(const std::filesystem::path& file, std::string_view text, unsigned mode,
                        std::string_view unfinished) {
    // A new file under another name, so that readers see all of it or the old one, and so that the
    // mode holds whatever stood there before.
    std::filesystem::path fresh = file;
    fresh += unfinished;
    ::unlink(fresh.c_str());
    const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) {
        throw FileError(file, errno);
    }
    while (!text.empty()) {
        const auto written = ::write(descriptor, text.data(), text.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            const int error = written < 0 ? errno : ENOSPC;
            ::close(descriptor);
            fail(file, fresh, error);
        }
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    const bool synced = ::fchmod(descriptor, mode) == 0 && ::fsync(descriptor) == 0;
    const int error = errno;
    ::close(descriptor);
    if (!synced) {
        fail(file, fresh, error);
    }
    give_to_owner_of_directory(fresh);
    if (::rename(fresh.c_str(), file.c_str()) != 0) {
        fail(file, fresh, errno);
    }
    try {
        sync_directory(file.parent_path());
    } catch (const std::system_error& problem) {
        throw FileError(file, problem.code().value());
    }
}

}  // namespace agentcom::core
