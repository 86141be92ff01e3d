#include "cli/agents/session_file.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <system_error>

namespace agentcom::cli::agents {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxStateBytes = 4'096;

[[noreturn]] void fail_state(const char* what, int error) {
    throw std::system_error(error, std::system_category(), what);
}

fs::path session_path(const fs::path& directory, std::string_view session) {
    return directory / "sessions" / (name_for(session) + ".json");
}

LocalSession read_state(std::string_view text) {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    LocalSession state;
    if (!json.is_object()) return state;
    try {
        state.told.agent = json.at("agent");
        state.told.epoch = json.at("epoch");
        state.told.announced = json.at("announced");
        state.told.blocks = json.at("blocks");
        state.waiter = json.at("waiter");
        state.waiter_started = json.at("waiter_started");
    } catch (const nlohmann::json::exception&) {
        return {};
    }
    return state;
}

std::string write_state(const LocalSession& state) {
    return nlohmann::ordered_json{{"agent", state.told.agent},
                                  {"epoch", state.told.epoch},
                                  {"announced", state.told.announced},
                                  {"blocks", state.told.blocks},
                                  {"waiter", state.waiter},
                                  {"waiter_started", state.waiter_started}}
               .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
           "\n";
}

}  // namespace

fs::path state_directory() {
    const char* state = std::getenv("XDG_STATE_HOME");
    if (state != nullptr && state[0] == '/') return fs::path(state) / "agentcom";
    const char* home = std::getenv("HOME");
    if (home == nullptr || home[0] != '/') return {};
    return fs::path(home) / ".local" / "state" / "agentcom";
}

std::string name_for(std::string_view text) {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    ::EVP_Digest(text.data(), text.size(), digest.data(), &size, ::EVP_sha256(), nullptr);
    std::string name;
    for (std::size_t i = 0; i < size / 2; ++i) {
        name += kDigits[digest[i] >> 4];
        name += kDigits[digest[i] & 15];
    }
    return name;
}

SessionFile::SessionFile(const fs::path& directory, std::string_view session) {
    const fs::path path = session_path(directory, session);
    std::error_code error;
    if (fs::create_directories(path.parent_path(), error)) {
        ::chmod(directory.c_str(), 0700);
        ::chmod(path.parent_path().c_str(), 0700);
    }
    file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file_ < 0) fail_state("session state", errno);
    while (::flock(file_, LOCK_EX) != 0) {
        const int problem = errno;
        if (problem == EINTR) continue;
        ::close(file_);
        fail_state("lock of the session state", problem);
    }
    std::string text(kMaxStateBytes, '\0');
    const auto count = ::pread(file_, text.data(), text.size(), 0);
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    state_ = read_state(text);
}

SessionFile::~SessionFile() { ::close(file_); }

void SessionFile::save(const LocalSession& state) {
    if (state == state_) return;
    // In place: the lock belongs to this very file. Half a state reads as none, and then a message
    // is announced twice.
    const std::string text = write_state(state);
    if (::pwrite(file_, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) ||
        ::ftruncate(file_, static_cast<off_t>(text.size())) != 0) {
        fail_state("session state", errno);
    }
    state_ = state;
}

void remove_session(const fs::path& directory, std::string_view session) noexcept {
    std::error_code ignored;
    fs::remove(session_path(directory, session), ignored);
}

void remove_old_sessions(const fs::path& directory) noexcept {
    static constexpr std::chrono::hours kKept{14 * 24};
    std::error_code error;
    const auto oldest = fs::file_time_type::clock::now() - kKept;
    for (fs::directory_iterator file(directory / "sessions", error), end; !error && file != end;
         file.increment(error)) {
        std::error_code unreadable;
        if (file->last_write_time(unreadable) < oldest && !unreadable) {
            fs::remove(file->path(), unreadable);
        }
    }
}

}  // namespace agentcom::cli::agents
