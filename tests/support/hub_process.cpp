#include "support/hub_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
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

HubProcess::HubProcess(std::filesystem::path data_dir, std::vector<std::string> arguments,
                       std::vector<std::string> environment) {
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
    std::vector<std::string> argv{AGENTCOM_BINARY, "serve", "--host",     "127.0.0.1",
                                  "--port",        "0",     "--data-dir", data_dir.string()};
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
    const int error = ::posix_spawn(&pid_, AGENTCOM_BINARY, &actions, nullptr, argv_pointers.data(),
                                    environment_pointers.data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(pipe[1]);
    log_ = pipe[0];
    if (error != 0) throw std::runtime_error("cannot start " AGENTCOM_BINARY);

    static const std::regex kListening(R"(listening on https?://[^:]+:(\d+))");
    std::string log;
    std::smatch match;
    while (!std::regex_search(log, match, kListening)) {
        std::array<char, 4'096> buffer{};
        pollfd waiting{.fd = log_, .events = POLLIN, .revents = 0};
        const auto ms = std::chrono::milliseconds(kPatience).count();
        const ssize_t got = ::poll(&waiting, 1, static_cast<int>(ms)) > 0
                                ? ::read(log_, buffer.data(), buffer.size())
                                : 0;
        if (got <= 0) {
            kill();
            throw std::runtime_error("the hub did not start: " + log);
        }
        log.append(buffer.data(), static_cast<std::size_t>(got));
    }
    port_ = static_cast<std::uint16_t>(std::stoul(match[1]));
    std::ifstream(data_dir / "admin_token") >> admin_token_;
    // The log must be read, or the hub would block on a full pipe; the reader ends with the hub.
    std::thread([fd = log_] {
        std::array<char, 65'536> buffer{};
        while (::read(fd, buffer.data(), buffer.size()) > 0) {
        }
        ::close(fd);
    }).detach();
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

int HubProcess::reap() {
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return status;
}

void HubProcess::kill() {
    ::kill(pid_, SIGKILL);
    reap();
}

int HubProcess::terminate() {
    ::kill(pid_, SIGTERM);
    const int status = reap();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace agentcom::test
