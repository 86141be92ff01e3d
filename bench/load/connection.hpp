#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace agentcom::bench {

/// Nanoseconds of the monotonic clock.
[[nodiscard]] std::int64_t now_ns() noexcept;

/// Address of the hub. Throws std::runtime_error on a URL that is not http://host:port.
struct Target {
    std::string host;
    std::uint16_t port = 0;
    [[nodiscard]] static Target parse(const std::string& url);
};

class Poller;

/// A non-blocking connection that costs as little as possible: frames are recognised by their
/// bytes, output of one round is written with one call. Owned by the Poller.
class Connection {
public:
    enum class Kind : std::uint8_t { websocket, http, stream };
    /// WebSocket: one text message. HTTP: the body of one answer. Stream: one event or comment,
    /// and nothing when it is opened.
    using Handler = std::function<void(Connection&, std::string_view text)>;

    /// Queues a text frame (masked with a zero key, which is valid and costs nothing).
    void send_text(std::string_view payload);
    /// Queues raw bytes: an HTTP request.
    void send_raw(std::string_view bytes);

    [[nodiscard]] std::size_t index() const noexcept { return index_; }
    void on_text(Handler handler) { handler_ = std::move(handler); }
    [[nodiscard]] bool open() const noexcept { return fd_ >= 0; }
    [[nodiscard]] int status() const noexcept { return status_; }

private:
    friend class Poller;
    void mark_dirty();

    Poller* poller_ = nullptr;
    int fd_ = -1;
    Kind kind_ = Kind::http;
    bool upgraded_ = false;
    bool dirty_ = false;
    bool want_write_ = false;
    int status_ = 0;
    std::size_t index_ = 0;
    std::string out_;
    std::string in_;  // what is left of an incomplete frame
    Handler handler_;
    std::function<void(Connection&)> opened_;
};

/// One thread's epoll loop over all connections.
class Poller {
public:
    explicit Poller(Target target);
    ~Poller();
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;

    /// Connects; `opened` runs when HTTP is connected or the WebSocket is upgraded.
    Connection& connect(Connection::Kind kind, std::size_t index,
                        std::function<void(Connection&)> opened = {});
    /// Runs until the condition holds or the time (ns) has come; false on the latter. Throws when a
    /// connection is lost. `idle` is called in every round, before output is flushed, and returns
    /// the time (ns) at which it wants to be called again at the latest.
    bool run_until(const std::function<bool()>& done, std::int64_t deadline,
                   const std::function<std::int64_t()>& idle = {});
    void close_all();
    [[nodiscard]] std::size_t size() const noexcept { return connections_.size(); }

private:
    friend class Connection;
    void read(Connection& connection);
    std::size_t consume(Connection& connection, std::string_view bytes);
    std::size_t consume_http(Connection& connection, std::string_view bytes);
    std::size_t consume_event(Connection& connection, std::string_view bytes);
    void flush(Connection& connection);
    void lost(Connection& connection, const char* what);

    Target target_;
    int epoll_ = -1;
    std::vector<std::unique_ptr<Connection>> connections_;
    std::vector<Connection*> dirty_;
    std::vector<char> buffer_;
};

}  // namespace agentcom::bench
