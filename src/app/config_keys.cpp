#include "app/config_keys.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/config_key_makers.hpp"

namespace agentcom::app {
namespace {

std::vector<ConfigKey> server_keys() {
    return {
        text(
            "server", "host", false,
            "Address to listen on, or a name: all of its; loopback unless you mean it.",
            [](auto& c) -> auto& { return c.endpoint.host; }),
        count(
            "server", "port", 0, 65'535, "Port to listen on; 0 takes any free one.",
            [](auto& c) -> auto& { return c.endpoint.port; }),
        count(
            "server", "threads", 0, 64,
            "Event loops; 0 chooses: as many as cores up to two, then cores - 1, at most 8.",
            [](auto& c) -> auto& { return c.threads; }),
        text_like(
            "server", "base_path", R"(a path such as "/hub" without a slash at its end)",
            net::is_base_path,
            "Prefix of all paths for those who come through a proxy; \"/hub\", or nothing.",
            [](auto& c) -> auto& { return c.endpoint.base_path; }),
        texts(
            "server", "trusted_proxies", "addresses and CIDR ranges", net::is_address_range,
            "Proxies, as addresses or CIDR ranges, whose X-Forwarded-For says who asks.",
            [](auto& c) -> auto& { return c.endpoint.trusted_proxies; }),
        reloadable(texts(
            "server", "allowed_origins", "origins", net::is_allowed_origin,
            "Other origins whose pages may use the hub in a browser; \"*\": all.",
            [](auto& c) -> auto& { return c.endpoint.allowed_origins; })),
        reloadable(texts(
            "server", "allowed_hosts", "names and addresses without a port", net::is_allowed_host,
            "Names by which the hub may be addressed besides local ones; \"*\": any.",
            [](auto& c) -> auto& { return c.endpoint.allowed_hosts; })),
        text(
            "server", "public_url", true,
            "Where clients reach the hub, for descriptions; empty: as each request says.",
            [](auto& c) -> auto& { return c.endpoint.public_url; }),
        duration(
            "server", "session_lifetime", 1'000,
            "How long a person stays logged in on the dashboard, unless the token ends before.",
            [](auto& c) -> auto& { return c.router.session_lifetime; }),
        duration(
            "server", "shutdown_timeout", 0,
            "How long connections may take to end when the hub stops.",
            [](auto& c) -> auto& { return c.shutdown_timeout; }),
        reloadable(text(
            "tls", "certificate", true,
            "PEM file with the certificate chain; with private_key: https and wss.",
            [](auto& c) -> auto& { return c.tls_certificate; })),
        reloadable(text(
            "tls", "private_key", true, "PEM file with the certificate's private key.",
            [](auto& c) -> auto& { return c.tls_private_key; })),
    };
}

std::vector<ConfigKey> store_keys() {
    return {
        text(
            "store", "data_dir", false,
            "Where everything is kept; $STATE_DIRECTORY, when set, is the default.",
            [](auto& c) -> auto& { return c.store.directory; }),
        bytes(
            "store", "map_size", 16 * kMiB, 64 * kTiB,
            "Most that may ever be stored; address space, the file grows as needed.",
            [](auto& c) -> auto& { return c.store.map_size; }),
        choice(
            "store", "durability", std::array<std::string_view, 2>{"commit", "relaxed"},
            R"("commit": an acknowledged message survives a power cut; "relaxed": see below.)",
            [](auto& c) -> auto& { return c.store.durability; }),
        duration(
            "store", "sync_interval", 1, "With \"relaxed\": how much a power cut may take.",
            [](auto& c) -> auto& { return c.store.sync_interval; }),
        bytes(
            "store", "journal_segment_bytes", kMiB, kTiB,
            "How long each of the journal's two files may get.",
            [](auto& c) -> auto& { return c.store.journal_bytes; }),
        duration(
            "store", "checkpoint_interval", 1,
            "How often the store's file is synced while there are writes.",
            [](auto& c) -> auto& { return c.store.checkpoint_interval; }),
        count(
            "store", "max_queued_operations", 1, 10'000'000,
            "Writes that may wait for a commit before the hub stops reading from who writes.",
            [](auto& c) -> auto& { return c.store.max_queued_operations; }),
        bytes(
            "store", "max_queued_bytes", kMiB, kTiB, "The same in bytes.",
            [](auto& c) -> auto& { return c.store.max_queued_bytes; }),
        count(
            "store", "max_batch_operations", 1, 1'000'000, "Most writes in one commit.",
            [](auto& c) -> auto& { return c.store.max_batch_operations; }),
        duration(
            "store", "idempotency_window", 0, "How long an idempotency key is remembered.",
            [](auto& c) -> auto& { return c.store.idempotency_window; }),
        count(
            "store", "max_idempotency_keys", 1, kAnyCount,
            "Keys remembered at once; then the oldest are forgotten before their time.",
            [](auto& c) -> auto& { return c.store.max_idempotency_keys; }),
        duration(
            "store", "max_time_away", 0,
            "So much of the time in which no hub runs counts for the age of messages.",
            [](auto& c) -> auto& { return c.store.max_time_away; }),
    };
}

std::vector<ConfigKey> auth_and_mailbox_keys() {
    return {
        boolean(
            "auth", "anonymous_reads", "Reads without a token, as the original hub had them.",
            [](auto& c) -> auto& { return c.router.anonymous_reads; }),
        agents(
            "auth", "admin_agents", "Agents that are administrators whatever their token says.",
            [](auto& c) -> auto& { return c.router.admin_agents; }),
        text(
            "auth", "admin_token_file", true,
            "File with a token of the agent admin, installed at the start; "
            "$CREDENTIALS_DIRECTORY/admin_token, when there is one, is the default.",
            [](auto& c) -> auto& { return c.admin_token_file; }),
        count(
            "mailbox", "cap", 1, 100'000, "Newest unread messages that a mailbox shows.",
            [](auto& c) -> auto& { return c.router.mailbox_cap; }),
        bytes(
            "mailbox", "max_bytes", kMiB, kTiB, "Most bytes of those messages.",
            [](auto& c) -> auto& { return c.router.mailbox_max_bytes; }),
        duration(
            "mailbox", "ttl", 1,
            "Age at which unread messages leave a mailbox, until an administrator sets it.",
            [](auto& c) -> auto& { return c.store.mailbox_ttl; }),
        duration(
            "mailbox", "evict_interval", 1'000,
            "How often expired messages are evicted and the log is trimmed.",
            [](auto& c) -> auto& { return c.router.evict_interval; }),
        count(
            "history", "messages", 1, kAnyCount, "Newest messages that the history shows.",
            [](auto& c) -> auto& { return c.store.history_messages; }),
        choice(
            "history", "visibility", std::array<std::string_view, 2>{"participants", "all"},
            R"(Of messages and threads agents see "participants": what concerns them; "all": all.)",
            [](auto& c) -> auto& { return c.router.history_visibility; }),
        count(
            "history", "channel_messages", 1, kAnyCount,
            "Newest messages kept of each channel, whatever their age, within the bounds below.",
            [](auto& c) -> auto& { return c.store.channel_history; }),
        count(
            "retention", "messages", 0, kAnyCount,
            "Most messages stored; a quarter is for what channels keep; 0: no bound.",
            [](auto& c) -> auto& { return c.store.retention_messages; }),
        duration(
            "retention", "age", 0, "Oldest message stored; 0: no bound.",
            [](auto& c) -> auto& { return c.store.retention_age; }),
        bytes(
            "retention", "bytes", 0, 64 * kTiB,
            "Most bytes of messages; a quarter is for what channels keep; 0: no bound.",
            [](auto& c) -> auto& { return c.store.retention_bytes; }),
        duration(
            "settings", "heartbeat_interval", 1,
            "What agents are told until an administrator sets it.",
            [](auto& c) -> auto& { return c.router.heartbeat_interval; }),
        duration(
            "settings", "reset_cooldown", 0, "Least time between two resets of the hub.",
            [](auto& c) -> auto& { return c.router.reset_cooldown; }),
    };
}

std::vector<ConfigKey> limit_keys() {
    return {
        bytes(
            "limits", "max_frame_bytes", 16 * kKiB, 64 * kMiB,
            "One WebSocket message; a payload may have 4 KiB less.",
            [](auto& c) -> auto& { return c.endpoint.limits.max_frame_bytes; }),
        bytes(
            "limits", "max_body_bytes", kKiB, 64 * kMiB, "One HTTP request body.",
            [](auto& c) -> auto& { return c.endpoint.limits.max_body_bytes; }),
        bytes(
            "limits", "max_header_bytes", kKiB, kMiB, "One HTTP request header.",
            [](auto& c) -> auto& { return c.endpoint.limits.max_header_bytes; }),
        bytes(
            "limits", "max_unidentified_frame_bytes", 8 * kKiB, 64 * kMiB,
            "One WebSocket message or HTTP body of whoever has not shown a valid token yet.",
            [](auto& c) -> auto& { return c.endpoint.limits.max_unidentified_frame_bytes; }),
        bytes(
            "limits", "socket_send_buffer", 0, 64 * kMiB,
            "Output that the system keeps for one connection besides; 0: as the system likes.",
            [](auto& c) -> auto& { return c.endpoint.limits.socket_send_buffer; }),
        bytes(
            "limits", "max_page_bytes", 64 * kKiB, 256 * kMiB,
            "Messages of one HTTP answer; what does not fit is reached with its cursor.",
            [](auto& c) -> auto& { return c.router.max_page_bytes; }),
        count(
            "limits", "max_connections", 1, 10'000'000, "Open connections.",
            [](auto& c) -> auto& { return c.endpoint.limits.max_connections; }),
        count(
            "limits", "max_requests_in_flight", 1, 100'000,
            "Requests of one WebSocket connection that may wait for their commit.",
            [](auto& c) -> auto& { return c.endpoint.limits.max_requests_in_flight; }),
        reloadable(count(
            "limits", "max_unidentified_per_address", 0, 10'000'000,
            "Connections of one address without a valid token; 0: 5000 for loopback, else 500.",
            [](auto& c) -> auto& { return c.endpoint.limits.max_unidentified_per_address; })),
        reloadable(count(
            "limits", "anonymous_requests_per_second", 0, kAnyCount,
            "Requests of one address without a valid token; loopback 20 times as many; 0: no "
            "limit.",
            [](auto& c) -> auto& { return c.endpoint.limits.anonymous_requests_per_second; })),
        reloadable(count(
            "limits", "wrong_tokens_per_minute", 0, 1'000'000,
            "Wrong tokens of one address before it must wait; loopback 5 times as many; 0: no "
            "limit.",
            [](auto& c) -> auto& { return c.endpoint.limits.wrong_tokens_per_minute; })),
        reloadable(duration(
            "limits", "wrong_token_wait", 1,
            "The longest such wait; it begins with a second and doubles; loopback a tenth.",
            [](auto& c) -> auto& { return c.endpoint.limits.wrong_token_wait; })),
        bytes(
            "limits", "input_bytes", kMiB, kTiB,
            "All requests and frames that have come in part; an agent or address has a quarter.",
            [](auto& c) -> auto& { return c.endpoint.limits.input_bytes; }),
        duration(
            "limits", "identify_timeout", 1, "WebSocket: time to identify.",
            [](auto& c) -> auto& { return c.endpoint.limits.identify_timeout; }),
        duration(
            "limits", "liveness_timeout", 1'000,
            "WebSocket: closed when nothing arrives for this long; pinged at half of it.",
            [](auto& c) -> auto& { return c.endpoint.limits.liveness_timeout; }),
        duration(
            "limits", "request_timeout", 1, "HTTP: time for header and body to arrive.",
            [](auto& c) -> auto& { return c.endpoint.limits.request_timeout; }),
        duration(
            "limits", "keep_alive_timeout", 1, "HTTP: idle time between requests.",
            [](auto& c) -> auto& { return c.endpoint.limits.keep_alive_timeout; }),
        duration(
            "limits", "write_timeout", 1'000,
            "Time in which whatever is sent to a connection must have been taken.",
            [](auto& c) -> auto& { return c.endpoint.limits.write_timeout; }),
        duration(
            "limits", "close_timeout", 1, "Closing handshake and last bytes.",
            [](auto& c) -> auto& { return c.endpoint.limits.close_timeout; }),
        bytes(
            "limits", "outbox_bytes", 64 * kKiB, kTiB,
            "Unsent bytes of one connection before it is closed as a slow consumer; messages wait "
            "in the "
            "mailbox when there is half of it.",
            [](auto& c) -> auto& { return c.endpoint.limits.outbox.max_bytes; }),
        count(
            "limits", "outbox_frames", 16, 100'000'000, "The same in frames.",
            [](auto& c) -> auto& { return c.endpoint.limits.outbox.max_frames; }),
        bytes(
            "limits", "output_bytes", kMiB, kTiB,
            "Unsent bytes of all connections; past it the largest debtors are closed.",
            [](auto& c) -> auto& { return c.output_bytes; }),
        reloadable(count(
            "limits", "messages_per_second", 0, kAnyCount, "Per agent; 0: no limit.",
            [](auto& c) -> auto& { return c.router.messages_per_second; })),
        reloadable(count(
            "limits", "message_burst", 1, kAnyCount,
            "Messages an agent may send at once before its rate counts.",
            [](auto& c) -> auto& { return c.router.message_burst; })),
        reloadable(count(
            "limits", "work_per_second", 0, kAnyCount,
            "Per agent, what is not a send, in units: 1 a ping, 50 a listing, 500 a status; 0: "
            "off.",
            [](auto& c) -> auto& { return c.router.work_per_second; })),
        reloadable(count(
            "limits", "work_burst", 1, kAnyCount, "The same, at once after a rest.",
            [](auto& c) -> auto& { return c.router.work_burst; })),
        reloadable(count(
            "limits", "rate_warnings", 0, 1'000'000,
            "Answers of rate_limited before the connection is closed.",
            [](auto& c) -> auto& { return c.router.rate_warnings; })),
        reloadable(count(
            "limits", "takeovers_per_minute", 0, kAnyCount,
            "How often connections of one agent may replace one another; 0: no limit.",
            [](auto& c) -> auto& { return c.router.takeovers_per_minute; })),
        bytes(
            "limits", "max_profile_bytes", 64, kMiB,
            "An agent's name, status and capabilities, each.",
            [](auto& c) -> auto& { return c.router.max_profile_bytes; }),
        reloadable(count(
            "limits", "max_waiting_polls", 0, 10'000'000, "Long polls that wait at once.",
            [](auto& c) -> auto& { return c.router.max_waiting_polls; })),
        reloadable(count(
            "limits", "max_waiting_polls_per_agent", 0, 10'000'000,
            "Those of one agent; 0: a quarter.",
            [](auto& c) -> auto& { return c.router.max_waiting_polls_per_agent; })),
        reloadable(count(
            "limits", "max_streams", 0, 10'000'000, "Streams of events that are open at once.",
            [](auto& c) -> auto& { return c.router.max_streams; })),
        reloadable(count(
            "limits", "max_streams_per_agent", 1, 10'000'000, "Those of one agent.",
            [](auto& c) -> auto& { return c.router.max_streams_per_agent; })),
        count(
            "limits", "max_analytics_agents", 1, 100'000'000, "Agents that the analytics remember.",
            [](auto& c) -> auto& { return c.router.max_analytics_agents; }),
        count(
            "limits", "observed_agents", 1, 1'000'000,
            "Agents whose rows observers are shown: those seen last.",
            [](auto& c) -> auto& { return c.router.observed_agents; }),
        reloadable(count(
            "limits", "max_unclaimed_mailboxes", 0, kAnyCount,
            "Recipients that nobody holds a token for.",
            [](auto& c) -> auto& { return c.store.quotas.max_unclaimed_mailboxes; })),
        reloadable(count(
            "limits", "max_channels", 0, kAnyCount, "Channels.",
            [](auto& c) -> auto& { return c.store.quotas.max_channels; })),
        reloadable(count(
            "limits", "share_percent", 1, 100,
            "Part of those two that one agent may take; at least one of each.",
            [](auto& c) -> auto& { return c.store.quotas.share_percent; })),
        reloadable(count(
            "limits", "max_sessions_per_token", 1, 10'000,
            "Browsers in which one token is logged in; with one more the oldest ends.",
            [](auto& c) -> auto& { return c.store.quotas.max_web_sessions_per_token; })),
        duration(
            "limits", "channel_idle_expiry", 0,
            "A channel without subscribers and messages for this long is deleted; 0: never.",
            [](auto& c) -> auto& { return c.router.channel_idle_expiry; }),
        reloadable(count(
            "limits", "max_members_per_channel", 1, 10'000, "Members of one channel.",
            [](auto& c) -> auto& { return c.store.quotas.max_members_per_channel; })),
        reloadable(count(
            "limits", "max_subscriptions_per_agent", 0, kAnyCount,
            "Channels one agent may subscribe to.",
            [](auto& c) -> auto& { return c.store.quotas.max_subscriptions_per_agent; })),
    };
}

std::vector<ConfigKey> watch_keys() {
    return {
        choice(
            "metrics", "access", std::array<std::string_view, 3>{"loopback", "token", "open"},
            "Who may GET /metrics besides administrators and observers.",
            [](auto& c) -> auto& { return c.router.metrics_access; }),
        duration(
            "metrics", "backlog_interval", 0,
            "Least age of the counts of unread mail before they are made anew; 0: none are.",
            [](auto& c) -> auto& { return c.router.metrics_backlog_interval; }),
        duration(
            "health", "stalled_after", 2'000,
            "A loop that has not turned, or a commit that takes this long, shows in health.",
            [](auto& c) -> auto& { return c.router.stalled_after; }),
        reloadable(choice(
            "log", "level", std::array<std::string_view, 4>{"debug", "info", "warning", "error"},
            "The least important lines that are written to standard error.",
            [](auto& c) -> auto& { return c.log_level; })),
        choice(
            "log", "format", std::array<std::string_view, 2>{"text", "json"},
            "Lines for people, or one JSON object a line.",
            [](auto& c) -> auto& { return c.log_format; }),
    };
}

std::string upper(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return out;
}

}  // namespace

std::string ConfigKey::dotted() const { return std::string(section) + '.' + std::string(name); }

std::string ConfigKey::environment_variable() const {
    return "AGENTCOM_" + upper(section) + '_' + upper(name);
}

std::span<const ConfigKey> config_keys() {
    static const std::vector<ConfigKey> kKeys = [] {
        std::vector<ConfigKey> all;
        for (auto part :
             {server_keys(), store_keys(), auth_and_mailbox_keys(), limit_keys(), watch_keys()}) {
            std::ranges::move(part, std::back_inserter(all));
        }
        return all;
    }();
    return kKeys;
}

const ConfigKey* find_config_key(std::string_view section, std::string_view name) {
    const auto keys = config_keys();
    const auto found = std::ranges::find_if(
        keys, [&](const ConfigKey& key) { return key.section == section && key.name == name; });
    return found == keys.end() ? nullptr : &*found;
}

void set_config(Config& config, const ConfigKey& key, const RawValue& value,
                const std::string& what, const std::string& origin) {
    if (const auto expected = key.read(config, value)) {
        throw ConfigError(what + " must be " + *expected);
    }
    config.origins.insert_or_assign(key.dotted(), origin);
}

bool is_config_section(std::string_view name) {
    return std::ranges::any_of(config_keys(),
                               [&](const ConfigKey& key) { return key.section == name; });
}

}  // namespace agentcom::app
