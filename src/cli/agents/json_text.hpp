#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// Changes in the text of a JSON file that people write: comments, trailing commas, spacing and the
/// order of members stay as they are outside the place of the change. Pure functions.
namespace agentcom::cli::agents {

/// The text is not what it should be; `what()` says why and in which line, without naming the file.
class Malformed : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Names of members, from the root.
using JsonPath = std::vector<std::string>;
using JsonValue = nlohmann::ordered_json;

/// Whether both are the same to whoever reads them: the order of members does not matter.
[[nodiscard]] bool same_value(const JsonValue& one, const JsonValue& other);

/// The value at this path; discarded when there is none. Throws Malformed, also when the text is
/// not an object, as all functions here. An empty text, or one of comments only, is an empty
/// object.
[[nodiscard]] JsonValue json_at(std::string_view text, const JsonPath& path);

/// Puts the value there, making objects on the way, or replaces what is there. Throws Malformed
/// when something on the way is no object.
[[nodiscard]] std::string json_with(std::string_view text, const JsonPath& path,
                                    const JsonValue& value);
/// Takes the member away, and the objects around it that hold nothing any more. The text as it is
/// when there is no such member.
[[nodiscard]] std::string json_without(std::string_view text, const JsonPath& path);

/// Puts the value at the end of the array there, which is made when it is missing.
[[nodiscard]] std::string json_with_element(std::string_view text, const JsonPath& array,
                                            const JsonValue& value);
/// Takes the element away, and the array and the objects around it that hold nothing any more.
[[nodiscard]] std::string json_without_element(std::string_view text, const JsonPath& array,
                                               std::size_t index);

}  // namespace agentcom::cli::agents
