#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agentcom/core/error.hpp"
#include "agentcom/core/pieces.hpp"
#include "agentcom/core/result.hpp"
#include "agentcom/core/time.hpp"
#include "agentcom/delivery/outbox.hpp"
#include "agentcom/mcp/mcp.hpp"
#include "agentcom/protocol/codec.hpp"
#include "net/request_tag.hpp"

namespace agentcom::net {

enum class Content : std::uint8_t {
    json,
    plain_html,  // without scripts and styles
    text,
    markdown,
    metrics,
    dashboard,  // HTML with scripts and styles of its own origin alone
    given,      // as HttpAnswer::media says
};

/// What one HTTP request is answered with.
struct HttpAnswer {
    std::uint16_t status = 200;
    core::Pieces body;
    Content content = Content::json;
    bool ends_connection = false;  // nothing can follow on it
    std::string allow;             // the Allow header, when not empty
    std::string tag;               // the ETag header, when not empty: it may be kept, and asked for
    std::string cookie;            // the Set-Cookie header, when not empty
    std::string location;          // the Location header, when not empty
    std::string_view media{};      // of `Content::given`; must outlive the answer
    std::string_view coding{};     // the Content-Encoding header, when not empty
    bool by_coding = false;        // the request's Accept-Encoding decided what it is
    bool for_ever = false;         // with a tag: it never changes
    bool by_accept = false;        // the request's Accept decided what it is
    bool preflight = false;        // a page asks what it may ask; `allow` is the answer to that
    std::optional<std::uint32_t> retry_after_s;
    /// Of an error that no operation has answered, so that nobody has counted it yet.
    std::optional<core::ErrorCode> error{};
};

/// `hint`: a 401 says how to send a token.
[[nodiscard]] HttpAnswer to_answer(protocol::HttpOutput output);
[[nodiscard]] HttpAnswer to_answer(mcp::Answer answer);
/// Sends whoever asks to this address, which may be relative to the one that was asked for.
[[nodiscard]] HttpAnswer redirection(std::string location);
/// A hook's output; 204 without any.
[[nodiscard]] HttpAnswer hook_answer(core::result<std::string> output);
[[nodiscard]] HttpAnswer error_answer(core::Error error, bool hint = false);

/// For whoever has to wait so long after too many wrong tokens.
[[nodiscard]] HttpAnswer wait_answer(core::Millis wait);
/// The error of that.
[[nodiscard]] core::Error too_many_wrong_tokens();

/// How the answer goes out.
struct AnswerForm {
    bool http_1_0 = false;
    bool keep_alive = true;
    bool without_body = false;  // HEAD: the head says what GET would send
    core::Timestamp now{};      // the header Date
    RequestTag tag{};           // of the request that is answered
    bool by_origin = false;     // what is answered depends on the origin of the page that asks
    std::string readable_by{};  // that origin, when the page may read the answer; or empty
};
/// The response's text up to its body.
[[nodiscard]] std::string answer_head(const HttpAnswer& answer, const AnswerForm& form);
/// What comes before a stream of events, which ends with the connection.
[[nodiscard]] std::string event_stream_head(const AnswerForm& form);
/// Appends the response; the body's pieces are taken over.
void append_answer(HttpAnswer& answer, const AnswerForm& form, delivery::Outbox& outbox);

}  // namespace agentcom::net
