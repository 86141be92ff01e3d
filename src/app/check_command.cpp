#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "app/commands.hpp"

namespace agentcom::app {

void add_check_command(CLI::App& app, int& status) {
    auto* command = app.add_subcommand(
        "check", "Validate the configuration and print the settings that result");
    const auto flags = std::make_shared<CommonFlags>();
    const auto explain = std::make_shared<bool>(false);
    add_common_flags(*command, *flags);
    command->add_flag("--explain", *explain, "Say of each setting where it comes from");
    command->callback([flags, explain, &status] {
        std::cout << print_config(load_config(flags->sources()), *explain) << std::flush;
        status = 0;
    });
}

}  // namespace agentcom::app
