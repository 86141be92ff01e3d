#include "agentcom/cli/commands.hpp"

#include <array>

#include "cli/command.hpp"
#include "cli/command_tree.hpp"
#include "cli/completion.hpp"

namespace agentcom::cli {
namespace {

constexpr std::array<ExitStatus, 10> kStatuses{{
    {0, "Done; for `wait`: there is unread mail"},
    {kProblem, "Something on this machine: a file, a context, standard output"},
    {kWrongUsage, "The command line was wrong"},
    {3, "`doctor` and `backup`: the store is not as it should be"},
    {kTimeOver, "`wait`: the time is over, and there is no mail"},
    {kUnreachable, "No hub answers at this address, or its certificate is not trusted"},
    {kNoAccess, "There is no token, or the hub does not accept it"},
    {kRefused, "The hub refuses: no such thing, no right to it, or not valid"},
    {kTryLater, "The hub is busy, stopping or full, or slows the caller down; try again later"},
    {kCommandFailed, "`listen --exec`: the command failed, and its message stays unread"},
}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kVariables{{
    {"AGENTCOM_URL", "Where the hub is; http://127.0.0.1:4000 when nothing says so"},
    {"AGENTCOM_TOKEN", "The token"},
    {"AGENTCOM_AGENT", "Whom AGENTCOM_TOKEN belongs to; saves asking the hub"},
    {"AGENTCOM_CONTEXT", "The stored context to use"},
    {"AGENTCOM_CA_FILE", "Certificates (PEM) to trust instead of the system's"},
    {"AGENTCOM_HOOK_TIMEOUT", "Milliseconds that `hook` may take; 200"},
    {"XDG_CONFIG_HOME", "Where configuration is kept, ~/.config when left out"},
}};

void add_completion(const CommandSet& set) {
    const auto shell = std::make_shared<std::string>();
    auto* command =
        set.app.add_subcommand("completion", "Print a script that completes commands and flags");
    command->group(kClientGroup);
    command->footer("");
    command->add_option("SHELL", *shell, "Which shell the script is for")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    command->callback([shell, &app = set.app, &status = set.status] {
        status = run_guarded([&] {
            const CommandEntry root = read_command_tree(app);
            print(*shell == "bash"  ? bash_completion(root)
                  : *shell == "zsh" ? zsh_completion(root)
                                    : fish_completion(root));
            return 0;
        });
    });
}

void add_manual(const CommandSet& set) {
    auto* command = set.app.add_subcommand("manual", "Print the manual page for man(1)");
    command->group("");  // for those who build packages; the page itself is in man/
    command->callback([&app = set.app, &status = set.status] {
        status = run_guarded([&] {
            print(manual_page(read_command_tree(app)));
            return 0;
        });
    });
}

/// The help says what a positional is; that it is a text goes without saying.
void simplify_positionals(CLI::App& app) {
    for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
        for (CLI::Option* option : command->get_options()) {
            if (option->get_positional()) {
                option->type_name("");
            }
        }
        simplify_positionals(*command);
    }
}

}  // namespace

std::span<const ExitStatus> exit_statuses() noexcept { return kStatuses; }
std::span<const std::pair<std::string_view, std::string_view>> client_variables() noexcept {
    return kVariables;
}

void add_client_commands(CLI::App& app, int& status) {
    const CommandSet set{app, status};
    add_send_commands(set);
    add_mailbox_commands(set);
    add_follow_commands(set);
    add_channel_commands(set);
    add_view_commands(set);
    add_reload_command(set);
    add_mcp_command(set);
    add_context_command(set);
    add_agent_commands(set);
    add_completion(set);
    add_manual(set);
    simplify_positionals(app);
}

}  // namespace agentcom::cli
