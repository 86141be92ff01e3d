#include "cli/json_view.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "cli/terminal_text.hpp"

namespace agentcom::cli {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::size_t skip_blanks(std::string_view text, std::size_t at) {
    return std::min(text.find_first_not_of(kBlanks, at), text.size());
}

/// Behind the string that begins at `at`.
std::size_t skip_string(std::string_view text, std::size_t at) {
    for (++at; at < text.size() && text[at] != '"'; ++at) {
        at += text[at] == '\\' ? 1 : 0;
    }
    return std::min(at + 1, text.size());
}

/// Behind the value that begins at `at`.
std::size_t skip_value(std::string_view text, std::size_t at) {
    std::size_t depth = 0;
    while (at < text.size()) {
        const char c = text[at];
        if (c == '"') {
            at = skip_string(text, at);
        } else if (c == '{' || c == '[') {
            ++depth;
            ++at;
            continue;
        } else if (c == '}' || c == ']') {
            if (depth == 0) {
                return at;
            }
            --depth;
            ++at;
        } else if (depth == 0 && c != ',' && c != ':') {
            return std::min(text.find_first_of(",]} \t\r\n", at), text.size());
        } else {
            if (depth == 0) {
                return at;
            }
            ++at;
            continue;
        }
        if (depth == 0) {
            return at;
        }
    }
    return at;
}

}  // namespace

JsonView::JsonView(std::string_view text) {
    const std::size_t begin = skip_blanks(text, 0);
    text_ = text.substr(begin, skip_value(text, begin) - begin);
}

std::vector<std::pair<std::string, JsonView>> JsonView::members() const {
    std::vector<std::pair<std::string, JsonView>> all;
    if (!is_object()) {
        return all;
    }
    std::size_t at = skip_blanks(text_, 1);
    while (at < text_.size() && text_[at] == '"') {
        const std::size_t end = skip_string(text_, at);
        std::string key = JsonView(text_.substr(at, end - at)).text();
        at = skip_blanks(text_, end);
        if (at >= text_.size() || text_[at] != ':') {
            break;
        }
        at = skip_blanks(text_, at + 1);
        const std::size_t behind = skip_value(text_, at);
        all.emplace_back(std::move(key), JsonView(text_.substr(at, behind - at)));
        at = skip_blanks(text_, behind);
        if (at < text_.size() && text_[at] == ',') {
            at = skip_blanks(text_, at + 1);
        }
    }
    return all;
}

JsonView JsonView::operator[](std::string_view key) const {
    for (auto& [name, value] : members()) {
        if (name == key) {
            return value;
        }
    }
    return {};
}

std::vector<JsonView> JsonView::elements() const {
    std::vector<JsonView> all;
    if (!is_array()) {
        return all;
    }
    std::size_t at = skip_blanks(text_, 1);
    while (at < text_.size() && text_[at] != ']') {
        const std::size_t behind = skip_value(text_, at);
        if (behind == at) {
            break;
        }
        all.emplace_back(text_.substr(at, behind - at));
        at = skip_blanks(text_, behind);
        if (at < text_.size() && text_[at] == ',') {
            at = skip_blanks(text_, at + 1);
        }
    }
    return all;
}

std::string JsonView::text() const {
    if (is_null()) {
        return {};
    }
    if (is_text()) {
        const auto parsed = nlohmann::json::parse(text_, nullptr, false);
        if (parsed.is_string()) {
            return parsed.get<std::string>();
        }
    }
    return std::string(text_);
}

std::optional<std::int64_t> JsonView::number() const {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    return error == std::errc{} && end == text_.data() + text_.size() && !text_.empty()
               ? std::optional(value)
               : std::nullopt;
}

std::string json_text(std::string_view text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string one_line(std::string_view json) {
    // Between strings JSON has no other control characters than these, and within them neither.
    std::string flat(json);
    std::ranges::replace_if(
        flat, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
    return escape_controls(flat);
}

}  // namespace agentcom::cli
