#include "net/http_answer.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "net/text.hpp"

namespace agentcom::net {

namespace {

constexpr std::uint16_t kNoContent = 204;
constexpr std::uint16_t kNotModified = 304;
constexpr std::uint16_t kPermanentRedirect = 308;

std::string_view reason_phrase(std::uint16_t status) noexcept {
    switch (status) {
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case kNoContent:
            return "No Content";
        case kNotModified:
            return "Not Modified";
        case kPermanentRedirect:
            return "Permanent Redirect";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 413:
            return "Content Too Large";
        case 415:
            return "Unsupported Media Type";
        case 417:
            return "Expectation Failed";
        case 426:
            return "Upgrade Required";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 503:
            return "Service Unavailable";
        case 507:
            return "Insufficient Storage";
        default:
            return "Other";
    }
}

constexpr std::string_view kDashboardHeaders =
    "Content-Type: text/html; charset=utf-8\r\n"
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; font-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'\r\n";
constexpr std::string_view kJsonHeaders = "Content-Type: application/json\r\n";
constexpr std::string_view kTextHeaders = "Content-Type: text/plain; charset=utf-8\r\n";
constexpr std::string_view kMarkdownHeaders = "Content-Type: text/markdown; charset=utf-8\r\n";
constexpr std::string_view kPlainHtmlHeaders =
    "Content-Type: text/html; charset=utf-8\r\n"
    "Content-Security-Policy: default-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'\r\n";
constexpr std::string_view kMetricsHeaders =
    "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n";

std::string_view content_headers(Content content) noexcept {
    switch (content) {
        case Content::dashboard:
            return kDashboardHeaders;
        case Content::plain_html:
            return kPlainHtmlHeaders;
        case Content::text:
            return kTextHeaders;
        case Content::markdown:
            return kMarkdownHeaders;
        case Content::metrics:
            return kMetricsHeaders;
        case Content::json:
        case Content::given:
            break;
    }
    return kJsonHeaders;
}

/// What a page may send besides what it may send anyway, and what it may read of an answer.
constexpr std::string_view kHeadersOfPages =
    "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, "
    "MCP-Protocol-Version, Mcp-Method, Mcp-Name, Traceparent, X-Request-Id";
constexpr std::string_view kHeadersForPages =
    "Allow, ETag, Retry-After, WWW-Authenticate, X-Request-Id";
/// How long a browser need not ask again, in seconds: a list that is changed is soon known.
constexpr std::string_view kPreflightAge = "600";

void append_request_lines(std::string& out, const AnswerForm& form) {
    if (!form.tag.id.empty()) out.append("X-Request-Id: ").append(form.tag.id).append("\r\n");
    // Also where no page asks, or a cache would hand the answer to one that must not have it.
    if (form.by_origin) out += "Vary: Origin\r\n";
    if (form.readable_by.empty()) return;
    // The origin itself, never "*"; and nothing of cookies, which count for the hub's own alone.
    out.append("Access-Control-Allow-Origin: ").append(form.readable_by);
    out.append("\r\nAccess-Control-Expose-Headers: ").append(kHeadersForPages).append("\r\n");
}

}  // namespace

HttpAnswer to_answer(protocol::HttpOutput output) {
    HttpAnswer answer;
    answer.status = output.status;
    answer.body = std::move(output.body);
    answer.retry_after_s = output.retry_after_s;
    return answer;
}

HttpAnswer to_answer(mcp::Answer given) {
    HttpAnswer answer;
    answer.status = given.status;
    answer.body.append(std::move(given.body));
    return answer;
}

HttpAnswer redirection(std::string location) {
    HttpAnswer answer;
    answer.status = kPermanentRedirect;
    answer.content = Content::text;
    answer.body.append("It is at " + location + "\n");
    answer.location = std::move(location);
    return answer;
}

HttpAnswer hook_answer(core::result<std::string> output) {
    if (!output) return error_answer(output.error());
    HttpAnswer answer;
    if (output->empty()) {
        answer.status = kNoContent;
    } else {
        answer.body.append(std::move(*output));
    }
    return answer;
}

HttpAnswer error_answer(core::Error error, bool hint) {
    const core::ErrorCode code = error.code;
    HttpAnswer answer = to_answer(protocol::encode_http(protocol::Reply(std::move(error)), hint));
    answer.error = code;
    return answer;
}

core::Error too_many_wrong_tokens() {
    return {core::ErrorCode::rate_limited, {}, "too many wrong tokens from this address; wait"};
}

HttpAnswer wait_answer(core::Millis wait) {
    HttpAnswer answer = error_answer(too_many_wrong_tokens());
    answer.retry_after_s =
        static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::seconds>(wait).count());
    return answer;
}

std::string answer_head(const HttpAnswer& answer, const AnswerForm& form) {
    std::string out;
    out.reserve(384);
    out += form.http_1_0 ? "HTTP/1.0 " : "HTTP/1.1 ";
    out += std::to_string(answer.status);
    out += ' ';
    out += reason_phrase(answer.status);
    out += "\r\n";
    append_server_lines(out, form.now);
    if (answer.tag.empty()) {
        out += "Cache-Control: no-store\r\n";
    } else {
        out += answer.for_ever ? "Cache-Control: public, max-age=31536000, immutable\r\n"
                               : "Cache-Control: no-cache\r\n";
        out += "ETag: " + answer.tag + "\r\n";
    }
    out += "X-Content-Type-Options: nosniff\r\n";
    const bool has_content = answer.status != kNoContent && answer.status != kNotModified;
    if (has_content) {
        if (answer.content == Content::given) {
            out.append("Content-Type: ").append(answer.media).append("\r\n");
        } else {
            out += content_headers(answer.content);
        }
        if (!answer.coding.empty()) {
            out.append("Content-Encoding: ").append(answer.coding).append("\r\n");
        }
    }
    if (answer.by_accept) out += "Vary: Accept\r\n";
    if (answer.by_coding) out += "Vary: Accept-Encoding\r\n";
    if (!answer.cookie.empty()) out += "Set-Cookie: " + answer.cookie + "\r\n";
    if (!answer.location.empty()) out += "Location: " + answer.location + "\r\n";
    append_request_lines(out, form);
    if (answer.preflight) {
        out.append("Access-Control-Allow-Methods: ").append(answer.allow);
        out.append("\r\nAccess-Control-Allow-Headers: ").append(kHeadersOfPages);
        out.append("\r\nAccess-Control-Max-Age: ").append(kPreflightAge).append("\r\n");
    } else if (!answer.allow.empty()) {
        out += "Allow: " + answer.allow + "\r\n";
    }
    if (answer.status == 401) out += "WWW-Authenticate: Bearer\r\n";
    if (answer.status == 426) out += "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    if (answer.retry_after_s) {
        out += "Retry-After: " + std::to_string(*answer.retry_after_s) + "\r\n";
    }
    out += form.keep_alive ? "Connection: keep-alive" : "Connection: close";
    // Who names a protocol in Upgrade says so here (RFC 9110, 7.8).
    out += answer.status == 426 ? ", Upgrade\r\n" : "\r\n";
    // Without content there is no length of it either (RFC 9110, 8.6).
    if (has_content) out += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n";
    out += "\r\n";
    return out;
}

std::string event_stream_head(const AnswerForm& form) {
    std::string out = form.http_1_0 ? "HTTP/1.0 200 OK\r\n" : "HTTP/1.1 200 OK\r\n";
    append_server_lines(out, form.now);
    append_request_lines(out, form);
    // Proxies are asked not to gather events.
    out +=
        "Content-Type: text/event-stream\r\nCache-Control: no-store\r\n"
        "X-Accel-Buffering: no\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n";
    return out;
}

void append_answer(HttpAnswer& answer, const AnswerForm& form, delivery::Outbox& outbox) {
    const std::string head = answer_head(answer, form);
    if (form.without_body) answer.body.clear();
    outbox.append_pieces(head, answer.body);
}

}  // namespace agentcom::net
