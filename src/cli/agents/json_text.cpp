#include "cli/agents/json_text.hpp"

#include <algorithm>

#include "cli/agents/json_nodes.hpp"

namespace agentcom::cli::agents {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

JsonNode read_root(std::string_view text) {
    JsonNode root = read_json(text);
    if (root.kind != JsonNode::Kind::object) throw Malformed("does not hold a JSON object");
    return root;
}

/// How the file is written.
struct Manner {
    std::string newline = "\n";
    std::string unit = "  ";
};

/// The blanks at the beginning of the line in which the position lies.
std::string_view line_indent(std::string_view text, std::size_t at) {
    const std::size_t newline = text.rfind('\n', at == 0 ? 0 : at - 1);
    const std::size_t begin = at == 0 || newline == std::string_view::npos ? 0 : newline + 1;
    const std::size_t end = std::min(text.find_first_not_of(" \t", begin), text.size());
    return text.substr(begin, end - begin);
}

/// Whether nothing but blanks stands before it in its line.
bool begins_line(std::string_view text, std::size_t at) {
    const std::size_t before =
        at == 0 ? std::string_view::npos : text.find_last_not_of(" \t", at - 1);
    return before != std::string_view::npos && text[before] == '\n';
}

Manner manner_of(std::string_view text, const JsonNode& root) {
    Manner manner;
    if (text.find("\r\n") != std::string_view::npos) manner.newline = "\r\n";
    if (!root.children.empty() && begins_line(text, root.children.front().entry)) {
        const auto indent = line_indent(text, root.children.front().entry);
        if (!indent.empty()) manner.unit = indent;
    }
    return manner;
}

std::string render(const JsonValue& value, const Manner& manner, std::string_view indent) {
    const std::string plain = value.dump(static_cast<int>(manner.unit.size()), manner.unit[0]);
    std::string text;
    for (const char c : plain) {
        if (c == '\n') {
            text.append(manner.newline).append(indent);
        } else {
            text += c;
        }
    }
    return text;
}

/// The end of what stands before this position, comments included.
std::size_t end_before(std::string_view text, std::size_t at) {
    return text.find_last_not_of(kBlanks, at - 1) + 1;
}

/// Puts an entry, `"name": ` or nothing and a value, at the end of an object or array.
std::string with_entry(std::string_view text, const JsonNode& node, const Manner& manner,
                       const std::string& name, const JsonValue& value) {
    std::string out(text);
    const std::string label = name.empty() ? "" : JsonValue(name).dump() + ": ";
    const std::size_t closing = node.end - 1;
    if (!node.children.empty() && !begins_line(text, node.children.front().entry)) {
        const JsonNode& last = node.children.back();
        const bool comma = last.comma != 0;
        std::string entry = " " + label + value.dump();
        entry = comma ? entry + "," : "," + entry;
        return out.insert(comma ? last.comma + 1 : last.end, entry);
    }
    const std::string outer(line_indent(text, node.begin));
    const std::string inner = node.children.empty()
                                  ? outer + manner.unit
                                  : std::string(line_indent(text, node.children.front().entry));
    std::string entry = manner.newline + inner + label + render(value, manner, inner);
    const std::size_t place = end_before(text, closing);
    if (node.children.empty()) {
        return out.replace(place, closing - place, entry + manner.newline + outer);
    }
    const JsonNode& last = node.children.back();
    if (last.comma != 0) {
        return out.insert(place, entry + ",");
    }
    out.insert(place, entry);
    return out.insert(last.end, ",");
}

/// Whether a comment that lasts until the end of its line is open at this position. From `from` on
/// nothing but blanks and comments stands before it.
bool is_in_line_comment(std::string_view text, std::size_t from, std::size_t at) {
    while (from < at) {
        const std::string_view rest = text.substr(from);
        if (rest.starts_with("//")) {
            from = std::min(text.find('\n', from), text.size());
            if (from >= at) return true;
        } else if (rest.starts_with("/*")) {
            from = text.find("*/", from + 2) + 2;
        } else {
            ++from;
        }
    }
    return false;
}

std::string without_entry(std::string_view text, const JsonNode& node, std::size_t index) {
    std::string out(text);
    const JsonNode& gone = node.children[index];
    const std::size_t before = index == 0 ? node.begin + 1 : node.children[index - 1].comma + 1;
    const std::size_t begin = end_before(text, gone.entry);
    const std::size_t end = gone.comma != 0 ? gone.comma + 1 : gone.end;
    // What follows in the same line may not become part of a comment that ends the line before.
    const std::size_t next = std::min(text.find_first_not_of(" \t\r", end), text.size() - 1);
    const bool needs_newline = text[next] != '\n' && is_in_line_comment(text, before, begin);
    out.replace(begin, end - begin, needs_newline ? "\n" : "");
    if (gone.comma == 0 && index > 0) {
        out.erase(node.children[index - 1].comma, 1);
    }
    // An object that is empty now and holds no comment either is written as one.
    const std::size_t closing = node.end - 1 - (text.size() - out.size());
    if (node.children.size() == 1 && end_before(out, closing) == node.begin + 1) {
        out.erase(node.begin + 1, closing - node.begin - 1);
    }
    return out;
}

[[noreturn]] void refuse_kind(const std::string& name, const char* wanted) {
    throw Malformed("has a member '" + name + "' that is " + wanted);
}

/// The node at the end of the path; nothing when it is missing.
const JsonNode* follow(const JsonNode& root, const JsonPath& path) {
    const JsonNode* node = &root;
    for (const std::string& name : path) {
        node = node->find(name);
        if (node == nullptr) return nullptr;
    }
    return node;
}

/// How far the path exists; everything on it must be an object.
std::pair<const JsonNode*, std::size_t> deepest(const JsonNode& root, const JsonPath& path) {
    const JsonNode* node = &root;
    std::size_t depth = 0;
    while (depth < path.size()) {
        const JsonNode* next = node->find(path[depth]);
        if (next == nullptr) break;
        if (depth + 1 < path.size() && next->kind != JsonNode::Kind::object) {
            refuse_kind(path[depth], "not an object");
        }
        node = next;
        ++depth;
    }
    return {node, depth};
}

/// Takes away the last member of the path, or one level less while that was the only one.
std::string prune(std::string_view text, JsonPath path) {
    const JsonNode root = read_root(text);
    while (!path.empty()) {
        const std::string name = path.back();
        path.pop_back();
        const JsonNode* parent = follow(root, path);
        if (parent->children.size() == 1 && !path.empty()) continue;
        const auto child = static_cast<std::size_t>(parent->find(name) - parent->children.data());
        return without_entry(text, *parent, child);
    }
    return std::string(text);
}

}  // namespace

bool same_value(const JsonValue& one, const JsonValue& other) {
    return nlohmann::json(one) == nlohmann::json(other);
}

JsonValue json_at(std::string_view text, const JsonPath& path) {
    const JsonNode root = read_root(text);
    const JsonNode* node = follow(root, path);
    return node == nullptr ? JsonValue(JsonValue::value_t::discarded) : json_value(text, *node);
}

std::string json_with(std::string_view text, const JsonPath& path, const JsonValue& value) {
    const JsonNode root = read_root(text);
    if (root.begin == root.end) {
        const bool gap = !text.empty() && text.back() != '\n';
        return json_with(std::string(text) + (gap ? "\n" : "") + "{}\n", path, value);
    }
    const Manner manner = manner_of(text, root);
    const auto [node, depth] = deepest(root, path);
    if (depth == path.size()) {
        std::string out(text);
        return out.replace(node->begin, node->end - node->begin,
                           render(value, manner, line_indent(text, node->entry)));
    }
    JsonValue wrapped = value;
    for (std::size_t i = path.size(); i > depth + 1; --i) {
        JsonValue outer = JsonValue::object();
        outer[path[i - 1]] = std::move(wrapped);
        wrapped = std::move(outer);
    }
    return with_entry(text, *node, manner, path[depth], wrapped);
}

std::string json_without(std::string_view text, const JsonPath& path) {
    return follow(read_root(text), path) == nullptr ? std::string(text) : prune(text, path);
}

std::string json_with_element(std::string_view text, const JsonPath& array,
                              const JsonValue& value) {
    const JsonNode root = read_root(text);
    const JsonNode* node = follow(root, array);
    if (node == nullptr) return json_with(text, array, JsonValue::array({value}));
    if (node->kind != JsonNode::Kind::array) refuse_kind(array.back(), "not a list");
    return with_entry(text, *node, manner_of(text, root), "", value);
}

std::string json_without_element(std::string_view text, const JsonPath& array, std::size_t index) {
    const JsonNode root = read_root(text);
    const JsonNode* node = follow(root, array);
    if (node == nullptr || node->kind != JsonNode::Kind::array || index >= node->children.size()) {
        return std::string(text);
    }
    if (node->children.size() == 1) return prune(text, array);
    return without_entry(text, *node, index);
}

}  // namespace agentcom::cli::agents
