#include "cli/agents/json_nodes.hpp"

#include <algorithm>

namespace agentcom::cli::agents {
namespace {

constexpr int kMaxNesting = 200;

class JsonReader {
public:
    explicit JsonReader(std::string_view text) : text_(text) {
        if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
    }

    JsonNode root() {
        skip();
        if (done()) {
            JsonNode none;
            none.kind = JsonNode::Kind::object;
            none.begin = none.end = text_.size();
            return none;
        }
        JsonNode node = value(0);
        skip();
        if (!done()) fail("something follows the value");
        return node;
    }

private:
    [[nodiscard]] bool done() const { return at_ >= text_.size(); }
    [[nodiscard]] char peek() const { return done() ? '\0' : text_[at_]; }

    [[noreturn]] void fail(const std::string& what) const {
        const auto before = text_.substr(0, std::min(at_, text_.size()));
        const auto line = 1 + std::count(before.begin(), before.end(), '\n');
        throw Malformed("is not valid JSON: " + what + " in line " + std::to_string(line));
    }

    void skip() {
        while (!done()) {
            const std::string_view rest = text_.substr(at_);
            if (rest.starts_with("//")) {
                at_ = std::min(text_.find('\n', at_), text_.size());
            } else if (rest.starts_with("/*")) {
                const std::size_t close = text_.find("*/", at_ + 2);
                if (close == std::string_view::npos) fail("a comment does not end");
                at_ = close + 2;
            } else if (std::string_view(" \t\r\n").find(rest[0]) != std::string_view::npos) {
                ++at_;
            } else {
                return;
            }
        }
    }

    JsonNode value(int nesting) {
        if (nesting > kMaxNesting) fail("it is nested too deeply");
        JsonNode node;
        node.entry = node.begin = at_;
        if (peek() == '{' || peek() == '[') {
            container(node, nesting);
        } else if (peek() == '"') {
            string();
        } else {
            word();
        }
        node.end = at_;
        return node;
    }

    void container(JsonNode& node, int nesting) {
        const bool object = peek() == '{';
        const char close = object ? '}' : ']';
        node.kind = object ? JsonNode::Kind::object : JsonNode::Kind::array;
        ++at_;
        for (skip(); peek() != close; skip()) {
            if (done()) fail(object ? "an object does not end" : "a list does not end");
            if (!node.children.empty() && node.children.back().comma == 0) {
                fail("a comma is missing");
            }
            node.children.push_back(object ? member(nesting) : value(nesting + 1));
            skip();
            if (peek() == ',') node.children.back().comma = at_++;
        }
        ++at_;
    }

    JsonNode member(int nesting) {
        const std::size_t entry = at_;
        if (peek() != '"') fail("the name of a member is missing");
        const auto name = parsed(string());
        skip();
        if (peek() != ':') fail("a colon is missing");
        ++at_;
        skip();
        JsonNode node = value(nesting + 1);
        node.name = name.get<std::string>();
        node.entry = entry;
        return node;
    }

    std::string_view string() {
        const std::size_t begin = at_++;
        while (peek() != '"') {
            if (done() || peek() == '\n') fail("a string does not end");
            at_ += peek() == '\\' ? 2 : 1;
        }
        ++at_;
        const auto found = text_.substr(begin, at_ - begin);
        (void)parsed(found);
        return found;
    }

    void word() {
        const std::size_t begin = at_;
        while (!done() &&
               std::string_view(" \t\r\n,:{}[]\"/").find(peek()) == std::string_view::npos) {
            ++at_;
        }
        if (at_ == begin) fail("a value is missing");
        (void)parsed(text_.substr(begin, at_ - begin));
    }

    JsonValue parsed(std::string_view scalar) const {
        auto json = JsonValue::parse(scalar, nullptr, false);
        if (json.is_discarded()) fail("an unknown word or a faulty string");
        return json;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

const JsonNode* JsonNode::find(std::string_view member) const noexcept {
    for (auto child = children.rbegin(); child != children.rend(); ++child) {
        if (kind == Kind::object && child->name == member) return &*child;
    }
    return nullptr;
}

JsonNode read_json(std::string_view text) { return JsonReader(text).root(); }

JsonValue json_value(std::string_view text, const JsonNode& node) {
    if (node.kind == JsonNode::Kind::scalar) {
        return JsonValue::parse(text.substr(node.begin, node.end - node.begin));
    }
    auto value = node.kind == JsonNode::Kind::object ? JsonValue::object() : JsonValue::array();
    for (const JsonNode& child : node.children) {
        if (node.kind == JsonNode::Kind::object) {
            value[child.name] = json_value(text, child);
        } else {
            value.push_back(json_value(text, child));
        }
    }
    return value;
}

}  // namespace agentcom::cli::agents
