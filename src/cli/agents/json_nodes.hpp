#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cli/agents/json_text.hpp"

namespace agentcom::cli::agents {

/// One value of a JSON text and where it stands.
struct JsonNode {
    enum class Kind { object, array, scalar };
    Kind kind = Kind::scalar;
    std::string name;       // of the member it is
    std::size_t entry = 0;  // where its entry begins: the name of a member, or the value
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t comma = 0;  // where the comma after it stands; 0 without
    std::vector<JsonNode> children{};

    /// The member of this name, the last if there are several, as parsers take it.
    [[nodiscard]] const JsonNode* find(std::string_view member) const noexcept;
};

/// Reads JSON with // and /* */ comments, trailing commas and a byte order mark. Throws Malformed.
/// A text without any value gives a node without extent, at the end of the text.
[[nodiscard]] JsonNode read_json(std::string_view text);
/// The value of a node of that text.
[[nodiscard]] JsonValue json_value(std::string_view text, const JsonNode& node);

}  // namespace agentcom::cli::agents
