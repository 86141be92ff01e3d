#pragma once

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agentcom/core/error.hpp"
#include "agentcom/net/endpoint.hpp"
#include "net/body_reader.hpp"
#include "net/http_request.hpp"

namespace agentcom::net {

/// Takes one HTTP request out of the bytes as they come: the header (by Beast's parser), then the
/// body. Stops between the two, so that who asks is known before a body is read. Whatever state it
/// is in, what it keeps and what it leaves in the input is bounded by the limits.
class RequestReader {
public:
    explicit RequestReader(const Limits& limits);

    /// Consumes what belongs to this request; how much. At most max_header_bytes are left alone
    /// because the line they belong to is not complete. Ends after the header, and again after the
    /// body; nothing is consumed after an error.
    std::size_t take(std::string_view input);

    [[nodiscard]] bool header_complete() const { return header_complete_; }
    [[nodiscard]] bool complete() const { return header_complete_ && body_.complete(); }
    /// header_too_large, body_too_large or bad_request: the request is beyond use.
    [[nodiscard]] std::optional<core::ErrorCode> error() const noexcept {
        return error_ ? error_ : body_.error();
    }

    // Once the header is complete (`held`: always). Views are valid for as long as the reader
    // lives.
    [[nodiscard]] HttpHead head() const;
    [[nodiscard]] bool wants_keep_alive() const { return parser_.keep_alive(); }
    [[nodiscard]] bool is_http_1_0() const { return parser_.get().version() < 11; }
    [[nodiscard]] bool is_head() const;
    [[nodiscard]] bool expects_continue() const;
    /// The body's length, when the header gives it: 0 without a body, nothing when it is chunked.
    [[nodiscard]] std::optional<std::uint64_t> declared_length() const;
    /// All X-Forwarded-For of the header as one list.
    [[nodiscard]] std::string forwarded_for() const;
    /// About how much memory the request takes so far, in bytes.
    [[nodiscard]] std::size_t held() const noexcept;
    [[nodiscard]] BodyReader& body() noexcept { return body_; }
    [[nodiscard]] const BodyReader& body() const noexcept { return body_; }

private:
    std::size_t take_header(std::string_view input);
    void begin_body();

    const Limits& limits_;
    boost::beast::http::request_parser<boost::beast::http::empty_body> parser_;
    BodyReader body_;
    std::size_t header_bytes_ = 0;
    std::size_t fields_ = 0;
    bool header_complete_ = false;
    bool chunked_ = false;
    std::optional<core::ErrorCode> error_;
};

}  // namespace agentcom::net
