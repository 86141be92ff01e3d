#include "cli/agents/client_files.hpp"

#include <cstdlib>
#include <string_view>
#include <system_error>
#include <utility>

#include "cli/agents/client_entries.hpp"
#include "cli/agents/hook_lists.hpp"
#include "cli/agents/opencode_plugin.hpp"
#include "cli/agents/toml_text.hpp"

namespace agentcom::cli::agents {
namespace {

namespace fs = std::filesystem;

fs::path from_variable(const char* name, const fs::path& otherwise) {
    const char* value = std::getenv(name);
    return value != nullptr && value[0] == '/' ? fs::path(value) : otherwise;
}

bool is_blank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

/// Whether nothing but this member, where one is named, and no comment stands in the JSON text.
bool is_bare(const std::string& text, const char* member) {
    if (is_blank(text)) return true;
    try {
        const JsonValue rest = json_at(text, {});
        const bool has_member = *member != '\0' && rest.contains(member);
        if (rest.size() > (has_member ? 1U : 0U)) return false;
    } catch (const Malformed&) {
        return false;
    }
    return text.find("//") == std::string::npos && text.find("/*") == std::string::npos;
}

std::string key_of(Dialect dialect, Scope scope, const JsonPath& ours) {
    std::string key(name_of(dialect));
    key += scope == Scope::user ? "\nuser" : "\nproject";
    for (const std::string& name : ours) key += '\n' + name;
    return key;
}

FileChange entry_change(Dialect dialect, Scope scope, const Places& places,
                        const Account& account) {
    FileChange change;
    change.path = entry_file(dialect, scope, places);
    change.shared =
        scope == Scope::project && change.path == entry_file(dialect, Scope::user, places);
    change.secret = holds_token(dialect, scope);
    if (dialect == Dialect::codex) {
        const CodexEntry entry = codex_entry(scope, account);
        change.key = key_of(dialect, scope, {"mcp_servers", "agentcom"});
        change.with = [entry](const std::string& text) {
            return toml_with(text, entry.table, entry.unwanted);
        };
        change.without = [entry](const std::string& text) {
            return toml_without(text, entry.table);
        };
        change.is_nothing = is_blank;
        return change;
    }
    const JsonEntry entry = json_entry(dialect, scope, places, account);
    change.key = key_of(dialect, scope, entry.path);
    change.with = [entry](const std::string& text) { return with_json_entry(text, entry); };
    change.without = [entry](const std::string& text) { return without_json_entry(text, entry); };
    change.is_nothing = [](const std::string& text) { return is_bare(text, ""); };
    return change;
}

FileChange hooks_change(Dialect dialect, Scope scope, const Places& places,
                        const Account& account) {
    FileChange change;
    change.path = hook_file(dialect, scope, places);
    change.shared =
        scope == Scope::project && change.path == hook_file(dialect, Scope::user, places);
    change.key = key_of(dialect, scope, {"hooks"});
    if (dialect == Dialect::opencode) {
        const std::string plugin = opencode_plugin(account.binary, account.context);
        change.with = [plugin](const std::string&) { return plugin; };
        change.without = [](const std::string& text) {
            return text.starts_with(kPluginHeading) ? std::string() : text;
        };
        change.is_nothing = is_blank;
        return change;
    }
    change.secret = account.http && scope == Scope::user;
    const HookList hooks = account.http ? claude_http_hooks(scope, account)
                                        : hook_list(dialect, account.binary, account.context);
    change.with = [hooks](const std::string& text) { return with_hooks(text, hooks); };
    change.without = [hooks](const std::string& text) { return without_hooks(text, hooks); };
    // Only the number that the format asks for is left of a file of ours.
    change.is_nothing = [version = hooks.version](const std::string& text) {
        return is_bare(text, version ? "version" : "");
    };
    return change;
}

}  // namespace

Places Places::from_environment() {
    Places places;
    const char* home = std::getenv("HOME");
    if (home == nullptr || home[0] != '/') throw std::runtime_error("HOME is not set");
    places.home = home;
    places.project = fs::current_path();
    places.claude = from_variable("CLAUDE_CONFIG_DIR", {});
    places.codex = from_variable("CODEX_HOME", places.home / ".codex");
    places.copilot = from_variable("COPILOT_HOME", places.home / ".copilot");
    places.config = from_variable("XDG_CONFIG_HOME", places.home / ".config");
    return places;
}

fs::path entry_file(Dialect dialect, Scope scope, const Places& places) {
    const bool user = scope == Scope::user;
    switch (dialect) {
        // Claude Code keeps what is the user's in one project there, too.
        case Dialect::claude:
            return (places.claude.empty() ? places.home : places.claude) / ".claude.json";
        case Dialect::codex:
            return (user ? places.codex : places.project / ".codex") / "config.toml";
        case Dialect::gemini:
            return (user ? places.home : places.project) / ".gemini/settings.json";
        case Dialect::cursor:
            return (user ? places.home : places.project) / ".cursor/mcp.json";
        case Dialect::vscode:
            return user ? places.config / "Code/User/mcp.json"
                        : places.project / ".vscode/mcp.json";
        case Dialect::copilot:
            return user ? places.copilot / "mcp-config.json" : places.project / ".mcp.json";
        case Dialect::opencode:
            break;
    }
    const fs::path folder = user ? places.config / "opencode" : places.project;
    std::error_code error;
    const bool commented = fs::exists(folder / "opencode.jsonc", error);
    return folder / (commented ? "opencode.jsonc" : "opencode.json");
}

fs::path hook_file(Dialect dialect, Scope scope, const Places& places) {
    const bool user = scope == Scope::user;
    switch (dialect) {
        case Dialect::claude:
            if (!user) return places.project / ".claude/settings.local.json";
            return (places.claude.empty() ? places.home / ".claude" : places.claude) /
                   "settings.json";
        case Dialect::codex:
            return (user ? places.codex : places.project / ".codex") / "hooks.json";
        case Dialect::gemini:
            return (user ? places.home : places.project) / ".gemini/settings.json";
        case Dialect::cursor:
            return (user ? places.home : places.project) / ".cursor/hooks.json";
        case Dialect::vscode:
        case Dialect::copilot:
            return (user ? places.copilot / "hooks" : places.project / ".github/hooks") /
                   ("agentcom-" + std::string(name_of(dialect)) + ".json");
        case Dialect::opencode:
            break;
    }
    return (user ? places.config / "opencode" : places.project / ".opencode") /
           "plugins/agentcom.js";
}

std::vector<FileChange> client_files(Dialect dialect, Scope scope, const Places& places,
                                     const Account& account) {
    std::vector<FileChange> changes;
    changes.push_back(entry_change(dialect, scope, places, account));
    changes.push_back(hooks_change(dialect, scope, places, account));
    if (changes[0].path == changes[1].path) {
        FileChange both = changes[0];
        const FileChange entry = changes[0];
        const FileChange hooks = changes[1];
        both.with = [entry, hooks](const std::string& text) {
            return hooks.with(entry.with(text));
        };
        both.without = [entry, hooks](const std::string& text) {
            return entry.without(hooks.without(text));
        };
        changes = {both};
    }
    return changes;
}

std::string installed_url(Dialect dialect, Scope scope, const Places& places,
                          const std::string& text) {
    if (dialect == Dialect::codex) {
        return toml_text_at(text, {"mcp_servers", "agentcom", "url"}).value_or("");
    }
    JsonPath path = json_entry(dialect, scope, places, {}).path;
    path.emplace_back("url");
    const JsonValue url = json_at(text, path);
    return url.is_string() ? url.get<std::string>() : "";
}

std::vector<HookCommand> installed_hooks(Dialect dialect, const std::string& text) {
    if (dialect == Dialect::opencode) return plugin_hooks(text);
    return found_hooks(text, hook_list(dialect, "agentcom", ""));
}

std::vector<std::string> next_steps(Dialect dialect, Scope scope, bool http) {
    std::vector<std::string> steps;
    const auto say = [&steps](const char* text) { steps.emplace_back(text); };
    const bool hooks_lack_token = http && scope == Scope::project;
    if (hooks_lack_token || (!holds_token(dialect, scope) && dialect != Dialect::vscode)) {
        say("The project's file holds no token: set AGENTCOM_TOKEN where the client is started.");
    }
    switch (dialect) {
        case Dialect::claude:
            say("Sessions that run take it up when they are started again.");
            if (http) {
                say("Mail that waits is announced with the first prompt; an idle session is not "
                    "woken.");
            }
            break;
        case Dialect::codex:
            say("Start codex and trust the hooks when it asks (press t); until then it skips them "
                "without a word.");
            if (scope == Scope::project) say("Codex reads a project's files once it is trusted.");
            break;
        case Dialect::gemini:
            if (scope == Scope::project)
                say("Gemini reads a project's settings once the folder is trusted.");
            say("An idle session is not woken: mail is announced with the next prompt.");
            break;
        case Dialect::vscode:
            if (scope == Scope::project) say("VS Code asks for the token once.");
            say("An idle chat is not woken: mail is announced while the agent works.");
            break;
        case Dialect::cursor:
        case Dialect::copilot:
            say("An idle session is not woken: mail is announced while the agent works.");
            break;
        case Dialect::opencode:
            say("Start OpenCode again, so that it loads the plugin.");
            break;
    }
    return steps;
}

std::string shell_word(const std::string& text) {
    static constexpr const char* kPlain =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-+:@%";
    if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'') {
            out += "'\\''";
        } else {
            out += c;
        }
    }
    return out + "'";
}

}  // namespace agentcom::cli::agents
