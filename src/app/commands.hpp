#pragma once

#include <optional>
#include <string>

#include "app/config.hpp"

namespace CLI {  // NOLINT(readability-identifier-naming): the name is the library's
class App;
}

namespace agentcom::app {

/// The flags that more than one subcommand takes.
struct CommonFlags {
    std::string config_file;
    std::string data_dir;
    [[nodiscard]] ConfigSources sources() const;
};
void add_common_flags(CLI::App& command, CommonFlags& flags);

// Each adds one subcommand. When it is the one that was called, it runs while the command line is
// parsed and puts the process's exit status into `status`; problems are thrown as
// std::runtime_error with one sentence.
void add_serve_command(CLI::App& app, int& status);
void add_token_command(CLI::App& app, int& status);
void add_check_command(CLI::App& app, int& status);
void add_import_command(CLI::App& app, int& status);
void add_backup_command(CLI::App& app, int& status);
void add_restore_command(CLI::App& app, int& status);
void add_doctor_command(CLI::App& app, int& status);

// Exit status besides 0.
inline constexpr int kProblem = 1;  // one line on standard error
inline constexpr int kWrongUsage = 2;
inline constexpr int kFindings = 3;  // `doctor` and `backup`: the store is not as it should be

/// The whole program; returns its exit status.
[[nodiscard]] int run_command_line(int count, const char* const* arguments);

}  // namespace agentcom::app
