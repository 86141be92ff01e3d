#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "agentcom/cli/commands.hpp"
#include "agentcom/cli/hub_client.hpp"
#include "cli/context.hpp"
#include "cli/json_view.hpp"

namespace agentcom::cli {

/// The flags that every command which talks to a hub has.
struct ClientFlags : ContextFlags {
    bool json = false;  // one JSON document, or one on each line, instead of text for people
};

/// Ends a command with this status and, unless it is empty, one line on standard error.
class CommandError : public std::runtime_error {
public:
    CommandError(int status, const std::string& text) : std::runtime_error(text), status_(status) {}
    [[nodiscard]] int status() const noexcept { return status_; }

private:
    int status_;
};

/// Throws CommandError when there is no token.
void require_token(const Context& context);

/// How long a request that waits for nothing may take.
inline constexpr core::Millis kRequestTime{10'000};

/// The hub of one command, asked as its agent. One thread.
class Hub {
public:
    explicit Hub(const ClientFlags& flags);

    [[nodiscard]] const Context& context() const noexcept { return context_; }
    [[nodiscard]] HubClient& client() noexcept { return client_; }
    /// Whom the token belongs to; the hub is asked when nothing else says so. Throws HubError, and
    /// CommandError when there is no token.
    [[nodiscard]] const std::string& agent();
    /// "/api/mailbox/<agent>" and what follows.
    [[nodiscard]] std::string mailbox(std::string_view rest = {});

    // The body of the answer. Throw HubError.
    [[nodiscard]] std::string get(const std::string& target, core::Millis time = kRequestTime);
    std::string post(const std::string& target, const std::string& body = "{}",
                     core::Millis time = kRequestTime);

private:
    Context context_;
    HubClient client_;
};

/// A target's query: "?name=value&...", without the parameters that were not given.
class Query {
public:
    Query& add(const char* name, const std::optional<std::int64_t>& value);
    Query& add(const char* name, const std::string& value);
    [[nodiscard]] const std::string& str() const noexcept { return text_; }

private:
    std::string text_;
};

/// Makes a channel; one that is there already is as good.
void make_channel(Hub& hub, const std::string& name);

/// Runs what may throw HubError, CommandError and std::runtime_error; says what went wrong on
/// standard error and returns the status.
[[nodiscard]] int run_guarded(const std::function<int()>& run);
/// The status that stands for this error, and the sentence with what to do about it.
[[nodiscard]] int status_of(const HubError& error) noexcept;
[[nodiscard]] std::string advice_for(const HubError& error);

/// A message for the output that was asked for.
[[nodiscard]] std::string show_message(JsonView message, bool json);

/// Writes to standard output; throws CommandError when it cannot, silently when nobody reads it.
void print(std::string_view text);
/// Sees to it that what was printed has been handed to the system.
void flush_output();
/// One line on standard error, "agentcom: " before it.
void note(std::string_view text);

// For the commands' parser.

/// The heading of the client's commands in `agentcom --help`.
inline constexpr const char* kClientGroup = "Commands that talk to a hub";

/// The heading of the flags of ContextFlags in a command's help.
inline constexpr const char* kContextGroup = "Which hub, and as whom";

struct CommandSet {
    CLI::App& app;
    int& status;
};

void add_context_flags(CLI::App& command, ContextFlags& flags);
/// A check that says nothing of itself in the help.
template <class Number>
CLI::Validator in_range(Number lowest, Number highest) {
    return CLI::Range(lowest, highest).description("");
}

/// Adds a command whose flags are `Flags`, derived from ClientFlags, and which `run` carries out.
template <class Flags>
CLI::App* add_command(const CommandSet& set, const char* name, const char* text,
                      const std::shared_ptr<Flags>& flags, int (*run)(const Flags&)) {
    auto* command = set.app.add_subcommand(name, text);
    command->group(kClientGroup);
    command->footer("");  // that of the whole program is about running a hub
    add_context_flags(*command, *flags);
    command->add_flag("--json", flags->json, "Print JSON: one document, or one on each line");
    command->callback(
        [flags, run, &status = set.status] { status = run_guarded([&] { return run(*flags); }); });
    return command;
}

void add_send_commands(const CommandSet& set);
void add_mailbox_commands(const CommandSet& set);
void add_follow_commands(const CommandSet& set);
void add_channel_commands(const CommandSet& set);
void add_view_commands(const CommandSet& set);
void add_context_command(const CommandSet& set);
void add_reload_command(const CommandSet& set);
void add_mcp_command(const CommandSet& set);
void add_agent_commands(const CommandSet& set);

}  // namespace agentcom::cli
