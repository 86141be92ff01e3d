#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

namespace agentcom::cli {

/// A hub and who one is there, under a name of the user's own.
struct StoredContext {
    std::string url;  // as read, without a slash at its end
    std::string token;
    std::string agent;    // whom the token belongs to
    std::string ca_file;  // empty: the system's authorities
    /// `connect` made it, so `connect` may change it and take it away.
    bool made_by_connect = false;
};

/// The file of contexts, `agentcom/contexts.json` in the user's configuration directory. It holds
/// tokens: it is made with mode 0600, and one that others may read is refused. Functions throw
/// std::runtime_error with one sentence.
struct ContextFile {
    std::string current;  // the context that is used without --context; may be empty
    std::map<std::string, StoredContext> contexts;

    /// $XDG_CONFIG_HOME/agentcom/contexts.json, or ~/.config/agentcom/contexts.json.
    [[nodiscard]] static std::filesystem::path default_path();
    /// Empty when there is no file.
    [[nodiscard]] static ContextFile read(const std::filesystem::path& file);
    /// Reads, lets `edit` change, and replaces the file, while other programs that do so wait.
    static void change(const std::filesystem::path& file,
                       const std::function<void(ContextFile&)>& edit);
};

/// 1 to 64 characters of `A-Z a-z 0-9 . _ -`, the first a letter or digit.
[[nodiscard]] bool is_context_name(const std::string& name);

}  // namespace agentcom::cli
