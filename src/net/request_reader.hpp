#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agentcom/core/error.hpp"
#include "agentcom/net/endpoint.hpp"
#include "net/authority.hpp"
#include "net/body_reader.hpp"
#include "net/head_parser.hpp"
#include "net/http_request.hpp"

namespace agentcom::net {

/// Takes one HTTP request out of the bytes as they come: the header, whose parts must agree with
/// each other (RFC 9112, 3.2 and 6.3), then the body. Stops between the two, so that who asks is
/// known before a body is read. Whatever state it is in, what it keeps is bounded by the limits,
/// and it leaves nothing of the request in the input.
class RequestReader {
public:
    explicit RequestReader(const Limits& limits);

    /// Consumes what belongs to this request; how much. Ends after the header, and again after the
    /// body; nothing is consumed after an error.
    std::size_t take(std::string_view input);

    [[nodiscard]] bool header_complete() const { return header_complete_; }
    [[nodiscard]] bool complete() const { return header_complete_ && body_.complete(); }
    /// header_too_large, body_too_large, expectation_failed or bad_request: where the request ends
    /// is not known any more, so nothing can follow it.
    [[nodiscard]] std::optional<core::ErrorCode> error() const noexcept {
        return error_ ? error_ : body_.error();
    }

    // Once the header is complete. Views are valid for as long as the reader lives.
    [[nodiscard]] HttpHead head() const;
    [[nodiscard]] bool expects_continue() const { return expects_continue_; }
    /// The body's length, when the header gives it: 0 without a body, nothing when it is chunked.
    [[nodiscard]] std::optional<std::uint64_t> declared_length() const { return length_; }
    /// All X-Forwarded-For of the header as one list.
    [[nodiscard]] std::string forwarded_for() const;

    // At any time, by what has been read so far.
    [[nodiscard]] bool wants_keep_alive() const { return keep_alive_; }
    [[nodiscard]] bool is_http_1_0() const { return head_.is_http_1_0(); }
    [[nodiscard]] bool is_head() const { return head_.verb() == "HEAD"; }
    /// Of the page that asks, in a browser.
    [[nodiscard]] std::optional<std::string> origin() const;
    /// As which it is logged; `number` as in `tag_request`.
    [[nodiscard]] RequestTag tag(std::uint64_t number) const;
    /// Empty until its line has been read.
    [[nodiscard]] std::string_view verb() const { return head_.verb(); }
    /// The target without its query, in which a token may stand.
    [[nodiscard]] std::string path() const;
    /// About how much memory the request takes so far, in bytes.
    [[nodiscard]] std::size_t held() const noexcept { return head_.held() + body_.held(); }
    [[nodiscard]] BodyReader& body() noexcept { return body_; }
    [[nodiscard]] const BodyReader& body() const noexcept { return body_; }

private:
    void finish_header();
    // Each is false, with an error, when the header contradicts itself there.
    bool find_authority();
    bool find_token();
    bool find_expectation();
    bool find_framing();
    bool fail(core::ErrorCode code) noexcept {
        error_ = code;
        return false;
    }

    const Limits& limits_;
    HeadParser head_;
    BodyReader body_;
    std::optional<Authority> authority_;
    std::optional<std::uint64_t> length_ = 0;
    bool header_complete_ = false;
    bool keep_alive_ = false;
    bool expects_continue_ = false;
    std::optional<core::ErrorCode> error_;
};

}  // namespace agentcom::net
