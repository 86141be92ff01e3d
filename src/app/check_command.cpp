#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "app/commands.hpp"

namespace agentcom::app {

void add_check_command(CLI::App& app, int& status) {
    auto* command = app.add_subcommand(
        "check", "Validate the configuration and print the settings that result");
    const auto flags = std::make_shared<CommonFlags>();
    add_common_flags(*command, *flags);
    command->callback([flags, &status] {
        std::cout << print_config(load_config(flags->sources())) << std::flush;
        status = 0;
    });
}

}  // namespace agentcom::app
