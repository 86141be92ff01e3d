#include "net/request_reader.hpp"

#include <algorithm>
#include <boost/beast/http/rfc7230.hpp>

#include "net/await.hpp"

namespace agentcom::net {

namespace http = boost::beast::http;

namespace {

using Fields = http::request<http::empty_body>;

/// A field takes memory besides its bytes, so their number is bounded, too: one for each 128 bytes
/// that the header may have, and what any client sends in any case.
constexpr std::uint32_t kBytesPerField = 128;
constexpr std::uint32_t kFieldsAlwaysTaken = 64;
/// What Beast keeps for each besides its bytes.
constexpr std::size_t kMemoryOfField = 96;

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

std::optional<std::string_view> header(const Fields& fields, http::field name) {
    const auto found = fields.find(name);
    if (found == fields.end()) return std::nullopt;
    return view(found->value());
}

std::optional<std::string_view> header(const Fields& fields, boost::beast::string_view name) {
    const auto found = fields.find(name);
    if (found == fields.end()) return std::nullopt;
    return view(found->value());
}

/// The key of a handshake that RFC 6455, 4.2.1 accepts.
std::optional<std::string_view> websocket_key(const Fields& request) {
    constexpr std::size_t kKeyLength = 24;  // base64 of 16 bytes
    if (request.method() != http::verb::get || request.version() < 11) return std::nullopt;
    if (!boost::beast::iequals(request[http::field::upgrade], "websocket") ||
        !http::token_list(request[http::field::connection]).exists("upgrade") ||
        request[http::field::sec_websocket_version] != "13") {
        return std::nullopt;
    }
    const auto key = header(request, http::field::sec_websocket_key);
    return key && key->size() == kKeyLength ? key : std::nullopt;
}

}  // namespace

RequestReader::RequestReader(const Limits& limits) : limits_(limits) {
    parser_.header_limit(limits.max_header_bytes);
    // The body is BodyReader's: Beast would reserve it beforehand, and would leave a chunk's line
    // in the input for as long as it grows.
    parser_.body_limit(boost::none);
    parser_.eager(false);
}

std::size_t RequestReader::take(std::string_view input) {
    if (error()) return 0;
    return header_complete_ ? body_.take(input) : take_header(input);
}

std::size_t RequestReader::take_header(std::string_view input) {
    if (input.empty()) return 0;
    error_code failure;
    const std::size_t used = parser_.put(asio::buffer(input.data(), input.size()), failure);
    header_bytes_ += used;
    header_complete_ = parser_.is_header_done();
    // Beast's own limit is for one call, and it takes a header field by field.
    const std::uint64_t so_far = header_bytes_ + (header_complete_ ? 0 : input.size() - used);
    const std::uint32_t most_fields =
        std::max(limits_.max_header_bytes / kBytesPerField, kFieldsAlwaysTaken);
    fields_ = static_cast<std::size_t>(std::distance(parser_.get().begin(), parser_.get().end()));
    if (failure && failure != http::error::need_more) {
        error_ = failure == http::error::header_limit ? core::ErrorCode::header_too_large
                                                      : core::ErrorCode::bad_request;
    } else if (so_far > limits_.max_header_bytes || fields_ > most_fields) {
        error_ = core::ErrorCode::header_too_large;
    } else if (header_complete_) {
        begin_body();
    }
    return used;
}

void RequestReader::begin_body() {
    const Fields& fields = parser_.get();
    if (const auto encoding = header(fields, http::field::transfer_encoding)) {
        // Of any other coding it could not be told where the body ends, or what is in it.
        if (!boost::beast::iequals(*encoding, "chunked")) {
            error_ = core::ErrorCode::bad_request;
            return;
        }
        chunked_ = true;
        body_ = BodyReader(BodyReader::Framing::chunked, 0, limits_.max_header_bytes);
    } else if (const auto length = parser_.content_length()) {
        body_ = BodyReader(BodyReader::Framing::length, *length, 0);
    }
    body_.limit(limits_.max_body_bytes);
}

HttpHead RequestReader::head() const {
    const Fields& fields = parser_.get();
    HttpHead head;
    head.verb = view(fields.method_string());
    head.target = view(fields.target());
    head.authorization = header(fields, http::field::authorization);
    head.content_type = header(fields, http::field::content_type);
    head.idempotency_key = header(fields, "Idempotency-Key");
    head.last_event_id = header(fields, "Last-Event-ID");
    head.websocket_key = websocket_key(fields);
    head.has_body = !body_.complete();
    return head;
}

std::string RequestReader::forwarded_for() const {
    std::string all;
    const auto [begin, end] = parser_.get().equal_range("X-Forwarded-For");
    for (auto field = begin; field != end; ++field) {
        if (!all.empty()) all += ',';
        all += view(field->value());
    }
    return all;
}

std::size_t RequestReader::held() const noexcept {
    return header_bytes_ + fields_ * kMemoryOfField + body_.held();
}

bool RequestReader::is_head() const { return parser_.get().method() == http::verb::head; }

bool RequestReader::expects_continue() const {
    return !is_http_1_0() &&
           boost::beast::iequals(parser_.get()[http::field::expect], "100-continue");
}

std::optional<std::uint64_t> RequestReader::declared_length() const {
    if (chunked_) return std::nullopt;
    const auto length = parser_.content_length();
    return length ? *length : 0;
}

}  // namespace agentcom::net
