#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agentcom/core/time.hpp"
#include "agentcom/delivery/event_loop.hpp"
#include "agentcom/delivery/outbox.hpp"
#include "agentcom/router/router.hpp"

namespace agentcom::net {

/// Limits on everything that comes from outside; the defaults are never met by ordinary use.
struct Limits {
    std::uint64_t max_frame_bytes = std::uint64_t{1} << 20;  // one WebSocket message
    std::uint64_t max_body_bytes = std::uint64_t{1} << 20;
    std::uint32_t max_header_bytes = 16 * 1024;
    /// One message or body of whoever has not shown a valid token yet.
    std::uint64_t max_unidentified_frame_bytes = 64 * 1024;
    std::uint64_t max_connections = 50'000;
    /// Connections of one address that have not shown a valid token; 0: 5,000 for loopback, 500
    /// elsewhere.
    std::uint32_t max_unidentified_per_address = 0;
    /// Requests without a valid token from one address, which is also how many may come at once;
    /// loopback may 20 times as many. 0: no limit.
    std::uint64_t anonymous_requests_per_second = 1'000;
    /// Wrong tokens of one address before it has to wait, and how many are forgiven each minute;
    /// loopback may show 5 times as many. 0: no limit.
    std::uint32_t wrong_tokens_per_minute = 20;
    /// The longest such wait; it begins with a second and doubles. For loopback a tenth.
    core::Millis wrong_token_wait{60'000};
    /// Bytes of all requests and messages that have come in part. One agent, or one address without
    /// a token, has a quarter of them, but always room for one request of the largest size.
    std::uint64_t input_bytes = std::uint64_t{256} << 20;
    std::uint32_t max_requests_in_flight = 256;  // per WebSocket connection
    core::Millis identify_timeout{10'000};
    core::Millis liveness_timeout{
        60'000};  // WebSocket: nothing at all arrived; pinged at half of it
    core::Millis request_timeout{30'000};     // HTTP: header and body must be complete by then
    core::Millis keep_alive_timeout{75'000};  // HTTP: idle between requests
    core::Millis write_timeout{60'000};       // whatever is to be sent must have left by then
    core::Millis close_timeout{5'000};        // closing handshake and last bytes
    delivery::OutboxLimits outbox;
    /// What the system keeps of one connection's output besides the outbox, as it counts it.
    std::uint32_t socket_send_buffer = 256 * 1024;
};

struct TlsOptions {
    std::string certificate_chain_file;  // PEM
    std::string private_key_file;        // PEM
};

struct EndpointOptions {
    std::string host = "127.0.0.1";  // an address, or a name: then all its addresses
    std::uint16_t port = 4000;       // 0: any free port
    /// What stands before every path for those who come through a proxy that hands it on: "/hub";
    /// empty: nothing. Paths without it are understood, too.
    std::string base_path{};
    /// Addresses, or ranges in CIDR notation, whose X-Forwarded-For says who asks.
    std::vector<std::string> trusted_proxies;
    /// Pages of which other origins may use the hub: "scheme://host[:port]", "null", or "*" for
    /// all.
    std::vector<std::string> allowed_origins;
    /// By which names and addresses, without a port, the hub may be addressed besides those of this
    /// machine; "*": by any. Empty: by any, but only by those of this machine when `host` is one.
    std::vector<std::string> allowed_hosts;
    /// Where clients reach the hub, "https://hub.example.com[/path]", for descriptions that name
    /// whole addresses; empty: where each request says that it came.
    std::string public_url;
    Limits limits;
    std::optional<TlsOptions> tls;
};

/// Whether the text may be the `base_path`: empty, or segments that each begin with a slash, of
/// letters, digits and "-._~", the first of which is none of the hub's own paths.
[[nodiscard]] bool is_base_path(std::string_view text);
/// A file that the dashboard links to. Its name stands for its content, so it may be kept for ever.
struct Asset {
    std::string_view name;
    std::string_view media;  // as Content-Type says it
    std::string_view text;
    std::string_view gzip;  // the same, compressed (RFC 1952)
};
/// What the hub says of itself: pages that do not change while it runs.
struct Site {
    std::string dashboard_html;       // GET /dashboard
    std::span<const Asset> assets{};  // GET /dashboard/assets/:name
    std::string home_html;            // GET /, in a browser
    std::string llms_txt;
    std::string skill_md;
    // For descriptions, as the router has been told:
    std::uint64_t max_profile_bytes = 4'096;
    std::uint64_t max_payload_bytes = 0;  // 0: nothing is said of it
    bool anonymous_reads = false;
    bool anonymous_metrics = true;  // without a token, from this machine at least
};

/// Whether the text is an address or a range of addresses, as in `trusted_proxies`.
[[nodiscard]] bool is_address_range(std::string_view text);
/// Whether the text may stand in `allowed_origins`.
[[nodiscard]] bool is_allowed_origin(std::string_view text);
/// Whether the text may be the `public_url`.
[[nodiscard]] bool is_public_url(std::string_view text);
/// Whether the text may stand in `allowed_hosts`.
[[nodiscard]] bool is_allowed_host(std::string_view text);

/// Looks, without listening, at what an Endpoint would stumble over: the addresses of the host, and
/// the TLS files. Throws as its constructor does. May wait for the system's resolver.
void check_usable(const EndpointOptions& options, core::Timestamp now);

/// The hub's one port: HTTP, and WebSocket at /ws. Accepts on the first loop and gives each
/// connection to one loop for life, in turn.
class Endpoint {
public:
    /// Binds and listens; throws std::runtime_error with one sentence for the operator (port in
    /// use, unreadable certificate, ...).
    Endpoint(EndpointOptions options, delivery::LoopGroup& loops, router::Router& router,
             const core::Clock& clock, Site site);
    ~Endpoint();
    Endpoint(const Endpoint&) = delete;
    Endpoint& operator=(const Endpoint&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept;
    /// Where it listens: one address, or all that the host's name stands for.
    [[nodiscard]] const std::vector<std::string>& addresses() const noexcept;
    /// Begins to accept. Call once, before or after the loops run.
    void start();
    /// Any thread: stops accepting; closes every WebSocket with 1001, lets HTTP answers in hand
    /// finish.
    void begin_shutdown();
    /// Makes ready what of these options may change while it runs: the TLS files (read again, if
    /// TLS is spoken already), allowed origins and hosts, what strangers may do. Throws as the
    /// constructor does, and then nothing changes, nor before what is returned is called, on any
    /// thread while this lives; that does not fail. Connections keep the certificate that they
    /// began with.
    [[nodiscard]] std::function<void()> prepare(const EndpointOptions& options);
    /// Any thread: connections that are still open.
    [[nodiscard]] std::uint64_t open_connections() const noexcept;
    /// Any thread: ends whatever is still open, at once.
    void abort_all();
    /// Any thread: looks for time-outs now, as is done about once a second anyway. A time in which
    /// nobody looked for much longer than that counts as a second: the hub was held up then, not
    /// its clients.
    void sweep();

private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace agentcom::net
