#include "waiting_processes.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace agentcom::bench {

namespace {

constexpr int kPatienceMs = 30'000;
constexpr int kWoken = 2;  // of a hook that wakes its session

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (std::string& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
}

}  // namespace

WaitingProcesses::WaitingProcesses(const Options& options, Kind kind)
    : options_(options), kind_(kind) {
    if (options.program.empty()) throw std::runtime_error("--program is missing");
}

WaitingProcesses::~WaitingProcesses() {
    for (const Process& process : processes_) {
        if (process.pid > 0) {
            ::kill(process.pid, SIGKILL);
            ::waitpid(process.pid, nullptr, 0);
        }
        ::close(process.handle);
    }
}

void WaitingProcesses::start(const std::string& agent, const std::string& token) {
    std::vector<std::string> arguments{options_.program};
    if (kind_ == Kind::wait) {
        arguments.emplace_back("wait");
    } else {
        arguments.insert(arguments.end(), {"hook", "claude", "wait"});
    }
    std::vector<std::string> variables{
        "AGENTCOM_URL=http://" + options_.target.host + ':' + std::to_string(options_.target.port),
        "AGENTCOM_TOKEN=" + token,
        "AGENTCOM_AGENT=" + agent,
        "HOME=" + options_.directory,
        "XDG_STATE_HOME=" + options_.directory,
        "CLAUDECODE=1"};
    // What Claude Code writes to a hook, as far as it is looked at.
    const std::string input = "{\"session_id\":\"" + agent + "\"}";
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
    const bool written =
        ::write(pipe[1], input.data(), input.size()) == static_cast<ssize_t>(input.size());
    ::close(pipe[1]);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, pipe[0], STDIN_FILENO);
    for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) {
        ::posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_WRONLY, 0);
    }
    Process process;
    const int error = ::posix_spawn(&process.pid, options_.program.c_str(), &actions, nullptr,
                                    pointers(arguments).data(), pointers(variables).data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(pipe[0]);
    if (error != 0 || !written) throw std::runtime_error("cannot start " + options_.program);
    process.handle = static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0U));
    processes_.push_back(process);
    if (process.handle < 0) throw std::runtime_error("the system has no pidfd_open");
}

void WaitingProcesses::await_end(std::size_t number) {
    Process& process = processes_[number];
    pollfd ending{.fd = process.handle, .events = POLLIN, .revents = 0};
    if (::poll(&ending, 1, kPatienceMs) <= 0) throw std::runtime_error("nobody was woken");
    int status = 0;
    ::waitpid(std::exchange(process.pid, -1), &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != (kind_ == Kind::wait ? 0 : kWoken)) {
        throw std::runtime_error("a process did not end because of mail");
    }
}

Figures WaitingProcesses::memory() const {
    Figures figures{{"rss_kib", 0}, {"pss_kib", 0}, {"private_kib", 0}};
    for (const Process& process : processes_) {
        std::ifstream file("/proc/" + std::to_string(process.pid) + "/smaps_rollup");
        for (std::string line; std::getline(file, line);) {
            const std::size_t colon = line.find(':');
            if (colon == std::string::npos) continue;
            const std::string name = line.substr(0, colon);
            if (name.find(' ') != std::string::npos) continue;  // the line of the range
            const double kib = std::strtod(line.c_str() + colon + 1, nullptr);
            if (name == "Rss") figures["rss_kib"] += kib;
            if (name == "Pss") figures["pss_kib"] += kib;
            if (name == "Private_Clean" || name == "Private_Dirty") figures["private_kib"] += kib;
        }
    }
    for (auto& [name, sum] : figures) sum /= static_cast<double>(processes_.size());
    return figures;
}

}  // namespace agentcom::bench
