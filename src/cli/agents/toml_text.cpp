#include "cli/agents/toml_text.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

namespace agentcom::cli::agents {
namespace {

toml::table parse_toml(std::string_view text) {
    try {
        return toml::parse(text);
    } catch (const toml::parse_error& error) {
        std::ostringstream line;
        line << error.source().begin.line;
        throw Malformed("is not valid TOML: " + std::string(error.description()) + " in line " +
                        line.str());
    }
}

std::vector<std::string_view> split_lines(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::size_t size = end == std::string_view::npos ? text.size() : end + 1;
        lines.push_back(text.substr(0, size));
        text.remove_prefix(size);
    }
    return lines;
}

std::string join_lines(const std::vector<std::string_view>& lines) {
    std::string text;
    for (const std::string_view line : lines) text += line;
    return text;
}

/// The first lines, from 1, of everything below this node that begins with a heading, and of it.
void collect_headings(const toml::node& node, std::vector<std::size_t>& lines) {
    if (const toml::table* table = node.as_table()) {
        if (table->is_inline()) return;
        lines.push_back(table->source().begin.line);
        for (const auto& [key, value] : *table) collect_headings(value, lines);
    } else if (const toml::array* array = node.as_array()) {
        for (const toml::node& element : *array) {
            if (element.is_table()) collect_headings(element, lines);
        }
    }
}

struct LineRange {
    std::size_t begin = 0;  // from 0
    std::size_t end = 0;
};

bool is_remark(std::string_view line) {
    const std::size_t first = line.find_first_not_of(" \t\r\n");
    return first == std::string_view::npos || line[first] == '#';
}

/// From the heading in that line to the next one; blank lines and comments in front of that belong
/// to what follows.
LineRange extent(const toml::table& root, const std::vector<std::string_view>& lines,
                 std::size_t heading) {
    std::vector<std::size_t> headings;
    for (const auto& [key, value] : root) collect_headings(value, headings);
    std::size_t next = lines.size() + 1;
    for (const std::size_t line : headings) {
        if (line > heading) next = std::min(next, line);
    }
    LineRange range{heading - 1, next - 1};
    while (next <= lines.size() && range.end > range.begin + 1 && is_remark(lines[range.end - 1])) {
        --range.end;
    }
    return range;
}

/// The table when it has a heading of its own.
const toml::table* find_heading(const toml::table& root, const TomlTable& wanted) {
    const toml::node* outer = root.get(wanted.outer);
    if (outer == nullptr) return nullptr;
    const toml::table* outer_table = outer->as_table();
    if (outer_table == nullptr || outer_table->is_inline()) {
        throw Malformed("has a value '" + wanted.outer + "' that is not written as tables");
    }
    const toml::node* node = outer_table->get(wanted.name);
    if (node == nullptr) return nullptr;
    const toml::table* table = node->as_table();
    if (table == nullptr || table->is_inline()) {
        throw Malformed("has '" + wanted.outer + "." + wanted.name +
                        "' written as one value, not as a table");
    }
    return table;
}

/// Whether the line is the heading of exactly this table, and not of one below it.
bool is_heading(std::string_view line, const TomlTable& table) {
    std::string plain;
    for (const char c : line.substr(0, line.find('#'))) {
        if (std::string_view(" \t\r\n\"'").find(c) == std::string_view::npos) plain += c;
    }
    return plain == "[" + table.outer + "." + table.name + "]";
}

std::string body_of(const TomlTable& table) {
    std::string text;
    for (const auto& [key, value] : table.values) text += key + " = " + value + "\n";
    return text;
}

bool same_value(const toml::node& node, const std::string& written) {
    const toml::table wanted = toml::parse("v = " + written);
    std::ostringstream left;
    std::ostringstream right;
    node.visit([&left](const auto& value) { left << value; });
    wanted.get("v")->visit([&right](const auto& value) { right << value; });
    return left.str() == right.str();
}

bool holds(const toml::table& found, const TomlTable& table,
           const std::vector<std::string>& unwanted) {
    return std::all_of(table.values.begin(), table.values.end(),
                       [&found](const auto& entry) {
                           const toml::node* node = found.get(entry.first);
                           return node != nullptr && same_value(*node, entry.second);
                       }) &&
           std::none_of(unwanted.begin(), unwanted.end(),
                        [&found](const auto& key) { return found.contains(key); });
}

/// The lines of the table without those of its keys that are ours.
std::string other_lines(const toml::table& found, const TomlTable& table,
                        const std::vector<std::string>& unwanted,
                        const std::vector<std::string_view>& lines, const LineRange& range) {
    std::vector<bool> dropped(lines.size(), false);
    const auto drop = [&](const std::string& key) {
        const toml::node* node = found.get(key);
        if (node == nullptr) return;
        if (node->is_table() && !node->as_table()->is_inline()) {
            throw Malformed("has '" + key + "' of '" + table.outer + "." + table.name +
                            "' as a table of its own");
        }
        for (std::size_t line = node->source().begin.line; line <= node->source().end.line;
             ++line) {
            dropped[line - 1] = true;
        }
    };
    for (const auto& [key, value] : table.values) drop(key);
    for (const std::string& key : unwanted) drop(key);
    std::string text;
    for (std::size_t line = range.begin + 1; line < range.end; ++line) {
        if (!dropped[line]) text += lines[line];
    }
    return text;
}

std::string checked(std::string text) {
    (void)parse_toml(text);
    return text;
}

}  // namespace

std::string toml_with(std::string_view text, const TomlTable& table,
                      const std::vector<std::string>& unwanted) {
    const toml::table root = parse_toml(text);
    const toml::table* found = find_heading(root, table);
    const std::string heading = "[" + table.outer + "." + table.name + "]\n";
    if (found == nullptr) {
        std::string out(text);
        if (!out.empty() && out.back() != '\n') out += '\n';
        if (!out.empty()) out += '\n';
        return checked(out + heading + body_of(table));
    }
    if (holds(*found, table, unwanted)) return std::string(text);
    const auto lines = split_lines(text);
    const std::size_t line = found->source().begin.line;
    if (line == 0 || line > lines.size() || !is_heading(lines[line - 1], table)) {
        throw Malformed("has '" + table.outer + "." + table.name +
                        "' without a heading of its own");
    }
    const LineRange range = extent(root, lines, line);
    std::string out =
        join_lines({lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(line)});
    out += body_of(table) + other_lines(*found, table, unwanted, lines, range);
    out += join_lines({lines.begin() + static_cast<std::ptrdiff_t>(range.end), lines.end()});
    return checked(std::move(out));
}

std::string toml_without(std::string_view text, const TomlTable& table) {
    const toml::table root = parse_toml(text);
    const toml::table* found = find_heading(root, table);
    if (found == nullptr) return std::string(text);
    std::vector<std::size_t> headings;
    collect_headings(*found, headings);
    auto lines = split_lines(text);
    std::vector<bool> dropped(lines.size(), false);
    for (const std::size_t heading : headings) {
        if (heading == 0 || heading > lines.size() || is_remark(lines[heading - 1]) ||
            lines[heading - 1].find('[') == std::string_view::npos) {
            throw Malformed("has '" + table.outer + "." + table.name +
                            "' without a heading of its own");
        }
        const LineRange range = extent(root, lines, heading);
        for (std::size_t line = range.begin; line < range.end; ++line) dropped[line] = true;
        // The blank line that sets it off from what stands before.
        if (range.begin > 0 &&
            lines[range.begin - 1].find_first_not_of(" \t\r\n") == std::string_view::npos) {
            dropped[range.begin - 1] = true;
        }
    }
    std::vector<std::string_view> kept;
    for (std::size_t line = 0; line < lines.size(); ++line) {
        if (!dropped[line]) kept.push_back(lines[line]);
    }
    return checked(join_lines(kept));
}

std::optional<std::string> toml_text_at(std::string_view text,
                                        const std::vector<std::string>& path) {
    const toml::table root = parse_toml(text);
    const toml::node* node = &root;
    for (const std::string& name : path) {
        const toml::table* table = node->as_table();
        node = table == nullptr ? nullptr : table->get(name);
        if (node == nullptr) return std::nullopt;
    }
    return node->value<std::string>();
}

}  // namespace agentcom::cli::agents
