#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>

#include "agentcom/cli/commands.hpp"
#include "agentcom/core/version.hpp"
#include "app/commands.hpp"
#include "app/logging.hpp"

namespace agentcom::app {

ConfigSources CommonFlags::sources() const {
    ConfigSources sources;
    sources.environment = process_environment();
    if (!config_file.empty()) {
        sources.file = config_file;
    }
    if (!data_dir.empty()) {
        sources.flags.emplace_back("store.data_dir", data_dir);
    }
    return sources;
}

void add_common_flags(CLI::App& command, CommonFlags& flags) {
    command.add_option("--config", flags.config_file, "Configuration file (TOML)")
        ->type_name("FILE");
    command.add_option("--data-dir", flags.data_dir, "Directory that holds everything")
        ->type_name("DIRECTORY");
}

int run_command_line(int count, const char* const* arguments) {
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGXFSZ, SIG_IGN);  // a limit on the size of files is an error like a full disk
    log_as_command();
    CLI::App app("AgentCom: a message hub for autonomous agents", "agentcom");
    app.set_version_flag("--version", "agentcom " + std::string(core::kVersion));
    app.require_subcommand(1);
    app.footer(
        "Settings of a hub come from the file given with --config, from variables such as\n"
        "AGENTCOM_SERVER_PORT and from flags; `agentcom check` shows what results.");
    int status = 0;
    add_serve_command(app, status);
    add_token_command(app, status);
    add_check_command(app, status);
    add_import_command(app, status);
    add_backup_command(app, status);
    add_restore_command(app, status);
    add_doctor_command(app, status);
    cli::add_client_commands(app, status);
    try {
        app.parse(count, arguments);
    } catch (const CLI::ParseError& error) {
        // The status of a wrong command line is a veto to those who run hooks, and what is said
        // may be shown.
        const bool hook = count > 1 && std::string_view(arguments[1]) == "hook";
        if (hook && error.get_exit_code() != 0 && ::isatty(STDIN_FILENO) == 0) return 0;
        return app.exit(error) == 0 || hook ? 0 : kWrongUsage;
    } catch (const std::exception& error) {
        std::cerr << "agentcom: " << error.what() << '\n';
        return kProblem;
    }
    return status;
}

}  // namespace agentcom::app
