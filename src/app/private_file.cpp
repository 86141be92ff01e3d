#include "app/private_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

namespace agentcom::app {
namespace {

[[noreturn]] void fail(const std::filesystem::path& file, int error) {
    throw std::runtime_error("cannot write " + file.string() + ": " +
                             std::system_category().message(error));
}

}  // namespace

void write_private_file(const std::filesystem::path& file, std::string_view text) {
    // A new file under another name, so that readers see all of it or the old one, and so that the
    // mode holds whatever stood there before.
    std::filesystem::path fresh = file;
    fresh += ".new";
    ::unlink(fresh.c_str());
    const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) {
        fail(file, errno);
    }
    while (!text.empty()) {
        const auto written = ::write(descriptor, text.data(), text.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            const int error = written < 0 ? errno : ENOSPC;
            ::close(descriptor);
            fail(file, error);
        }
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    const bool synced = ::fsync(descriptor) == 0;
    const int error = errno;
    ::close(descriptor);
    if (!synced) {
        fail(file, error);
    }
    if (::rename(fresh.c_str(), file.c_str()) != 0) {
        fail(file, errno);
    }
}

}  // namespace agentcom::app
