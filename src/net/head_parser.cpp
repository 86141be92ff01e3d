#include "net/head_parser.hpp"

#include <algorithm>
#include <span>

#include "net/text.hpp"

namespace agentcom::net {

namespace {

/// A field takes memory besides its bytes, so their number is bounded, too: one for each 128 bytes
/// that the header may have, and what any client sends in any case.
constexpr std::uint32_t kBytesPerField = 128;
constexpr std::uint32_t kFieldsAlwaysTaken = 64;

/// Room for the head of most clients, in bytes and fields.
constexpr std::size_t kUsualHead = 1'024;
constexpr std::size_t kUsualFields = 16;

/// More than a URI has, because clients write names into paths as they are; but no blanks, no
/// control characters and no fragment.
bool is_target_character(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return byte > ' ' && byte != 0x7f && c != '#';
}

bool is_value_character(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= ' ' && byte != 0x7f) || c == '\t';
}

}  // namespace

std::size_t HeadParser::take(std::string_view input) {
    // What comes at once mostly is all of it.
    if (text_.empty()) text_.reserve(std::min({input.size(), kUsualHead, std::size_t{max_bytes_}}));
    std::size_t used = 0;
    while (!complete_ && !error_ && used < input.size()) {
        const std::string_view rest = input.substr(used);
        const auto feed = rest.find('\n');
        const std::string_view piece = rest.substr(0, feed == rest.npos ? feed : feed + 1);
        if (text_.size() + piece.size() > max_bytes_) {
            fail(core::ErrorCode::header_too_large);
            break;
        }
        // What can be no request, like a TLS handshake, is not waited for.
        if (text_.empty() && !is_token_character(piece.front())) {
            fail(core::ErrorCode::bad_request);
            break;
        }
        const std::size_t before = text_.size();
        text_ += piece;
        used += piece.size();
        if (has_lone_return(before)) {
            fail(core::ErrorCode::bad_request);
        } else if (feed != rest.npos) {
            end_of_line();
        }
    }
    return used;
}

bool HeadParser::has_lone_return(std::size_t begin) const noexcept {
    // The last byte before may be one whose successor has come only now.
    for (auto at = text_.find('\r', begin - std::min<std::size_t>(begin, 1));
         at != std::string::npos && at + 1 < text_.size(); at = text_.find('\r', at + 1)) {
        if (text_[at + 1] != '\n') return true;
    }
    return false;
}

void HeadParser::end_of_line() {
    std::string_view line = std::string_view(text_).substr(line_);
    line_ = static_cast<std::uint32_t>(text_.size());
    line.remove_suffix(1);
    if (!line.ends_with('\r')) return fail(core::ErrorCode::bad_request);
    line.remove_suffix(1);
    if (verb_.size == 0) {
        read_request_line(line);
    } else if (line.empty()) {
        complete_ = true;
    } else {
        read_field(line);
    }
}

void HeadParser::read_request_line(std::string_view line) {
    constexpr std::string_view kVersion = "HTTP/1.";
    const auto first = line.find(' ');
    const auto second = line.find(' ', std::min(first, line.size() - 1) + 1);
    if (second == std::string_view::npos) return fail(core::ErrorCode::bad_request);
    const std::string_view verb = line.substr(0, first);
    const std::string_view target = line.substr(first + 1, second - first - 1);
    const std::string_view version = line.substr(second + 1);
    if (!is_token(verb) || target.empty() || !std::ranges::all_of(target, is_target_character) ||
        version.size() != kVersion.size() + 1 || !version.starts_with(kVersion) ||
        version.back() < '0' || version.back() > '9') {
        return fail(core::ErrorCode::bad_request);
    }
    verb_ = part(verb);
    target_ = part(target);
    http_1_0_ = version.back() == '0';
    fields_.reserve(kUsualFields);
}

void HeadParser::read_field(std::string_view line) {
    const std::uint32_t most = std::max(max_bytes_ / kBytesPerField, kFieldsAlwaysTaken);
    if (fields_.size() >= most) return fail(core::ErrorCode::header_too_large);
    const auto colon = std::min(line.find(':'), line.size());
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trim(line.substr(std::min(colon + 1, line.size())));
    if (colon == line.size() || !is_token(name) ||
        !std::ranges::all_of(value, is_value_character)) {
        return fail(core::ErrorCode::bad_request);
    }
    const Field field{part(name), part(value)};
    lower_in_place(std::span(text_).subspan(field.name.begin, field.name.size));
    fields_.push_back(field);
}

std::optional<std::string_view> HeadParser::field(std::string_view name) const noexcept {
    const auto found =
        std::ranges::find_if(fields_, [&](const Field& field) { return view(field.name) == name; });
    return found == fields_.end() ? std::nullopt : std::optional(view(found->value));
}

std::size_t HeadParser::count(std::string_view name) const noexcept {
    return static_cast<std::size_t>(std::ranges::count_if(
        fields_, [&](const Field& field) { return view(field.name) == name; }));
}

std::optional<std::string> HeadParser::list(std::string_view name) const {
    std::optional<std::string> all;
    for (const Field& field : fields_) {
        if (view(field.name) != name) continue;
        if (all) {
            *all += ',';
        } else {
            all.emplace();
        }
        *all += view(field.value);
    }
    return all;
}

std::size_t HeadParser::held() const noexcept {
    return text_.capacity() + fields_.capacity() * sizeof(Field);
}

std::vector<std::string_view> list_members(std::string_view list) {
    std::vector<std::string_view> members;
    while (!list.empty()) {
        const auto end = std::min(list.find(','), list.size());
        const std::string_view member = trim(list.substr(0, end));
        if (!member.empty()) members.push_back(member);
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return members;
}

bool list_has(std::string_view list, std::string_view wanted) {
    return std::ranges::any_of(list_members(list), [&](std::string_view member) {
        return equal_ignoring_case(member, wanted);
    });
}

}  // namespace agentcom::net
