#include "fuzz/support/wire_checks.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agentcom/core/utf8.hpp"
#include "fuzz/support/broken.hpp"
#include "net/request_reader.hpp"
#include "net/target.hpp"
#include "net/ws_handshake.hpp"
#include "net/ws_reader.hpp"

namespace agentcom::fuzz {

using namespace net;

void check_target(std::string_view text) {
    for (const std::string_view verb : {"GET", "CONNECT", "OPTIONS"}) (void)target_form(verb, text);
    const Target target = parse_target(text);
    for (const std::string_view segment : target.segments) {
        require(!segment.empty() && segment.find_first_of("/?") == segment.npos,
                "a segment that is none", text);
        if (const auto decoded = percent_decode(segment)) {
            require(decoded->size() <= segment.size(), "decoding made it longer", text);
        }
    }
    for (const auto& [name, value] : parse_query(target.query)) {
        require(name.size() + value.size() <= target.query.size(), "decoding made it longer", text);
    }
    (void)parse_query(text);
}

namespace {

/// What was read of the requests, in order.
struct ReadRequest {
    std::string verb;
    std::string target;
    std::string body;
    std::optional<std::uint64_t> length;
    bool keep_alive = false;
    bool operator==(const ReadRequest&) const = default;
};
struct ReadRequests {
    std::vector<ReadRequest> complete;
    bool failed = false;
    bool operator==(const ReadRequests&) const = default;
};

Limits small_limits() {
    Limits limits;
    limits.max_header_bytes = 1'024;
    limits.max_body_bytes = 1'024;
    return limits;
}

ReadRequests read_requests(std::string_view bytes, std::size_t piece) {
    static const Limits kLimits = small_limits();
    constexpr std::size_t kMostHeld = std::size_t{64} << 10;
    ReadRequests all;
    std::optional<RequestReader> reader(kLimits);
    while (!bytes.empty()) {
        std::string_view at_hand = bytes.substr(0, piece);
        bytes.remove_prefix(at_hand.size());
        while (!at_hand.empty()) {
            const std::size_t used = reader->take(at_hand);
            require(used <= at_hand.size(), "more was taken than there was", at_hand);
            at_hand.remove_prefix(used);
            require(reader->held() <= kMostHeld, "more was kept than the limits allow", at_hand);
            // A string may have room for twice what it was given.
            require(reader->body().held() <= 2 * kLimits.max_body_bytes,
                    "more of a body was kept than the limits allow", at_hand);
            if (reader->error()) {
                require(reader->take(at_hand) == 0, "bytes were taken behind an error", at_hand);
                all.failed = true;
                return all;
            }
            if (reader->complete()) {
                const HttpHead head = reader->head();
                const std::string& body = reader->body().body();
                require(reader->declared_length().value_or(body.size()) == body.size(),
                        "a body of another length", body);
                all.complete.push_back({std::string(head.verb), std::string(head.target), body,
                                        reader->declared_length(), reader->wants_keep_alive()});
                check_target(head.target);
                reader.emplace(kLimits);
            } else if (!reader->header_complete() || used == 0) {
                require(at_hand.empty(), "bytes were left over", at_hand);
            }
        }
    }
    return all;
}

struct SeenFrame {
    WsReader::Event event = WsReader::Event::none;
    std::string payload;
    std::uint16_t code = 0;  // of a close frame, or of what is broken
    bool operator==(const SeenFrame&) const = default;
};

void check_frame_of(const WsReader& reader, std::uint64_t limit, std::string_view bytes) {
    const std::string_view payload = reader.payload();
    switch (reader.event()) {
        case WsReader::Event::text:
            require(core::is_valid_utf8(payload), "a text that is not UTF-8", bytes);
            [[fallthrough]];
        case WsReader::Event::binary:
            require(payload.size() <= limit, "a message beyond the limit", bytes);
            break;
        case WsReader::Event::close:
            require(reader.close_code() == 0 || is_close_code_of_peer(reader.close_code()),
                    "a close code that no peer may send", bytes);
            [[fallthrough]];
        default:
            require(payload.size() <= 125, "a control frame beyond its limit", bytes);
            break;
    }
}

std::vector<SeenFrame> read_frames(std::string_view bytes, std::size_t piece) {
    constexpr std::uint64_t kLimit = 300;
    const std::string_view all = bytes;
    WsReader reader(kLimit);
    std::vector<SeenFrame> seen;
    while (!bytes.empty()) {
        std::string_view at_hand = bytes.substr(0, piece);
        bytes.remove_prefix(at_hand.size());
        while (!at_hand.empty()) {
            const std::size_t used = reader.take(at_hand);
            at_hand.remove_prefix(used);
            require(reader.held() <= kLimit, "more was kept than the limit allows", all);
            if (reader.event() == WsReader::Event::none) {
                require(at_hand.empty(), "bytes were left over", all);
                continue;
            }
            if (reader.event() == WsReader::Event::broken) {
                seen.push_back({reader.event(), {}, static_cast<std::uint16_t>(reader.failure())});
                return seen;
            }
            check_frame_of(reader, kLimit, all);
            seen.push_back({reader.event(), std::string(reader.payload()), reader.close_code()});
            if (reader.event() == WsReader::Event::close) return seen;
            reader.next();
        }
    }
    return seen;
}

}  // namespace

void check_requests(std::string_view bytes) {
    const ReadRequests whole = read_requests(bytes, bytes.size());
    require(read_requests(bytes, 1) == whole, "byte by byte it reads differently", bytes);
    require(read_requests(bytes, 7) == whole, "in pieces it reads differently", bytes);
}

void check_websocket(std::string_view bytes) {
    const auto whole = read_frames(bytes, bytes.size());
    require(read_frames(bytes, 1) == whole, "byte by byte it reads differently", bytes);
    require(read_frames(bytes, 5) == whole, "in pieces it reads differently", bytes);
}

}  // namespace agentcom::fuzz
