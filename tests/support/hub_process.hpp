#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/paths.hpp"
#include "support/socket_client.hpp"

namespace agentcom::test {

/// The real daemon as a child process on a free port, with its own data directory. Ended, by its
/// pid, when the object goes.
class HubProcess {
public:
    /// Starts `agentcom serve` and waits until it listens. `arguments` and `environment`
    /// ("NAME=value") are added. Throws when it ends before it listens.
    explicit HubProcess(std::filesystem::path data_dir, std::vector<std::string> arguments = {},
                        std::vector<std::string> environment = {},
                        const std::string& binary = built_binary());
    ~HubProcess();
    HubProcess(const HubProcess&) = delete;
    HubProcess& operator=(const HubProcess&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    [[nodiscard]] const std::string& admin_token() const noexcept { return admin_token_; }

    /// A token for the agent, made over HTTP with the admin token.
    [[nodiscard]] std::string create_token(const std::string& agent);

    /// What it has logged, as far as that was read.
    [[nodiscard]] std::string log() const;
    /// Whether it says this, now or within the time that tests wait: its log is written by a thread
    /// of its own, so an answer may come before the line.
    [[nodiscard]] bool has_logged(std::string_view text) const;
    /// From now on nobody reads its standard error, and the pipe behind that is full.
    void block_log();
    /// Standard error is read again.
    void unblock_log();

    /// SIGKILL, and reaps it.
    void kill();
    /// SIGTERM; returns the exit status, or -1 when it had to be killed or died of a signal.
    int terminate();

private:
    class Log;
    int reap();
    pid_t pid_ = -1;
    std::shared_ptr<Log> log_;
    std::uint16_t port_ = 0;
    std::string admin_token_;
};

}  // namespace agentcom::test
