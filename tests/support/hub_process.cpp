#include "support/hub_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <regex>
#include <stdexcept>
#include <thread>
#include <utility>

namespace agentcom::test {

namespace {

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> all;
    for (std::string& string : strings) all.push_back(string.data());
    all.push_back(nullptr);
    return all;
}

}  // namespace

/// The reading end of the hub's standard error, and the thread that reads it; that ends with the
/// hub.
class HubProcess::Log {
public:
    explicit Log(int descriptor) : descriptor_(descriptor) {}
    ~Log() { ::close(descriptor_); }
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    static void read_all(const std::shared_ptr<Log>& log) {
        std::thread([log] {
            while (log->read_some()) {
            }
        }).detach();
    }
    /// False at the end. Waits outside the lock, so that it can be held up.
    bool read_some() {
        pollfd waiting{.fd = descriptor_, .events = POLLIN, .revents = 0};
        if (::poll(&waiting, 1, -1) < 0) return errno == EINTR;
        std::unique_lock lock(mutex_);
        readable_.wait(lock, [this] { return !blocked_; });
        std::array<char, 65'536> buffer{};
        const ssize_t got = ::read(descriptor_, buffer.data(), buffer.size());
        if (got > 0) text_.append(buffer.data(), static_cast<std::size_t>(got));
        ended_ = got <= 0;
        grown_.notify_all();
        return !ended_;
    }
    [[nodiscard]] bool has(std::string_view text) {
        std::unique_lock lock(mutex_);
        const auto is_there = [&] { return text_.find(text) != std::string::npos; };
        return grown_.wait_for(lock, kPatience, [&] { return ended_ || is_there(); }) && is_there();
    }
    /// Whether the hub says something within the time that tests wait.
    [[nodiscard]] bool says_something() const {
        pollfd waiting{.fd = descriptor_, .events = POLLIN, .revents = 0};
        const auto ms = std::chrono::milliseconds(kPatience).count();
        return ::poll(&waiting, 1, static_cast<int>(ms)) > 0;
    }
    void block() {
        const std::lock_guard lock(mutex_);
        blocked_ = true;
        // Another open file of the same pipe, so that the hub's own stays one that waits.
        const std::string path = "/proc/self/fd/" + std::to_string(descriptor_);
        const int writer = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        if (writer < 0) throw std::runtime_error("cannot open " + path);
        const std::string filling(4'096, '.');
        for (std::size_t size = filling.size(); size > 0; size /= 2) {
            while (::write(writer, filling.data(), size) > 0) {
            }
        }
        ::close(writer);
    }
    void unblock() {
        {
            const std::lock_guard lock(mutex_);
            blocked_ = false;
        }
        readable_.notify_all();
    }
    [[nodiscard]] std::string text() const {
        const std::lock_guard lock(mutex_);
        return text_;
    }

private:
    const int descriptor_;
    mutable std::mutex mutex_;
    std::condition_variable readable_;
    std::condition_variable grown_;
    bool blocked_ = false;
    bool ended_ = false;
    std::string text_;
};

HubProcess::HubProcess(std::filesystem::path data_dir, std::vector<std::string> arguments,
                       std::vector<std::string> environment, const std::string& binary) {
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
    std::vector<std::string> argv{binary,   "serve", "--host",     "127.0.0.1",
                                  "--port", "0",     "--data-dir", data_dir.string()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view variable(*entry);
        if (!variable.starts_with("AGENTCOM_") && !variable.starts_with("PORT=")) {
            environment.emplace_back(variable);
        }
    }
    posix_spawn_file_actions_t actions{};
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, pipe[1], STDERR_FILENO);
    auto argv_pointers = pointers(argv);
    auto environment_pointers = pointers(environment);
    const int error = ::posix_spawn(&pid_, binary.c_str(), &actions, nullptr, argv_pointers.data(),
                                    environment_pointers.data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(pipe[1]);
    log_ = std::make_shared<Log>(pipe[0]);
    if (error != 0) throw std::runtime_error("cannot start " + binary);

    static const std::regex kListening(R"(listening on https?://[^:]+:(\d+))");
    std::string log;
    std::smatch match;
    while (!std::regex_search(log, match, kListening)) {
        if (!log_->says_something() || !log_->read_some()) {
            kill();
            throw std::runtime_error("the hub did not start: " + log);
        }
        log = log_->text();
    }
    port_ = static_cast<std::uint16_t>(std::stoul(match[1]));
    std::ifstream(data_dir / "admin_token") >> admin_token_;
    Log::read_all(log_);
}

HubProcess::~HubProcess() {
    if (pid_ > 0) kill();
}

std::string HubProcess::create_token(const std::string& agent) {
    HttpClient admin(port_, admin_token_);
    const auto response = admin.post("/admin/tokens", {{"agent_id", agent}});
    if (response.status != 201) throw std::runtime_error("no token: " + response.body);
    return response.json().at("token");
}

std::string HubProcess::log() const { return log_->text(); }
bool HubProcess::has_logged(std::string_view text) const { return log_->has(text); }
void HubProcess::block_log() { log_->block(); }
void HubProcess::unblock_log() { log_->unblock(); }

int HubProcess::reap() {
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    log_->unblock();
    return status;
}

void HubProcess::kill() {
    ::kill(pid_, SIGKILL);
    reap();
}

int HubProcess::terminate() {
    ::kill(pid_, SIGTERM);
    const int descriptor = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0U));
    pollfd ending{.fd = descriptor, .events = POLLIN, .revents = 0};
    const auto ms = std::chrono::milliseconds(kPatience).count();
    if (::poll(&ending, 1, static_cast<int>(ms)) <= 0) ::kill(pid_, SIGKILL);
    ::close(descriptor);
    const int status = reap();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace agentcom::test
