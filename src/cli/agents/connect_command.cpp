#include "cli/agents/connect_command.hpp"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

#include "agentcom/core/ids.hpp"
#include "agentcom/core/token.hpp"
#include "cli/agents/client_files.hpp"
#include "cli/agents/installed_file.hpp"
#include "cli/agents/session_file.hpp"
#include "cli/agents/text_diff.hpp"
#include "cli/command.hpp"
#include "cli/context_file.hpp"
#include "cli/terminal_text.hpp"
#include "cli/token_holder.hpp"

namespace agentcom::cli::agents {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kHubTime{10};
/// What is shown in place of a token.
constexpr std::string_view kMask = "TOKEN";

/// As whom the client is to speak, and with which token.
struct Identity {
    HubAddress hub;
    std::string token;
    std::string agent;
};

bool says_the_same(const StoredContext& stored, const Identity& identity) {
    return stored.url == identity.hub.url && stored.token == identity.token &&
           stored.ca_file == identity.hub.ca_file;
}

[[noreturn]] void refuse_context_of_user(const std::string& name) {
    throw std::runtime_error("there is a context " + name +
                             " that `connect` did not make, so it is left as it is; `agentcom "
                             "context remove " +
                             name + "` makes room");
}

/// Whoever reads a client's files has the token in them, so that is never one with more rights.
void require_agent(const TokenHolder& holder, const std::string& whose) {
    if (holder.role == "agent") return;
    throw std::runtime_error(
        whose + (holder.role == "admin"
                     ? " is an administrator's, which no client is given; with --token-file it "
                       "makes one for the client"
                     : " is an observer's, who cannot write to anybody"));
}

bool from_variables() {
    const char* context = std::getenv("AGENTCOM_CONTEXT");
    return !token_variable().empty() || (context != nullptr && *context != '\0');
}

class Enrolment {
public:
    explicit Enrolment(const ConnectCall& call)
        : call_(call), stored_name_(context_name(call.client, call.scope)) {}

    Identity settle() {
        const auto contexts = ContextFile::read(ContextFile::default_path()).contexts;
        const auto found = contexts.find(stored_name_);
        if (found != contexts.end()) {
            stored_ = found->second;
            of_user_ = !stored_.made_by_connect;
        }
        Identity identity = choose();
        if (of_user_ && !says_the_same(stored_, identity)) refuse_context_of_user(stored_name_);
        return identity;
    }

private:
    Identity choose() const {
        const bool token_given =
            !call_.context.token_file.empty() || !call_.context.context.empty() || from_variables();
        if (!token_given && usable_stored()) return from_stored();
        const Context context = Context::resolve(call_.context);
        if (context.token.empty()) refuse_without_token(context.hub.url);
        HubClient hub(context.hub, context.token);
        const TokenHolder holder = ask_holder(hub, from_now(kHubTime));
        if (holder.role == "admin") return enrol(context, hub);
        require_agent(holder, "the token");
        if (!token_given) {
            throw std::runtime_error("the context " + context.name + " belongs to " + holder.agent +
                                     "; with --context " + context.name + " the client speaks as " +
                                     holder.agent +
                                     ", with --token-file and an administrator's token as an agent "
                                     "of its own");
        }
        if (!call_.name.empty() && call_.name != holder.agent) {
            throw std::runtime_error("the token belongs to " + holder.agent + ", not to " +
                                     call_.name + "; an administrator's token can make one");
        }
        return {context.hub, context.token, holder.agent};
    }

    [[noreturn]] static void refuse_without_token(const std::string& url) {
        throw CommandError(
            kNoAccess, "there is no token for the hub at " + url +
                           "; give one with --token-file: an administrator's (the hub keeps it as "
                           "admin_token in "
                           "its data directory), so that one is made, or that of the agent itself");
    }

    bool usable_stored() const {
        return !stored_.token.empty() &&
               (call_.context.url.empty() || without_slash(call_.context.url) == stored_.url) &&
               (call_.name.empty() || call_.name == stored_.agent);
    }

    Identity from_stored() const {
        Identity identity{{}, stored_.token, stored_.agent};
        identity.hub.url = stored_.url;
        identity.hub.ca_file = stored_.ca_file;
        HubClient hub(identity.hub, identity.token);
        const TokenHolder holder = ask_holder(hub, from_now(kHubTime));
        require_agent(holder, "the token of the context " + stored_name_);
        identity.agent = holder.agent;
        return identity;
    }

    /// A token for the agent, made by the administrator; the one that was made before when it is
    /// still good.
    Identity enrol(const Context& admin, HubClient& hub) const {
        const std::string agent = call_.name.empty() ? stored_name_ : call_.name;
        if (!core::AgentId::parse(agent)) {
            throw std::runtime_error("'" + agent + "' cannot be the name of an agent");
        }
        Identity identity{admin.hub, "", agent};
        if (stored_.url == admin.hub.url && stored_.agent == agent &&
            is_token_of(agent, admin.hub)) {
            identity.token = stored_.token;
            return identity;
        }
        if (of_user_) refuse_context_of_user(stored_name_);
        if (call_.dry_run) {
            identity.token = kMask;
            return identity;
        }
        const nlohmann::json body = {{"agent_id", agent}, {"name", "connect " + call_.client}};
        const auto made = nlohmann::json::parse(hub.ask({.verb = "POST",
                                                         .target = "/admin/tokens",
                                                         .body = body.dump(),
                                                         .repeatable = false},
                                                        from_now(kHubTime)),
                                                nullptr, false);
        identity.token = made.is_object() ? made.value("token", "") : "";
        if (!core::Token::parse(identity.token)) throw std::runtime_error("the hub made no token");
        return identity;
    }

    /// Whether the stored token is still good, and the agent's.
    bool is_token_of(const std::string& agent, const HubAddress& hub) const {
        if (stored_.token.empty()) return false;
        HubClient client(hub, stored_.token);
        try {
            const TokenHolder holder = ask_holder(client, from_now(kHubTime));
            return holder.role == "agent" && holder.agent == agent;
        } catch (const HubError& error) {
            if (error.status() != 401) throw;
            return false;
        }
    }

    const ConnectCall& call_;
    std::string stored_name_;
    StoredContext stored_;
    bool of_user_ = false;  // the stored context is the user's own
};

/// `agentcom` where the shell finds this very program under that name, otherwise its path.
std::string own_program() {
    std::error_code error;
    const fs::path self = fs::read_symlink("/proc/self/exe", error);
    if (error) return "agentcom";
    const char* path = std::getenv("PATH");
    std::string_view folders = path != nullptr ? path : "";
    while (!folders.empty()) {
        const std::size_t end = std::min(folders.find(':'), folders.size());
        const fs::path candidate = fs::path(folders.substr(0, end)) / "agentcom";
        if (::access(candidate.c_str(), X_OK) == 0) {
            return fs::equivalent(candidate, self, error) ? "agentcom" : shell_word(self.string());
        }
        folders.remove_prefix(std::min(end + 1, folders.size()));
    }
    return shell_word(self.string());
}

std::string masked(std::string text, const std::string& token) {
    if (token.empty()) return text;
    for (std::size_t at = text.find(token); at != std::string::npos;
         at = text.find(token, at + kMask.size())) {
        text.replace(at, token.size(), kMask);
    }
    return text;
}

/// Tokens of other times stand in what is taken away.
std::string without_tokens(std::string text) {
    static constexpr std::string_view kBearer = "Bearer ";
    static constexpr std::size_t kTokenDigits = 64;
    for (std::size_t at = text.find(kBearer); at != std::string::npos;
         at = text.find(kBearer, at + 1)) {
        const std::size_t begin = at + kBearer.size();
        std::size_t end = begin;
        while (end < text.size() && std::isxdigit(static_cast<unsigned char>(text[end])) != 0)
            ++end;
        if (end - begin >= kTokenDigits) text.replace(begin, end - begin, kMask);
    }
    return text;
}

void show(const fs::path& file, const InstalledFile::Texts& texts, const std::string& token) {
    if (texts.before == texts.after) {
        print(file.string() + ": nothing to change\n");
        return;
    }
    print(file.string() + (texts.before.empty() ? " (new)\n" : texts.gone ? " (removed)\n" : "\n"));
    print(without_tokens(masked(text_diff(texts.before, texts.after), token)));
}

void store_context(const std::string& name, const Identity& identity) {
    ContextFile::change(ContextFile::default_path(), [&](ContextFile& file) {
        const auto found = file.contexts.find(name);
        if (found != file.contexts.end() && !found->second.made_by_connect) {
            if (says_the_same(found->second, identity)) return;
            refuse_context_of_user(name);
        }
        file.contexts[name] = {.url = identity.hub.url,
                               .token = identity.token,
                               .agent = identity.agent,
                               .ca_file = identity.hub.ca_file,
                               .made_by_connect = true};
    });
}

/// Whether there was one of ours.
bool forget_context(const std::string& name) {
    const auto contexts = ContextFile::read(ContextFile::default_path()).contexts;
    const auto stored = contexts.find(name);
    if (stored == contexts.end() || !stored->second.made_by_connect) return false;
    ContextFile::change(ContextFile::default_path(), [&](ContextFile& file) {
        const auto found = file.contexts.find(name);
        if (found == file.contexts.end() || !found->second.made_by_connect) return;
        file.contexts.erase(found);
        if (file.current == name) file.current.clear();
    });
    return true;
}

/// The parser lets no other names pass.
Dialect client_of(const ConnectCall& call) { return dialect_named(call.client).value(); }

std::vector<InstalledFile> files_of(const ConnectCall& call, const Account& account) {
    const fs::path state = state_directory();
    if (state.empty()) throw std::runtime_error("HOME is not set");
    const Scope scope = call.scope == "project" ? Scope::project : Scope::user;
    std::vector<InstalledFile> files;
    for (FileChange& change :
         client_files(client_of(call), scope, Places::from_environment(), account)) {
        files.emplace_back(std::move(change), state);
    }
    return files;
}

/// What would keep the files from being written is found before the hub makes a token. Whose token
/// it is changes nothing there.
void require_room(const ConnectCall& call, const std::string& context) {
    for (const InstalledFile& file : files_of(call, {"", "", context, "", call.http})) {
        (void)file.connected();
        file.require_room();
    }
    require_writable(ContextFile::default_path().parent_path());
}

int undo(const ConnectCall& call) {
    const auto files = files_of(call, {});
    std::vector<InstalledFile::Texts> texts;
    // All are looked at before the first is written.
    for (const InstalledFile& file : files) texts.push_back(file.undone());
    for (std::size_t i = 0; i < files.size(); ++i) show(files[i].path(), texts[i], "");
    if (call.dry_run) {
        print("Nothing was changed (--dry-run).\n");
        return 0;
    }
    bool connected = false;
    for (std::size_t i = 0; i < files.size(); ++i) {
        files[i].restore(texts[i]);
        connected = connected || texts[i].before != texts[i].after;
    }
    if (!forget_context(context_name(call.client, call.scope)) && !connected) {
        print(call.client + " was not connected here.\n");
        return 0;
    }
    print(call.client +
          " is disconnected. Its token is still good until an administrator revokes it.\n");
    return 0;
}

}  // namespace

std::string context_name(const std::string& client, const std::string& scope) {
    if (scope != "project") return client;
    const std::string path = fs::current_path().string();
    std::string folder = fs::path(path).filename().string().substr(0, 32);
    for (char& c : folder) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 || (c & 0x80) != 0) c = '-';
    }
    // Folders of the same name are told apart.
    return client + "-" + folder + "-" + name_for(path).substr(0, 6);
}

int run_connect(const ConnectCall& call) {
    if (call.http && client_of(call) != Dialect::claude) {
        throw CommandError(kWrongUsage, "only claude has hooks that ask a hub over HTTP");
    }
    if (call.undo) return undo(call);
    const std::string context = context_name(call.client, call.scope);
    require_room(call, context);
    const Identity identity = Enrolment(call).settle();
    const auto files =
        files_of(call, {identity.hub.url, identity.token, context, own_program(), call.http});
    std::vector<InstalledFile::Texts> texts;
    for (const InstalledFile& file : files) texts.push_back(file.connected());
    for (std::size_t i = 0; i < files.size(); ++i) {
        show(files[i].path(), texts[i], identity.token);
    }
    if (call.dry_run) {
        print("Nothing was changed (--dry-run).\n");
        return 0;
    }
    store_context(context, identity);
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (texts[i].before != texts[i].after) files[i].install(texts[i]);
    }
    print(call.client + " is " + printable_line(identity.agent) + " at " + identity.hub.url +
          ".\n");
    for (const std::string& step : next_steps(
             client_of(call), call.scope == "project" ? Scope::project : Scope::user, call.http)) {
        print(step + '\n');
    }
    if (!identity.hub.ca_file.empty()) {
        print("The client itself must trust the hub's certificate: set NODE_EXTRA_CA_CERTS=" +
              identity.hub.ca_file + " where it is started.\n");
    }
    print("`agentcom doctor " + call.client + "` proves that it works.\n");
    return 0;
}

}  // namespace agentcom::cli::agents
