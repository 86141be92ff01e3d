#include "cli/agents/processes.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <system_error>

namespace agentcom::cli::agents {
namespace {

constexpr int kMostAncestors = 32;

struct ProcessFacts {
    std::string name;
    std::int64_t parent = 0;
    std::uint64_t started = 0;
};

std::optional<ProcessFacts> read_process(std::int64_t pid) {
    std::ifstream stream("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    if (!std::getline(stream, line)) return std::nullopt;
    // The name stands in parentheses and may hold any character.
    const std::size_t open = line.find('(');
    const std::size_t close = line.rfind(')');
    if (open == std::string::npos || close == std::string::npos) return std::nullopt;
    ProcessFacts facts;
    facts.name = line.substr(open + 1, close - open - 1);
    std::istringstream rest(line.substr(close + 1));
    std::string skipped;
    rest >> skipped >> facts.parent;
    for (int field = 5; field < 22; ++field) rest >> skipped;
    rest >> facts.started;
    if (!rest) return std::nullopt;
    return facts;
}

bool is_withheld(std::string_view variable) {
    static constexpr std::array<std::string_view, 3> kWithheld = {
        "AGENTCOM_TOKEN=", "CLAUDE_CODE_MESSAGING_SOCKET=", "CLAUDE_CODE_MESSAGING_TOKEN="};
    return std::any_of(kWithheld.begin(), kWithheld.end(),
                       [&](std::string_view name) { return variable.starts_with(name); });
}

/// Both ends of a pipe, closed when the object goes.
class Pipe {
public:
    Pipe() {
        if (::pipe2(ends_.data(), O_CLOEXEC) != 0) {
            throw std::system_error(errno, std::system_category(), "pipe");
        }
    }
    ~Pipe() {
        close(0);
        close(1);
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    [[nodiscard]] int end(std::size_t index) const { return ends_[index]; }
    void close(std::size_t index) {
        if (ends_[index] >= 0) ::close(ends_[index]);
        ends_[index] = -1;
    }

private:
    std::array<int, 2> ends_{-1, -1};
};

/// Takes what has come; closes the pipe at its end.
void take(Pipe& pipe, std::string& into) {
    std::array<char, 4'096> piece{};
    const auto count = ::read(pipe.end(0), piece.data(), piece.size());
    if (count > 0) {
        into.append(piece.data(), static_cast<std::size_t>(count));
    } else if (count == 0 || errno != EINTR) {
        pipe.close(0);
    }
}

/// Reads both until they end; false when the time is over.
bool read_both(Pipe& out, Pipe& err, Outcome& outcome, core::SteadyTime deadline) {
    while (out.end(0) >= 0 || err.end(0) >= 0) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) return false;
        std::array<pollfd, 2> watched{pollfd{out.end(0), POLLIN, 0}, pollfd{err.end(0), POLLIN, 0}};
        const int ready = ::poll(watched.data(), watched.size(), static_cast<int>(left.count()));
        if (ready < 0 && errno != EINTR) return false;
        if (ready <= 0) continue;
        if (watched[0].revents != 0) take(out, outcome.output);
        if (watched[1].revents != 0) take(err, outcome.errors);
    }
    return true;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

int reap(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

std::optional<ProcessId> identify_process(std::int64_t pid) {
    const auto facts = read_process(pid);
    if (!facts) return std::nullopt;
    return ProcessId{pid, facts->started};
}

bool is_running(const ProcessId& process) {
    return process.pid > 0 && identify_process(process.pid) == process;
}

std::optional<ProcessId> find_ancestor(std::string_view name) {
    std::int64_t pid = ::getppid();
    for (int i = 0; i < kMostAncestors && pid > 1; ++i) {
        const auto facts = read_process(pid);
        if (!facts) return std::nullopt;
        if (facts->name == name) return ProcessId{pid, facts->started};
        pid = facts->parent;
    }
    return std::nullopt;
}

int run_quietly(const std::string& program, const std::vector<std::string>& arguments) {
    std::vector<std::string> words{program};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<std::string> variables;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        if (!is_withheld(*variable)) variables.emplace_back(*variable);
    }
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        ::posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_RDWR, 0);
    }
    pid_t child = -1;
    const int error = ::posix_spawnp(&child, program.c_str(), &actions, nullptr,
                                     pointers_to(words).data(), pointers_to(variables).data());
    ::posix_spawn_file_actions_destroy(&actions);
    return error == 0 ? reap(child) : -1;
}

Outcome run_in_shell(const std::string& command, const std::string& input,
                     const std::vector<std::string>& variables, core::SteadyTime deadline) {
    Pipe in;
    Pipe out;
    Pipe err;
    std::vector<std::string> words{"sh", "-c", command};
    std::vector<std::string> all(variables);
    for (char** variable = environ; *variable != nullptr; ++variable) {
        const std::string_view name =
            std::string_view(*variable).substr(0, std::string_view(*variable).find('=') + 1);
        const bool given =
            std::any_of(variables.begin(), variables.end(),
                        [&name](const std::string& each) { return each.starts_with(name); });
        if (!given) all.emplace_back(*variable);
    }
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in.end(0), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, out.end(1), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, err.end(1), STDERR_FILENO);
    pid_t child = -1;
    const int error = ::posix_spawn(&child, "/bin/sh", &actions, nullptr, pointers_to(words).data(),
                                    pointers_to(all).data());
    ::posix_spawn_file_actions_destroy(&actions);
    Outcome outcome;
    if (error != 0) return outcome;
    in.close(0);
    out.close(1);
    err.close(1);
    // Inputs are short: they fit into the pipe. One that does not ask for its input may have ended
    // already; what it said counts all the same.
    [[maybe_unused]] const auto written = ::write(in.end(1), input.data(), input.size());
    in.close(1);
    const bool ended = read_both(out, err, outcome, deadline);
    if (!ended) ::kill(child, SIGKILL);
    outcome.status = reap(child);
    return outcome;
}

}  // namespace agentcom::cli::agents
