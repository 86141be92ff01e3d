#include "agentcom/protocol/json_scanner.hpp"

#include <cstring>
#include <utility>

#include "agentcom/core/utf8.hpp"
#include "agentcom/protocol/codec.hpp"

namespace agentcom::protocol {

namespace {

constexpr std::uint64_t kOnes = 0x0101'0101'0101'0101ULL;
constexpr std::uint64_t kHighs = 0x8080'8080'8080'8080ULL;

std::uint64_t load8(const char* at) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    return word;
}

/// Non-zero when some byte of the word is zero (Mycroft's test; exact about "some", which is all
/// that is asked here).
constexpr std::uint64_t has_zero(std::uint64_t word) noexcept {
    return (word - kOnes) & ~word & kHighs;
}

/// Whether some of eight bytes ends a run of plain string characters.
bool has_special(std::uint64_t word) noexcept {
    const std::uint64_t quote = has_zero(word ^ (kOnes * '"'));
    const std::uint64_t backslash = has_zero(word ^ (kOnes * '\\'));
    const std::uint64_t control = (word - kOnes * 0x20) & ~word & kHighs;
    return (quote | backslash | control) != 0;
}

bool is_ascii(std::string_view text) noexcept {
    std::uint64_t seen = 0;
    std::size_t i = 0;
    for (; i + 8 <= text.size(); i += 8) seen |= load8(text.data() + i);
    for (; i < text.size(); ++i) seen |= static_cast<unsigned char>(text[i]);
    return (seen & kHighs) == 0;
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

int hex_digit(char c) noexcept {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

unsigned hex4(std::string_view digits) noexcept {
    unsigned unit = 0;
    for (const char c : digits.substr(0, 4)) unit = unit * 16 + static_cast<unsigned>(hex_digit(c));
    return unit;
}

constexpr bool is_high_surrogate(unsigned unit) { return unit >= 0xD800 && unit < 0xDC00; }
constexpr bool is_low_surrogate(unsigned unit) { return unit >= 0xDC00 && unit < 0xE000; }

}  // namespace

std::optional<JsonKind> JsonScanner::open() {
    if (!is_ascii(text_) && !core::is_valid_utf8(text_)) return std::nullopt;
    skip_space();
    if (at_ == text_.size()) return std::nullopt;
    if (text_[at_] == '{') {
        ++at_;
        outer_depth_ = 1;
        return JsonKind::object;
    }
    JsonValue value;
    if (!read_value(value) || !at_end()) return std::nullopt;
    return value.kind;
}

JsonScanner::Step JsonScanner::next(Member& member) {
    skip_space();
    if (at_ == text_.size()) return Step::invalid;
    if (text_[at_] == '}') {
        // After a comma a member must follow; `first_` or the end of a member allows the brace.
        ++at_;
        return at_end() ? Step::end : Step::invalid;
    }
    if (!std::exchange(first_, false)) {
        if (text_[at_] != ',') return Step::invalid;
        ++at_;
        skip_space();
    }
    const std::size_t key_begin = at_ + 1;
    if (at_ == text_.size() || text_[at_] != '"' || !read_string(member.key_escaped)) {
        return Step::invalid;
    }
    member.key = text_.substr(key_begin, at_ - 1 - key_begin);
    skip_space();
    if (at_ == text_.size() || text_[at_] != ':') return Step::invalid;
    ++at_;
    skip_space();
    return read_value(member.value) ? Step::member : Step::invalid;
}

std::string JsonScanner::Member::name() const { return decode_json_string(quoted(), key_escaped); }

std::optional<std::vector<std::pair<std::string, JsonValue>>> JsonScanner::members(
    std::string_view object) {
    JsonScanner scanner(object, kMaxJsonDepth);
    if (scanner.open() != JsonKind::object) return std::nullopt;
    std::vector<std::pair<std::string, JsonValue>> found;
    Member member;
    while (true) {
        switch (scanner.next(member)) {
            case Step::invalid:
                return std::nullopt;
            case Step::end:
                return found;
            case Step::member:
                break;
        }
        found.emplace_back(member.name(), member.value);
    }
}

std::vector<JsonValue> JsonScanner::elements(std::string_view array) {
    std::vector<JsonValue> found;
    JsonScanner scanner(array, kMaxJsonDepth);
    scanner.at_ = 1;
    scanner.skip_space();
    JsonValue value;
    while (scanner.at_ < array.size() && array[scanner.at_] != ']' && scanner.read_value(value)) {
        found.push_back(value);
        scanner.skip_space();
        if (scanner.at_ < array.size() && array[scanner.at_] == ',') ++scanner.at_;
        scanner.skip_space();
    }
    return found;
}

void JsonScanner::skip_space() noexcept {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
        ++at_;
    }
}

bool JsonScanner::at_end() noexcept {
    skip_space();
    return at_ == text_.size();
}

bool JsonScanner::read_value(JsonValue& value) {
    if (at_ == text_.size()) return false;
    const char c = text_[at_];
    return c == '{' || c == '[' ? read_container(value) : read_scalar(value);
}

bool JsonScanner::read_scalar(JsonValue& value) {
    const std::size_t begin = at_;
    bool good = false;
    value.escaped = false;
    switch (text_[at_]) {
        case '"':
            value.kind = JsonKind::string;
            good = read_string(value.escaped);
            break;
        case 't':
            value.kind = JsonKind::boolean;
            good = read_literal("true");
            break;
        case 'f':
            value.kind = JsonKind::boolean;
            good = read_literal("false");
            break;
        case 'n':
            value.kind = JsonKind::null;
            good = read_literal("null");
            break;
        default:
            value.kind = JsonKind::number;
            good = read_number();
            break;
    }
    value.raw = text_.substr(begin, at_ - begin);
    return good;
}

bool JsonScanner::read_key() {
    bool escaped = false;
    if (at_ == text_.size() || text_[at_] != '"' || !read_string(escaped)) return false;
    skip_space();
    if (at_ == text_.size() || text_[at_] != ':') return false;
    ++at_;
    skip_space();
    return true;
}

bool JsonScanner::read_container(JsonValue& value) {
    // One bit per open container, the innermost lowest: 1 for an object; kMaxJsonDepth levels fit.
    const std::size_t begin = at_;
    value.kind = text_[at_] == '{' ? JsonKind::object : JsonKind::array;
    value.escaped = false;
    std::uint64_t open = 0;
    std::size_t depth = 0;
    const std::size_t deepest = max_depth_ - outer_depth_;
    bool expect_value = true;  // at the beginning of a value, as opposed to behind one
    while (true) {
        if (at_ == text_.size()) return false;
        const char c = text_[at_];
        if (expect_value && (c == '{' || c == '[')) {
            if (++depth > deepest) return false;
            open = (open << 1) | (c == '{' ? 1U : 0U);
            ++at_;
            skip_space();
            if (at_ == text_.size()) return false;
            if (text_[at_] == (c == '{' ? '}' : ']')) {
                expect_value = false;
            } else if (c == '{' && !read_key()) {
                return false;
            }
            continue;
        }
        if (expect_value) {
            JsonValue scalar;
            if (!read_scalar(scalar)) return false;
            expect_value = false;
            skip_space();
            continue;
        }
        const bool in_object = (open & 1U) != 0;
        if (c == (in_object ? '}' : ']')) {
            ++at_;
            open >>= 1;
            if (--depth == 0) break;
            skip_space();
            continue;
        }
        if (c != ',') return false;
        ++at_;
        skip_space();
        if (in_object && !read_key()) return false;
        expect_value = true;
    }
    value.raw = text_.substr(begin, at_ - begin);
    return true;
}

bool JsonScanner::read_string(bool& escaped) {
    escaped = false;
    ++at_;
    const std::size_t size = text_.size();
    while (true) {
        while (at_ + 8 <= size && !has_special(load8(text_.data() + at_))) at_ += 8;
        if (at_ == size) return false;
        const char c = text_[at_];
        if (c == '"') {
            ++at_;
            return true;
        }
        if (c == '\\') {
            escaped = true;
            if (!read_escape()) return false;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            return false;
        } else {
            ++at_;
        }
    }
}

bool JsonScanner::read_escape() {
    ++at_;
    if (at_ == text_.size()) return false;
    const char c = text_[at_++];
    if (c != 'u') return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
    unsigned unit = 0;
    if (!read_hex4(unit) || is_low_surrogate(unit)) return false;
    if (!is_high_surrogate(unit)) return true;
    if (text_.substr(at_, 2) != "\\u") return false;
    at_ += 2;
    return read_hex4(unit) && is_low_surrogate(unit);
}

bool JsonScanner::read_hex4(unsigned& unit) {
    if (text_.size() - at_ < 4) return false;
    for (std::size_t i = 0; i < 4; ++i) {
        if (hex_digit(text_[at_ + i]) < 0) return false;
    }
    unit = hex4(text_.substr(at_));
    at_ += 4;
    return true;
}

bool JsonScanner::read_number() {
    const auto digits = [this] {
        const std::size_t begin = at_;
        while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
        return at_ > begin;
    };
    const auto peek = [this](char c) { return at_ < text_.size() && text_[at_] == c; };
    if (peek('-')) ++at_;
    if (peek('0')) {
        ++at_;
    } else if (!digits()) {
        return false;
    }
    if (peek('.')) {
        ++at_;
        if (!digits()) return false;
    }
    if (peek('e') || peek('E')) {
        ++at_;
        if (peek('+') || peek('-')) ++at_;
        if (!digits()) return false;
    }
    return true;
}

bool JsonScanner::read_literal(std::string_view literal) {
    if (text_.substr(at_, literal.size()) != literal) return false;
    at_ += literal.size();
    return true;
}

std::string decode_json_string(std::string_view raw, bool escaped) {
    const std::string_view inner = raw.substr(1, raw.size() - 2);
    if (!escaped) return std::string(inner);
    std::string out;
    out.reserve(inner.size());
    for (std::size_t i = 0; i < inner.size(); ++i) {
        if (inner[i] != '\\') {
            out.push_back(inner[i]);
            continue;
        }
        switch (inner[++i]) {
            case 'b':
                out.push_back('\b');
                break;
            case 'f':
                out.push_back('\f');
                break;
            case 'n':
                out.push_back('\n');
                break;
            case 'r':
                out.push_back('\r');
                break;
            case 't':
                out.push_back('\t');
                break;
            case 'u': {
                unsigned code = hex4(inner.substr(i + 1));
                i += 4;
                if (is_high_surrogate(code)) {
                    const unsigned low = hex4(inner.substr(i + 3));
                    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                    i += 6;
                }
                core::append_utf8(out, code);
                break;
            }
            default:
                out.push_back(inner[i]);
                break;
        }
    }
    return out;
}

}  // namespace agentcom::protocol
