#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agentcom/core/error.hpp"

namespace agentcom::net {

/// Takes the head of one HTTP/1 request (RFC 9112, 2 to 5) out of the bytes as they come, and by
/// its letter: what other programs on the way might read in another way is refused. So one CRLF
/// ends each line, one space stands between the parts of the request line, nothing between a
/// field's name and its colon, no line goes on in the next, and there are no control characters.
/// Every byte is consumed at once; what is kept is bounded by `max_bytes`.
class HeadParser {
public:
    explicit HeadParser(std::uint32_t max_bytes) : max_bytes_(max_bytes) {}

    /// Consumes what belongs to the head; how much. Ends after its empty line, and at an error.
    std::size_t take(std::string_view input);

    [[nodiscard]] bool complete() const noexcept { return complete_; }
    /// bad_request or header_too_large.
    [[nodiscard]] std::optional<core::ErrorCode> error() const noexcept { return error_; }

    // Of a head that is not complete, what has been read of it so far. Views are into this object.
    [[nodiscard]] std::string_view verb() const noexcept { return view(verb_); }
    [[nodiscard]] std::string_view target() const noexcept { return view(target_); }
    /// HTTP/1.0; later minor versions are read as 1.1.
    [[nodiscard]] bool is_http_1_0() const noexcept { return http_1_0_; }
    /// The field of this name, which is in lower case; the first of several.
    [[nodiscard]] std::optional<std::string_view> field(std::string_view name) const noexcept;
    [[nodiscard]] std::size_t count(std::string_view name) const noexcept;
    /// All fields of this name as one list (RFC 9110, 5.2); nothing when there is none.
    [[nodiscard]] std::optional<std::string> list(std::string_view name) const;
    /// About how much memory the head takes, in bytes.
    [[nodiscard]] std::size_t held() const noexcept;

private:
    /// A part of `text_`.
    struct Part {
        std::uint32_t begin = 0;
        std::uint32_t size = 0;
    };
    struct Field {
        Part name;  // lower-case
        Part value;
    };

    [[nodiscard]] std::string_view view(Part part) const noexcept {
        return std::string_view(text_).substr(part.begin, part.size);
    }
    [[nodiscard]] Part part(std::string_view piece) const noexcept {
        return {static_cast<std::uint32_t>(piece.data() - text_.data()),
                static_cast<std::uint32_t>(piece.size())};
    }
    /// Whether the text read last, from `begin` on, has a CR that no LF follows.
    [[nodiscard]] bool has_lone_return(std::size_t begin) const noexcept;
    void end_of_line();
    void read_request_line(std::string_view line);
    void read_field(std::string_view line);
    void fail(core::ErrorCode code) noexcept { error_ = code; }

    std::uint32_t max_bytes_;
    std::string text_;        // all lines so far
    std::uint32_t line_ = 0;  // where the present one begins
    Part verb_;
    Part target_;
    std::vector<Field> fields_;
    bool http_1_0_ = false;
    bool complete_ = false;
    std::optional<core::ErrorCode> error_;
};

/// The members of a comma-separated list, without blanks around them; empty ones are left out.
[[nodiscard]] std::vector<std::string_view> list_members(std::string_view list);
/// Whether the list has this member, which is in lower case.
[[nodiscard]] bool list_has(std::string_view list, std::string_view member);

}  // namespace agentcom::net
