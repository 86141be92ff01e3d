#include "cli/agents/client_doctor.hpp"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <vector>

#include "cli/agents/client_files.hpp"
#include "cli/agents/connect_command.hpp"
#include "cli/agents/doctor_files.hpp"
#include "cli/agents/hook_command.hpp"
#include "cli/agents/hook_lists.hpp"
#include "cli/agents/mail_questions.hpp"
#include "cli/agents/processes.hpp"
#include "cli/agents/session_file.hpp"
#include "cli/agents/waiter.hpp"
#include "cli/command.hpp"
#include "cli/context.hpp"
#include "cli/context_file.hpp"
#include "cli/terminal_text.hpp"
#include "cli/token_holder.hpp"

namespace agentcom::cli::agents {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr seconds kPatience{10};

/// What a client gives a hook, as far as hooks look at it.
std::string sample_input(Dialect dialect, Moment moment, const std::string& session) {
    nlohmann::json input = {{"cwd", fs::current_path().string()}};
    if (dialect == Dialect::cursor) {
        input["conversation_id"] = session;
        input["cursor_version"] = "doctor";
    } else {
        const bool camel = dialect == Dialect::vscode || dialect == Dialect::copilot;
        input[camel ? "sessionId" : "session_id"] = session;
    }
    if (dialect == Dialect::claude) input["hook_event_name"] = event_name(dialect, moment);
    if (moment == Moment::prompt) input["prompt"] = "hello";
    if (moment == Moment::stop) input["stop_hook_active"] = false;
    return input.dump();
}

bool takes_text(Dialect dialect, Moment moment) { return speak(dialect, moment, "").has_value(); }

class ClientDoctor {
public:
    ClientDoctor(Dialect dialect, const std::string& client)
        : dialect_(dialect), client_(client), places_(Places::from_environment()) {}

    int run() {
        find_scope();
        hooks_ = examine_files(dialect_, scope_, places_, stored_, report_);
        if (!hooks_.empty() && meet_hub()) {
            const auto sent = send_to_self();
            for (const HookCommand& hook : hooks_) {
                if (hook.command.empty()) {
                    try_http_hook(hook);
                } else {
                    try_hook(hook);
                }
            }
            tidy(sent);
        }
        const bool well = report_.faults() == 0;
        print(well ? "all is well\n" : "not everything is as it should be\n");
        return well ? 0 : kProblem;
    }

private:
    void good(const std::string& text) { report_.good(text); }
    void bad(const std::string& text) { report_.bad(text); }

    /// Where `connect` has been: in the project first.
    void find_scope() {
        for (const auto& [scope, name] :
             {std::pair{Scope::project, "project"}, std::pair{Scope::user, "user"}}) {
            const auto contexts = ContextFile::read(ContextFile::default_path()).contexts;
            const auto found = contexts.find(context_name(client_, name));
            if (found == contexts.end()) continue;
            scope_ = scope;
            stored_ = found->second;
            return;
        }
        throw std::runtime_error(client_ +
                                 " is not connected, neither here nor for all projects; "
                                 "`agentcom connect " +
                                 client_ + "` does that");
    }

    bool meet_hub() {
        HubAddress address;
        address.url = stored_.url;
        address.ca_file = stored_.ca_file;
        try {
            hub_.emplace(address, stored_.token);
            const TokenHolder holder = ask_holder(*hub_, from_now(kPatience));
            agent_ = holder.agent;
            good("the hub at " + stored_.url + " knows the token, it is " + agent_ + "'s");
            look_at_tools();
            return true;
        } catch (const HubError& error) {
            bad(error.what());
            return false;
        }
    }

    /// The same first question that clients ask.
    void look_at_tools() {
        const nlohmann::json question = {
            {"jsonrpc", "2.0"},
            {"id", 1},
            {"method", "initialize"},
            {"params",
             {{"protocolVersion", "2025-06-18"},
              {"capabilities", nlohmann::json::object()},
              {"clientInfo", {{"name", "agentcom-doctor"}, {"version", "1"}}}}}};
        const HttpAnswer answer =
            hub_->send({.verb = "POST",
                        .target = "/mcp",
                        .body = question.dump(),
                        .headers = {{"Accept", "application/json, text/event-stream"}}},
                       from_now(kPatience));
        if (answer.status == 200) {
            good(stored_.url + "/mcp answers");
        } else {
            bad(stored_.url + "/mcp answers " + std::to_string(answer.status));
        }
    }

    struct Sent {
        std::uint64_t seq = 0;
        bool alone = false;  // nothing else was unread
    };
    Sent send_to_self() {
        Sent sent;
        sent.alone = ask_unread(*hub_, agent_, from_now(kPatience)).count == 0;
        const nlohmann::json body = {
            {"to", agent_},
            {"type", "doctor"},
            {"payload", {{"text", "A test by agentcom doctor; there is nothing to do."}}}};
        const auto answer = nlohmann::json::parse(hub_->ask({.verb = "POST",
                                                             .target = "/api/message",
                                                             .body = body.dump(),
                                                             .repeatable = false},
                                                            from_now(kPatience)),
                                                  nullptr, false);
        sent.seq = answer.is_object() ? answer.value("seq", std::uint64_t{0}) : 0;
        good("a message from " + agent_ + " to itself is stored");
        return sent;
    }

    /// Takes the test message out of the mailbox when that acknowledges nothing else.
    void tidy(const Sent& sent) {
        const std::string mailbox = "/api/mailbox/" + encode_path_segment(agent_);
        if (!sent.alone || ask_unread(*hub_, agent_, from_now(kPatience)).count != 1) {
            report_.note("the test message stays in the mailbox, because other mail is unread");
            return;
        }
        (void)hub_->ask({.verb = "GET", .target = mailbox + "?limit=1"}, from_now(kPatience));
        (void)hub_->ask({.verb = "POST",
                         .target = mailbox + "/ack",
                         .body = nlohmann::json{{"seq", sent.seq}}.dump()},
                        from_now(kPatience));
    }

    Outcome run_command(const HookCommand& hook, const std::string& session) {
        static constexpr seconds kLongest{20};
        return run_in_shell(hook.command, sample_input(dialect_, hook.moment, session),
                            {"CLAUDECODE=1", "CLAUDE_CODE_ENTRYPOINT=cli"}, from_now(kLongest));
    }

    void try_hook(const HookCommand& hook) {
        const std::string name(name_of(hook.moment));
        const std::string session = trial_session(hook.moment);
        const auto begun = std::chrono::steady_clock::now();
        const Outcome first = run_command(hook, session);
        const auto taken = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - begun);
        const bool waits = hook.moment == Moment::wait;
        const bool speaks = takes_text(dialect_, hook.moment);
        const std::string& said = waits ? first.errors : first.output;
        const bool announced = said.find(kAnnouncementPrefix) != std::string::npos;
        const bool gave_up = !waits && first.status == 0 && first.errors.empty() &&
                             first.output == silence(dialect_);
        if (waits ? first.status == 2 && announced : first.status == 0 && announced == speaks) {
            if (waits || !speaks || repeats_nothing(hook, session)) {
                good("hook " + name +
                     (waits    ? " wakes"
                      : speaks ? " announces, once"
                               : " runs") +
                     " (" + std::to_string(taken.count()) + " ms)");
            }
        } else if (gave_up && taken >= hook_time() - kHookMargin) {
            bad("hook " + name + " gave up: it took " + std::to_string(taken.count()) + " ms of " +
                std::to_string(hook_time().count()) +
                "; AGENTCOM_HOOK_TIMEOUT sets how many it may take");
        } else {
            bad("hook " + name + ": `" + hook.command + "` ends with status " +
                std::to_string(first.status) + " and says '" + first.output + first.errors + "'");
        }
        end_waiter(state_directory(), session);
        remove_session(state_directory(), session);
    }

    /// Asks the hub in place of the client.
    void try_http_hook(const HookCommand& hook) {
        const std::string name = "hook " + std::string(name_of(hook.moment));
        const std::string url = stored_.url + std::string(kClaudeHookPath);
        if (hook.url != url) return bad(name + " asks " + hook.url + ", not " + url);
        // The variable is the client's, so nothing is known of it here.
        const bool variable = hook.authorization.starts_with("Bearer $");
        if (!variable && hook.authorization != "Bearer " + stored_.token) {
            return bad(name + " does not show the token of the context");
        }
        const std::string session = trial_session(hook.moment);
        const auto begun = std::chrono::steady_clock::now();
        const HttpAnswer first = ask_hook(hook.moment, session);
        const auto taken = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - begun);
        if (first.status != 200 || first.body.find(kAnnouncementPrefix) == std::string::npos) {
            return bad(name + ": " + url + " answers " + std::to_string(first.status) + " '" +
                       first.body + "'");
        }
        if (!ask_hook(hook.moment, session).body.empty()) return complain_of_repetition(hook);
        good(name + " announces, once (" + std::to_string(taken.count()) + " ms)");
    }

    HttpAnswer ask_hook(Moment moment, const std::string& session) {
        return hub_->send({.verb = "POST",
                           .target = std::string(kClaudeHookPath),
                           .body = sample_input(dialect_, moment, session),
                           .repeatable = false},
                          from_now(kPatience));
    }

    static std::string trial_session(Moment moment) {
        return std::string(kTrialSession) + std::to_string(::getpid()) + "-" +
               std::string(name_of(moment));
    }

    void complain_of_repetition(const HookCommand& hook) {
        bad("hook " + std::string(name_of(hook.moment)) + " announces the same message again");
    }

    bool repeats_nothing(const HookCommand& hook, const std::string& session) {
        if (run_command(hook, session).output.find(kAnnouncementPrefix) == std::string::npos) {
            return true;
        }
        complain_of_repetition(hook);
        return false;
    }

    Dialect dialect_;
    std::string client_;
    Places places_;
    Scope scope_ = Scope::user;
    StoredContext stored_;
    std::vector<HookCommand> hooks_;
    std::optional<HubClient> hub_;
    std::string agent_;
    DoctorReport report_;
};

}  // namespace

int run_client_doctor(const std::string& client) {
    const auto dialect = dialect_named(client);
    if (!dialect) {
        throw std::runtime_error("there is no client " + client + ", only " + dialect_list());
    }
    return ClientDoctor(*dialect, client).run();
}

}  // namespace agentcom::cli::agents
