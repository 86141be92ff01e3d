#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace agentcom::test {

/// Everything in the tests that waits gives up after this long; nothing ever waits for it to pass.
inline constexpr std::chrono::seconds kPatience{30};

/// A blocking TCP connection to a hub on loopback. Throws std::runtime_error on errors and when
/// patience runs out.
class Socket {
public:
    explicit Socket(std::uint16_t port);
    ~Socket();
    Socket(Socket&& other) noexcept;
    Socket& operator=(Socket&&) = delete;

    void send(std::string_view bytes);
    /// At least one byte; empty when the peer has closed.
    [[nodiscard]] std::string receive_some();
    /// Bytes that can be received without waiting. Any thread.
    [[nodiscard]] std::size_t available() const;
    void close();
    /// Closes with a reset, as a crashed machine would look.
    void cut();

private:
    int fd_ = -1;
};

/// An HTTP client on one keep-alive connection.
class HttpClient {
public:
    struct Response {
        int status = 0;
        std::map<std::string, std::string> headers;  // lower-case names
        std::string body;
        [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(body); }
    };

    explicit HttpClient(std::uint16_t port, std::string token = {})
        : socket_(port), token_(std::move(token)) {}

    Response get(const std::string& path) { return request("GET", path); }
    Response post(const std::string& path, const nlohmann::json& body) {
        return request("POST", path, body.dump());
    }
    Response request(const std::string& method, const std::string& path,
                     const std::optional<std::string>& body = {},
                     const std::vector<std::string>& headers = {});
    /// For requests that are pipelined or malformed on purpose.
    void send_raw(std::string_view bytes) { socket_.send(bytes); }
    [[nodiscard]] Response read_response();
    [[nodiscard]] bool closed_by_peer();

private:
    Socket socket_;
    std::string token_;
    std::string buffer_;
};

/// A WebSocket client at /ws.
class WsClient {
public:
    struct Closed {
        std::uint16_t code = 1006;
        std::string reason;
    };

    explicit WsClient(std::uint16_t port);

    void send_text(std::string_view text) { send_frame(0x1, text); }
    void send(const nlohmann::json& value) { send_text(value.dump()); }
    void send_frame(unsigned opcode, std::string_view payload);
    void send_raw(std::string_view bytes) { socket_.send(bytes); }

    /// The next text frame; pings are answered on the way. Throws when the connection ends.
    [[nodiscard]] nlohmann::json receive();
    /// The next frame of this type; others are kept in `others`.
    nlohmann::json receive(std::string_view type);
    /// Sends, and waits for the answer: the next frame that is not one of the pushed kinds.
    nlohmann::json ask(const nlohmann::json& value);
    /// Identifies and returns the answer.
    nlohmann::json identify(const std::string& agent, const std::string& token,
                            nlohmann::json extra = nlohmann::json::object());
    /// Reads until the hub has closed the connection.
    [[nodiscard]] Closed wait_closed();
    /// Closes in an orderly way.
    void close();
    void cut() { socket_.cut(); }
    /// Whether something has arrived that was not received yet.
    [[nodiscard]] bool has_input() const { return !buffer_.empty() || socket_.available() > 0; }
    /// Frames that `receive(type)` and `ask` passed over, in order.
    std::vector<nlohmann::json> others;

private:
    struct Frame {
        unsigned opcode = 0;
        std::string payload;
    };
    [[nodiscard]] std::optional<Frame> next_frame();

    Socket socket_;
    std::string buffer_;
    std::optional<Closed> closed_;
};

}  // namespace agentcom::test
