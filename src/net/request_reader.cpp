#include "net/request_reader.hpp"

#include <algorithm>
#include <charconv>

#include "net/target.hpp"
#include "net/text.hpp"
#include "net/ws_handshake.hpp"

namespace agentcom::net {

namespace {

/// One number of digits alone. What is larger than any body is the largest there is.
std::optional<std::uint64_t> read_length(std::string_view text) {
    if (text.empty() || !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) {
        return std::nullopt;
    }
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc::result_out_of_range ? UINT64_MAX : value;
}

/// Whether it asks for a WebSocket of the one version there is (RFC 6455, 4.2.1).
bool wants_websocket(const HeadParser& head) {
    return head.verb() == "GET" && !head.is_http_1_0() &&
           list_has(head.list("upgrade").value_or(""), "websocket") &&
           list_has(head.list("connection").value_or(""), "upgrade") &&
           head.list("sec-websocket-version") == "13";
}

/// The key, if there is one of its kind.
std::optional<std::string_view> websocket_key(const HeadParser& head) {
    if (head.count("sec-websocket-key") != 1) return std::nullopt;
    const auto key = head.field("sec-websocket-key");
    return is_websocket_key(*key) ? key : std::nullopt;
}

}  // namespace

RequestReader::RequestReader(const Limits& limits)
    : limits_(limits), head_(limits.max_header_bytes) {}

std::size_t RequestReader::take(std::string_view input) {
    if (error()) return 0;
    if (header_complete_) return body_.take(input);
    const std::size_t used = head_.take(input);
    if (head_.error()) {
        error_ = head_.error();
    } else if (head_.complete()) {
        finish_header();
    }
    return used;
}

void RequestReader::finish_header() {
    header_complete_ = find_authority() && find_token() && find_expectation() && find_framing();
    if (!header_complete_) return;
    const std::string connection = head_.list("connection").value_or("");
    keep_alive_ =
        !list_has(connection, "close") && (!is_http_1_0() || list_has(connection, "keep-alive"));
    body_.limit(limits_.max_body_bytes);
}

bool RequestReader::find_authority() {
    const std::size_t hosts = head_.count("host");
    if (hosts > 1 || (hosts == 0 && !is_http_1_0())) return fail(core::ErrorCode::bad_request);
    if (hosts == 1) {
        authority_ = Authority::parse(*head_.field("host"));
        if (!authority_) return fail(core::ErrorCode::bad_request);
    }
    const auto form = target_form(head_.verb(), head_.target());
    if (!form) return fail(core::ErrorCode::bad_request);
    // A target that names the host counts, not the header (RFC 9112, 3.2.2).
    if (!form->authority.empty()) authority_ = Authority::parse(form->authority);
    return true;
}

bool RequestReader::find_token() {
    // Whoever passed the request on may have judged it by the other one.
    return head_.count("authorization") <= 1 || fail(core::ErrorCode::bad_request);
}

bool RequestReader::find_expectation() {
    const auto expect = head_.list("expect");
    // HTTP/1.0 knows no such thing.
    if (!expect || is_http_1_0()) return true;
    expects_continue_ = equal_ignoring_case(*expect, "100-continue");
    return expects_continue_ || fail(core::ErrorCode::expectation_failed);
}

bool RequestReader::find_framing() {
    const auto coding = head_.list("transfer-encoding");
    const auto lengths = head_.list("content-length");
    if (coding) {
        // Of any other coding it could not be told where the body ends, or what is in it, and who
        // sends a length besides, or speaks HTTP/1.0, may have been understood in another way by
        // whoever passed it on.
        if (lengths || is_http_1_0() || !equal_ignoring_case(*coding, "chunked")) {
            return fail(core::ErrorCode::bad_request);
        }
        length_.reset();
        body_ = BodyReader(BodyReader::Framing::chunked, 0, limits_.max_header_bytes);
    } else if (lengths) {
        const auto members = list_members(*lengths);
        if (members.empty() || !std::ranges::all_of(members, [&](std::string_view member) {
                return member == members.front();
            })) {
            return fail(core::ErrorCode::bad_request);
        }
        length_ = read_length(members.front());
        if (!length_) return fail(core::ErrorCode::bad_request);
        body_ = BodyReader(BodyReader::Framing::length, *length_, 0);
    }
    return true;
}

HttpHead RequestReader::head() const {
    HttpHead head;
    head.verb = head_.verb();
    head.target = head_.target();
    head.authority = authority_ ? &*authority_ : nullptr;
    head.authorization = head_.field("authorization");
    head.cookie = head_.field("cookie");
    head.page = head_.field("x-agentcom-page");
    head.content_type = head_.field("content-type");
    head.idempotency_key = head_.field("idempotency-key");
    head.last_event_id = head_.field("last-event-id");
    head.mcp_version = head_.field("mcp-protocol-version");
    head.mcp_method = head_.field("mcp-method");
    head.mcp_name = head_.field("mcp-name");
    head.accept = head_.list("accept");
    head.accept_encoding = head_.list("accept-encoding");
    head.if_none_match = head_.list("if-none-match");
    head.origin = head_.list("origin");
    head.preflight =
        head.verb == "OPTIONS" && head.origin && head_.field("access-control-request-method");
    head.forwarded_proto = head_.field("x-forwarded-proto");
    if (wants_websocket(head_)) {
        head.websocket_key = websocket_key(head_);
        head.bad_handshake = !head.websocket_key;
    }
    head.has_body = !body_.complete();
    return head;
}

std::optional<std::string> RequestReader::origin() const { return head_.list("origin"); }

RequestTag RequestReader::tag(std::uint64_t number) const {
    // Of several it is not known which one is right (W3C Trace Context, 3.2).
    const bool one_trace = head_.count("traceparent") == 1;
    return tag_request(head_.field("x-request-id"),
                       one_trace ? head_.field("traceparent") : std::nullopt, number);
}

std::string RequestReader::path() const {
    const std::string_view target = head_.target();
    return std::string(target.substr(0, target.find('?')));
}

std::string RequestReader::forwarded_for() const {
    return head_.list("x-forwarded-for").value_or("");
}

}  // namespace agentcom::net
