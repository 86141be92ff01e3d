#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Log lines that carry fields besides their text, such as the id of a request. Whatever is logged
/// with takes a text alone, so the fields stand before it, in a form that no text begins with; who
/// writes the lines takes them apart again. Pure functions.
namespace agentcom::core {

struct LogField {
    std::string_view name;   // letters and underscores
    std::string_view value;  // empty: there is none; control characters are left out
};

/// The line to be logged.
[[nodiscard]] std::string with_fields(std::span<const LogField> fields, std::string_view text);

struct LogLine {
    std::vector<LogField> fields;
    std::string_view text;
};
/// What was put together, as views of `line`, which may also be one without fields.
[[nodiscard]] LogLine read_log_line(std::string_view line);

}  // namespace agentcom::core
