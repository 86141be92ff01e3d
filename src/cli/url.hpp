#pragma once

#include <string>
#include <string_view>

namespace agentcom::cli {

/// The parts of a hub's URL.
struct Url {
    bool tls = false;
    std::string host;       // without the brackets of an IPv6 address
    std::string port;       // digits
    std::string authority;  // host and port as they are written in `Host`
    std::string path;       // in front of every target; empty, or "/hub"

    /// Throws HubError (address) with a sentence that says what is wrong.
    [[nodiscard]] static Url parse(std::string_view text);
};

}  // namespace agentcom::cli
