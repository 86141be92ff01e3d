#pragma once

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/paths.hpp"

namespace agentcom::test {

/// A directory of its own for one test, removed with everything in it.
class TestDirectory {
public:
    TestDirectory() {
        std::string name = (std::filesystem::temp_directory_path() / "agentcom-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) {
            throw std::runtime_error("cannot make a temporary directory");
        }
        path_ = name;
    }
    ~TestDirectory() {
        std::error_code ignored;
        std::filesystem::permissions(path_, std::filesystem::perms::owner_all, ignored);
        std::filesystem::remove_all(path_, ignored);
    }
    TestDirectory(const TestDirectory&) = delete;
    TestDirectory& operator=(const TestDirectory&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] std::string operator/(const char* name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

/// The agentcom binary as a child process, without the test's own AGENTCOM_ variables; what it
/// prints is kept. Killed, by its pid, when the object goes.
class Program {
public:
    enum class Input : bool { inherited, written };  // where its standard input comes from

    explicit Program(std::vector<std::string> arguments, std::vector<std::string> variables = {},
                     Input input = Input::inherited, const std::filesystem::path& directory = ".") {
        arguments.insert(arguments.begin(), built_binary());
        variables.emplace_back("PATH=/usr/bin:/bin");
        std::array<int, 2> out{};
        std::array<int, 2> err{};
        if (::pipe2(out.data(), O_CLOEXEC) != 0 || ::pipe2(err.data(), O_CLOEXEC) != 0) {
            throw std::runtime_error("cannot make pipes");
        }
        std::array<int, 2> in{-1, -1};
        if (input == Input::written && ::pipe2(in.data(), O_CLOEXEC) != 0) {
            throw std::runtime_error("cannot make pipes");
        }
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        if (input == Input::written) {
            ::posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
        }
        ::posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
        ::posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
        ::posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
        const int error = ::posix_spawn(&pid_, built_binary().c_str(), &actions, nullptr,
                                        pointers(arguments).data(), pointers(variables).data());
        ::posix_spawn_file_actions_destroy(&actions);
        ::close(out[1]);
        ::close(err[1]);
        ::close(in[0]);
        in_ = in[1];
        out_ = out[0];
        err_ = err[0];
        if (error != 0) {
            throw std::runtime_error("cannot start " + built_binary());
        }
    }
    ~Program() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
        ::close(in_);
        ::close(out_);
        ::close(err_);
    }
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    /// Its exit status once it has ended; 128 + signal when it was killed.
    int wait() {
        while (read_more()) {
        }
        int status = 0;
        ::waitpid(pid_, &status, 0);
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    /// The line of standard error that contains this text; throws when it ends without one.
    std::string wait_for_line(const std::string& text) { return line_with(text, errors_); }
    /// The same of its standard output.
    std::string wait_for_output(const std::string& text) { return line_with(text, output_); }
    /// Writes to its standard input, which was to be written.
    void write(std::string_view text) const {
        if (::write(in_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
            throw std::runtime_error("agentcom does not take its input");
        }
    }
    void end_input() { ::close(std::exchange(in_, -1)); }
    void signal(int number) const { ::kill(pid_, number); }
    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    [[nodiscard]] const std::string& output() const noexcept { return output_; }
    [[nodiscard]] const std::string& errors() const noexcept { return errors_; }

private:
    static std::vector<char*> pointers(std::vector<std::string>& texts) {
        std::vector<char*> all;
        for (std::string& text : texts) {
            all.push_back(text.data());
        }
        all.push_back(nullptr);
        return all;
    }

    std::string line_with(const std::string& text, const std::string& printed) {
        while (true) {
            const auto found = printed.find(text);
            const auto end = printed.find('\n', found);
            if (found != std::string::npos && end != std::string::npos) {
                const auto before = printed.rfind('\n', found);
                const auto begin = before == std::string::npos ? 0 : before + 1;
                return printed.substr(begin, end - begin);
            }
            if (!read_more()) {
                throw std::runtime_error("no line with '" + text + "' in: " + printed + errors_);
            }
        }
    }

    /// False when both streams have ended. Throws when nothing comes for a long time.
    bool read_more() {
        static constexpr int kPatienceMs = 60'000;
        std::array<pollfd, 2> watched{pollfd{out_open_ ? out_ : -1, POLLIN, 0},
                                      pollfd{err_open_ ? err_ : -1, POLLIN, 0}};
        if (!out_open_ && !err_open_) {
            return false;
        }
        if (::poll(watched.data(), watched.size(), kPatienceMs) <= 0) {
            throw std::runtime_error("agentcom prints nothing and does not end; so far: " +
                                     errors_);
        }
        read_from(watched[0], output_, out_open_);
        read_from(watched[1], errors_, err_open_);
        return true;
    }
    static void read_from(const pollfd& watched, std::string& into, bool& open) {
        if (watched.revents == 0) {
            return;
        }
        std::array<char, 4096> bytes{};
        const auto count = ::read(watched.fd, bytes.data(), bytes.size());
        if (count > 0) {
            into.append(bytes.data(), static_cast<std::size_t>(count));
        } else {
            open = false;
        }
    }

    pid_t pid_ = -1;
    int in_ = -1;
    int out_ = -1;
    int err_ = -1;
    bool out_open_ = true;
    bool err_open_ = true;
    std::string output_;
    std::string errors_;
};

}  // namespace agentcom::test
