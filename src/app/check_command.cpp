#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "agentcom/core/time.hpp"
#include "agentcom/net/endpoint.hpp"
#include "app/admin_token.hpp"
#include "app/commands.hpp"
#include "app/logging.hpp"

namespace agentcom::app {

void add_check_command(CLI::App& app, int& status) {
    auto* command = app.add_subcommand(
        "check", "Validate the configuration and print the settings that result");
    const auto flags = std::make_shared<CommonFlags>();
    const auto explain = std::make_shared<bool>(false);
    const auto quiet = std::make_shared<bool>(false);
    add_common_flags(*command, *flags);
    command->add_flag("--explain", *explain, "Say of each setting where it comes from");
    command->add_flag("--quiet", *quiet, "Validate only: print nothing when all is well");
    command->callback([flags, explain, quiet, &status] {
        const ConfigSources sources = flags->sources();
        const Config config = load_config(sources);
        // What the look at the files warns of is no part of the output.
        const Logging logging(config.log_level, config.log_format);
        (void)given_admin_token(config, sources.environment);
        net::check_usable(config.endpoint, core::SystemClock().now());
        if (!*quiet) std::cout << print_config(config, *explain) << std::flush;
        status = 0;
    });
}

}  // namespace agentcom::app
