// `hook` and `connect`, and `doctor` with a client's name: the commands for coding agents.
#include "agentcom/cli/agent_commands.hpp"

#include <memory>
#include <string>
#include <vector>

#include "cli/agents/client_doctor.hpp"
#include "cli/agents/connect_command.hpp"
#include "cli/agents/hook_command.hpp"
#include "cli/agents/hook_words.hpp"
#include "cli/command.hpp"

namespace agentcom::cli {
namespace {

/// What completion offers; whatever else is given passes.
CLI::Validator offered(const std::vector<std::string>& words) {
    return {[](std::string&) { return std::string(); }, "{" + CLI::detail::join(words, ",") + "}"};
}

void add_hook(const CommandSet& set) {
    auto* command = set.app.add_subcommand(
        "hook", "Run by a coding agent at a moment of its session: says when there is mail");
    command->group(kClientGroup);
    command->footer(
        "`connect` writes these calls into the client's files. The client's input comes on "
        "standard\n"
        "input. Nothing is said, with status 0, when there is no news, no hub within 200 ms\n"
        "(AGENTCOM_HOOK_TIMEOUT, in milliseconds) or no context. Status 2 comes only from `wait`:\n"
        "there is mail for an idle session.");
    const auto call = std::make_shared<agents::HookCall>();
    // No checks and no complaints here: what is wrong must not look like a veto.
    command->allow_extras();
    command->add_option("client", call->client, agents::dialect_list())
        ->check(offered(agents::dialect_names()));
    command->add_option("moment", call->moment, agents::moment_list())
        ->check(offered(agents::moment_names()));
    command->add_option("--context", call->context.context, "A stored context")->type_name("NAME");
    command->callback([call, &status = set.status] { status = agents::run_hook(*call); });
}

void add_connect(const CommandSet& set) {
    auto* command = set.app.add_subcommand(
        "connect", "Give a coding agent the hub's tools, and hooks that tell it of its mail");
    command->group(kClientGroup);
    command->footer(
        "Shows what it changes, keeps a copy of each file (NAME.agentcom-backup) and changes\n"
        "nothing a second time. An administrator's token makes a token for the agent; an agent's\n"
        "token is used as it is. `agentcom doctor CLIENT` then proves that it works.");
    const auto call = std::make_shared<agents::ConnectCall>();
    command->add_option("client", call->client, agents::dialect_list())
        ->required()
        ->check(CLI::IsMember(agents::dialect_names()));
    command->add_option("--name", call->name, "The agent's name at the hub")->type_name("AGENT");
    command->add_option("--scope", call->scope, "For all of the user's projects, or for this one")
        ->check(CLI::IsMember({"user", "project"}))
        ->capture_default_str();
    command->add_flag("--http", call->http,
                      "Hooks ask the hub themselves and start no program (claude)");
    command->add_flag("--dry-run", call->dry_run, "Only show what would change");
    command->add_flag("--undo", call->undo, "Take away what `connect` wrote");
    add_context_flags(*command, call->context);
    command->callback([call, &status = set.status] {
        status = run_guarded([&] { return agents::run_connect(*call); });
    });
}

}  // namespace

void add_agent_commands(const CommandSet& set) {
    add_hook(set);
    add_connect(set);
}

int examine_client(const std::string& client) {
    return run_guarded([&] { return agents::run_client_doctor(client); });
}

}  // namespace agentcom::cli
