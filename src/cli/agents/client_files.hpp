#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/agents/hook_words.hpp"

/// What `connect` changes in the files of each client. Pure: texts in, texts out.
namespace agentcom::cli::agents {

/// Where the files are that belong to the user, and to the project one stands in.
struct Places {
    std::filesystem::path home;
    std::filesystem::path project;
    // Directories that clients let the user move; empty: where they are by default.
    std::filesystem::path claude;   // CLAUDE_CONFIG_DIR
    std::filesystem::path codex;    // CODEX_HOME
    std::filesystem::path copilot;  // COPILOT_HOME
    std::filesystem::path config;   // XDG_CONFIG_HOME

    [[nodiscard]] static Places from_environment();
};

enum class Scope { user, project };

/// As whom the client speaks to which hub.
struct Account {
    std::string hub_url;
    std::string token;
    std::string context;  // name of the stored context, which hooks are told
    std::string binary;   // how a shell starts agentcom
    bool http = false;    // hooks ask the hub themselves, where the client can do that
};

/// One file and what is done to its text; a file that is not there has an empty text. `with` and
/// `without` throw Malformed, and do nothing a second time.
struct FileChange {
    std::filesystem::path path;
    /// Whose change it is: client, scope and what of the file is ours.
    std::string key;
    /// Another connection may have an entry of its own in this file: Claude Code keeps what is the
    /// user's in all projects together.
    bool shared = false;
    bool secret = false;  // the text holds the token
    std::function<std::string(const std::string&)> with;
    std::function<std::string(const std::string&)> without;
    /// Whether a text that ours was taken out of is as good as no file.
    std::function<bool(const std::string&)> is_nothing;
};

/// In the order in which they are to be written.
[[nodiscard]] std::vector<FileChange> client_files(Dialect dialect, Scope scope,
                                                   const Places& places, const Account& account);

/// What is left for the user to do, one sentence each.
[[nodiscard]] std::vector<std::string> next_steps(Dialect dialect, Scope scope, bool http);

/// A moment at which the client runs a hook, and the command line that it is given.
struct HookCommand {
    Moment moment;
    std::string command;  // empty: the client asks the hub instead
    std::string url{};
    std::string authorization{};  // the value of the header
    /// Where it stands in the event's list, from 0: "1:0" is the first hook of the second group,
    /// "1" the second hook where there are no groups; empty in a plugin.
    std::string place{};
};
/// The hooks of ours in the text of the file in which this client keeps them, or the one of its
/// plugin. Throws Malformed.
[[nodiscard]] std::vector<HookCommand> installed_hooks(Dialect dialect, const std::string& text);
/// The file that holds the hooks, or OpenCode's plugin; and the one with the hub's entry.
[[nodiscard]] std::filesystem::path hook_file(Dialect dialect, Scope scope, const Places& places);
[[nodiscard]] std::filesystem::path entry_file(Dialect dialect, Scope scope, const Places& places);
/// The URL of the entry in the text of `entry_file`; empty when there is none. Throws Malformed.
[[nodiscard]] std::string installed_url(Dialect dialect, Scope scope, const Places& places,
                                        const std::string& text);

/// A word as a POSIX shell reads it back.
[[nodiscard]] std::string shell_word(const std::string& text);

}  // namespace agentcom::cli::agents
