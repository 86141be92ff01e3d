#pragma once

#include <string>

#include "agentcom/cli/hub_client.hpp"

namespace agentcom::cli {

/// What every command of the client takes; empty: not given.
struct ContextFlags {
    std::string context;
    std::string url;
    std::string token_file;  // "-" is standard input
    std::string ca_file;
};

/// Which hub a command talks to and as whom.
struct Context {
    static constexpr const char* kDefaultUrl = "http://127.0.0.1:4000";

    std::string name;  // of the stored context that was used; empty without
    HubAddress hub;
    std::string token;  // empty: there is none
    std::string agent;  // whom the token belongs to; empty: only the hub knows

    /// Flags come before the variables AGENTCOM_CONTEXT, AGENTCOM_URL, AGENTCOM_TOKEN,
    /// AGENTCOM_AGENT and AGENTCOM_CA_FILE, and these before the stored context. A stored token
    /// goes to its own hub only: with another URL it is left out. The URL has no slash at its end,
    /// and the file of certificates is named from the root. Throws std::runtime_error with one
    /// sentence, which never holds a token.
    [[nodiscard]] static Context resolve(const ContextFlags& flags);
};

/// A URL with or without a slash at its end means the same.
[[nodiscard]] std::string without_slash(std::string url);

/// What the variable AGENTCOM_TOKEN holds, blanks around it dropped; empty without.
[[nodiscard]] std::string token_variable();

/// The token in a file, or on standard input for "-": 64 hexadecimal digits, the first line that is
/// not blank, blanks around them dropped. Throws std::runtime_error.
[[nodiscard]] std::string read_token(const std::string& file);

/// The text when it is a token; throws std::runtime_error that names where it is `from` otherwise.
[[nodiscard]] std::string checked_token(const std::string& text, const std::string& from);

}  // namespace agentcom::cli
