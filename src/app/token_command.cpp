#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "agentcom/core/token.hpp"
#include "agentcom/protocol/operations.hpp"
#include "agentcom/store/opening.hpp"
#include "app/admin_token.hpp"
#include "app/commands.hpp"
#include "app/token_office.hpp"

namespace agentcom::app {
namespace {

/// How long a hub that was started together with the command may take to its data directory.
constexpr core::Millis kMomentToStart{500};

struct TokenFlags {
    CommonFlags common;
    std::string admin_token;
    std::string admin_token_file;
    std::string agent;
    std::string role = "agent";
    bool create = false;
};

std::unique_ptr<TokenOffice> open_office(const TokenFlags& flags) {
    const Config config = load_config(flags.common.sources());
    std::optional<std::string> admin_token;
    if (const char* variable = std::getenv(std::string(kAdminTokenVariable).c_str())) {
        admin_token = core::trim_token(variable);
    }
    if (!flags.admin_token.empty()) {
        admin_token = core::trim_token(flags.admin_token);
    }
    if (!flags.admin_token_file.empty()) {
        if (!std::ifstream(flags.admin_token_file)) {
            throw std::runtime_error("cannot read the file " + flags.admin_token_file);
        }
        admin_token = read_token_file(flags.admin_token_file);
    }
    return open_token_office(config, admin_token);
}

/// A mistyped directory must not become an empty store that answers "no tokens", or gives out one
/// that no hub knows. A hub that is making its store just now gets a moment.
void require_store(const TokenFlags& flags) {
    static constexpr core::Millis kPause{20};
    const auto directory = load_config(flags.common.sources()).store.directory;
    for (core::Millis waited{0}; !store::holds_store(directory); waited += kPause) {
        const bool somebody_starts = std::filesystem::exists(directory / "agentcom.lock");
        if (waited >= (somebody_starts ? store::kLockWait : kMomentToStart)) {
            throw std::runtime_error((std::filesystem::is_directory(directory)
                                          ? "there is no store in "
                                          : "there is no data directory ") +
                                     directory.string());
        }
        std::this_thread::sleep_for(kPause);
    }
}

void create_token(const TokenFlags& flags) {
    const auto agent = core::AgentId::parse_issued(flags.agent);
    if (!agent) {
        throw std::runtime_error("this is not an agent id: " +
                                 std::string(agent.error().explanation()));
    }
    if (!flags.create) {
        try {
            require_store(flags);
        } catch (const std::runtime_error& error) {
            throw std::runtime_error(std::string(error.what()) +
                                     "; with --create a new store is made there");
        }
    }
    const auto role = core::parse_role(flags.role).value_or(core::Role::agent);
    // Alone on standard output, so that scripts can take it.
    std::cout << open_office(flags)->create(*agent, role) << std::endl;
}

void list_tokens(const TokenFlags& flags) {
    require_store(flags);
    for (const IssuedToken& token : open_office(flags)->list()) {
        std::cout << token.prefix << "...  " << std::left << std::setw(8) << token.role << "  "
                  << token.agent << '\n';
    }
    std::cout << std::flush;
}

void revoke_tokens(const TokenFlags& flags) {
    require_store(flags);
    open_office(flags)->revoke(flags.agent);
    std::cout << "revoked all tokens of " << flags.agent << std::endl;
}

}  // namespace

void add_token_command(CLI::App& app, int& status) {
    auto* command = app.add_subcommand("token", "Create, list and revoke the agents' tokens");
    command->require_subcommand(1);
    command->footer(
        "Works on the data directory while no hub serves it, and through the hub otherwise; that\n"
        "takes an administrator's token: from the file given with --admin-token-file, from\n"
        "AGENTCOM_ADMIN_TOKEN, or from the file admin_token in the data directory. On the command\n"
        "line, as --admin-token, everybody on this machine can see it.");
    const auto flags = std::make_shared<TokenFlags>();
    const auto add = [&](const char* name, const char* text) {
        auto* sub = command->add_subcommand(name, text);
        add_common_flags(*sub, flags->common);
        auto* file = sub->add_option("--admin-token-file", flags->admin_token_file,
                                     "File with the token to use when a hub runs");
        file->type_name("FILE");
        sub->add_option("--admin-token", flags->admin_token,
                        "The token itself; others see it in the list of processes")
            ->type_name("TOKEN")
            ->excludes(file);
        return sub;
    };
    const auto run = [flags, &status](void (*action)(const TokenFlags&)) {
        return [flags, &status, action] {
            action(*flags);
            status = 0;
        };
    };
    auto* create = add("create", "Print a new token for an agent; it is shown this once");
    create->add_option("AGENT", flags->agent, "Agent id")->required();
    const auto roles = protocol::field_of(protocol::Operation::create_token, "role")->choices;
    const std::vector<std::string> choices(roles.begin(), roles.end());
    create->add_option("--role", flags->role, "What the token may do")
        ->check(CLI::IsMember(choices))
        ->capture_default_str();
    create->add_flag("--create", flags->create,
                     "Make the store when the data directory has none yet");
    create->callback(run(create_token));
    add("list", "Print the first digits, role and agent of every token")
        ->callback(run(list_tokens));
    auto* revoke = add("revoke", "Revoke all tokens of an agent and end its connections");
    revoke->add_option("AGENT", flags->agent, "Agent id")->required();
    revoke->callback(run(revoke_tokens));
}

}  // namespace agentcom::app
