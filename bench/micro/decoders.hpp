#pragma once

#include <optional>
#include <string>
#include <string_view>

/// One client frame read in several ways, so that the hub's own scanner can be measured against
/// what a library would cost in its place. Each way checks the whole text, and hands out the same
/// fields as strings of their own; the payload as JSON text, for that is what the log keeps.
namespace agentcom::bench {

struct FrameFields {
    std::string type;
    std::string to;
    std::string channel;
    std::string message_type;
    std::string payload;  // JSON text; its spelling may differ from what was sent
    std::string reply_to;
    std::string idempotency_key;
    std::string ref;
};

/// Nothing when the text is not a JSON object.
using Decoder = std::optional<FrameFields> (*)(std::string_view text);

/// The hub's scanner; decode_frame is this, the rules of the fields and a typed request.
[[nodiscard]] std::optional<FrameFields> scan_fields(std::string_view text);
/// nlohmann/json: a tree, the payload written out again.
[[nodiscard]] std::optional<FrameFields> nlohmann_tree(std::string_view text);
/// nlohmann/json's SAX interface. It does not say where a value stands in the text, so the payload
/// is written out again as its events come.
[[nodiscard]] std::optional<FrameFields> nlohmann_events(std::string_view text);
/// Boost.JSON: a tree in a buffer on the stack, the payload written out again.
[[nodiscard]] std::optional<FrameFields> boost_tree(std::string_view text);
/// Boost.JSON's basic_parser. As for SAX, the payload is written out again.
[[nodiscard]] std::optional<FrameFields> boost_events(std::string_view text);

}  // namespace agentcom::bench
