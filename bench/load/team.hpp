#pragma once

#include <unistd.h>

#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "histogram.hpp"
#include "scenarios.hpp"
#include "stopwatch.hpp"

namespace agentcom::bench {

inline constexpr std::int64_t kSecond = 1'000'000'000;

/// What a pushed or answering frame is, told by its first bytes.
enum class FrameKind : std::uint8_t {
    sent,
    published,
    message,
    channel_message,
    identified,
    subscribed,
    error,
    other
};
[[nodiscard]] inline FrameKind kind_of(std::string_view text) {
    const std::string_view head = text.substr(0, 32);
    const auto has = [&](std::string_view type) { return head.find(type) != head.npos; };
    if (has("\"message\"")) return FrameKind::message;
    if (has("\"message_sent\"")) return FrameKind::sent;
    if (has("\"channel_message\"")) return FrameKind::channel_message;
    if (has("\"channel_published\"")) return FrameKind::published;
    if (has("\"identified\"")) return FrameKind::identified;
    if (has("\"channel_subscribed\"")) return FrameKind::subscribed;
    if (has("\"error\"")) return FrameKind::error;
    return FrameKind::other;
}

/// Agents with tokens and, once joined, a WebSocket each.
class Team {
public:
    Team(const Options& options, Poller& poller) : options_(options), poller_(poller) {}

    /// Creates `count` agents called NAME-0, NAME-1, ... and their tokens.
    void recruit(const std::string& name, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            ids.push_back(run_tag() + "-" + name + "-" + std::to_string(i));
        }
        tokens = Admin(options_).create_tokens(ids);
    }
    /// Connects and identifies all; returns the nanoseconds it took until the last was identified.
    std::int64_t join(std::string_view extra) {
        const std::int64_t began = now_ns();
        std::size_t identified = 0;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            Connection& connection =
                poller_.connect(Connection::Kind::websocket, i, [this, i, extra](Connection& self) {
                    self.send_text("{\"type\":\"identify\",\"agent_id\":\"" + ids[i] +
                                   "\",\"token\":\"" + tokens[i] + "\"" + std::string(extra) + "}");
                });
            connection.on_text([&identified](Connection&, std::string_view text) {
                if (kind_of(text) == FrameKind::identified) ++identified;
                if (kind_of(text) == FrameKind::error) throw std::runtime_error(std::string(text));
            });
            connections.push_back(&connection);
            // A listener's queue is short; connecting in portions keeps it from overflowing.
            if (i % 128 == 127) {
                const std::size_t wanted = i > 1'024 ? i - 1'024 : 0;
                poller_.run_until([&] { return identified >= wanted; }, now_ns() + 60 * kSecond);
            }
        }
        const bool all =
            poller_.run_until([&] { return identified == ids.size(); }, now_ns() + 60 * kSecond);
        if (!all) throw std::runtime_error("not all agents were identified within a minute");
        return now_ns() - began;
    }
    void on_text(const Connection::Handler& handler) {
        for (Connection* connection : connections) connection->on_text(handler);
    }

    std::vector<std::string> ids;
    std::vector<std::string> tokens;
    std::vector<Connection*> connections;

private:
    const Options& options_;
    Poller& poller_;
};

/// A payload object of about `bytes` bytes.
[[nodiscard]] inline std::string make_payload(std::size_t bytes) {
    constexpr std::size_t kFrame = 13;  // {"text":"..."}
    return "{\"text\":\"" + std::string(bytes > kFrame ? bytes - kFrame + 2 : 1, 'x') + "\"}";
}

[[nodiscard]] inline std::string direct_frame(const std::string& to, std::size_t payload) {
    return "{\"type\":\"message\",\"to\":\"" + to + "\",\"payload\":" + make_payload(payload) + "}";
}

[[nodiscard]] inline std::string get(const std::string& path, const std::string& token) {
    return "GET " + path + " HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer " + token + "\r\n\r\n";
}

/// Resident bytes of the hub's process; 0 when unknown.
[[nodiscard]] inline double resident_bytes(int pid) {
    if (pid == 0) return 0;
    std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
    double total = 0;
    double resident = 0;
    file >> total >> resident;
    return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

inline void add_latency(Figures& figures, const std::string& name, const Histogram& histogram) {
    figures[name + "_p50_us"] = histogram.quantile_us(0.50);
    figures[name + "_p99_us"] = histogram.quantile_us(0.99);
    figures[name + "_p999_us"] = histogram.quantile_us(0.999);
}

/// Runs a warm-up of a fifth of the time, calls `begin`, then runs the measured time.
[[nodiscard]] inline Stopwatch measure(const Options& options, Poller& poller,
                                       const std::function<void()>& begin,
                                       const std::function<std::int64_t()>& idle = {}) {
    const auto measured = static_cast<std::int64_t>(options.seconds * 1e9);
    const auto never = [] { return false; };
    poller.run_until(never, now_ns() + measured / 5, idle);
    begin();
    Stopwatch watch(options.server_pid);
    poller.run_until(never, now_ns() + measured, idle);
    watch.stop();
    return watch;
}

inline constexpr std::string_view kQuiet = ",\"presence\":false,\"echo\":false";

}  // namespace agentcom::bench
