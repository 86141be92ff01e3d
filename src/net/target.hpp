#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace agentcom::net {

/// `%41` becomes `A`. Nothing when a percent sign is not followed by two hexadecimal digits.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);

/// A request target taken apart. Views are into the text it was made from.
struct Target {
    /// Between slashes, not decoded; doubled and trailing slashes leave no empty segments.
    std::vector<std::string_view> segments;
    std::string_view query;     // after the '?', not decoded
    bool slash_at_end = false;  // of the path
};

/// What a request asks for, beside the path (RFC 9112, 3.2).
struct TargetForm {
    /// `host[:port]` of the absolute and of the authority form; empty in the others.
    std::string_view authority;
};
/// Nothing when no request of this verb may have such a target: it is a path or a URI of http or
/// https without user information, for CONNECT `host:port`, and for OPTIONS perhaps an asterisk.
[[nodiscard]] std::optional<TargetForm> target_form(std::string_view verb, std::string_view text);

/// Understands `/path?query` and `http://host/path?query`. Anything else has no segments and so is
/// the root path.
[[nodiscard]] Target parse_target(std::string_view text);

/// Takes the segments of `base` ("/a/b", or nothing) away from the front, if they all stand there.
void remove_base(std::vector<std::string_view>& segments, std::string_view base);

/// `a=1&b=%20` as decoded pairs, in order. A '+' is a space; a broken escape stays as it is
/// written.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query);

}  // namespace agentcom::net
