#include "agentcom/core/log_fields.hpp"

#include <algorithm>
#include <iterator>

namespace agentcom::core {

namespace {

/// Before each field and before the text; no text of ours begins with it, and no value has it.
constexpr char kSeparator = '\x1f';

bool is_control(char c) noexcept {
    return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7f;
}

}  // namespace

std::string with_fields(std::span<const LogField> fields, std::string_view text) {
    std::string line;
    for (const LogField& field : fields) {
        if (field.value.empty()) continue;
        line += kSeparator;
        line += field.name;
        line += '=';
        std::ranges::copy_if(field.value, std::back_inserter(line),
                             [](char c) { return !is_control(c); });
    }
    if (!line.empty()) line.append(2, kSeparator);
    line += text;
    return line;
}

LogLine read_log_line(std::string_view line) {
    LogLine read{{}, line};
    while (line.starts_with(kSeparator)) {
        line.remove_prefix(1);
        if (line.starts_with(kSeparator)) {
            read.text = line.substr(1);
            return read;
        }
        const auto end = line.find(kSeparator);
        const auto equals = line.find('=');
        if (end == std::string_view::npos || equals > end) break;
        read.fields.push_back({line.substr(0, equals), line.substr(equals + 1, end - equals - 1)});
        line.remove_prefix(end);
    }
    read.fields.clear();
    return read;
}

}  // namespace agentcom::core
