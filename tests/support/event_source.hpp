#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>

#include "support/socket_client.hpp"

namespace agentcom::test {

/// One stream, read as the standard says.
class EventSource {
public:
    struct Event {
        std::string id;
        std::string type;
        std::string data;
    };

    EventSource(std::uint16_t port, const std::string& path, const std::string& token,
                const std::string& headers = {}, const std::string& verb = "GET",
                const std::string& body = {})
        : socket_(port) {
        std::string request = verb + " " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers;
        if (!token.empty()) request += "Authorization: Bearer " + token + "\r\n";
        if (!body.empty()) request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
        socket_.send(request + "\r\n" + body);
        while (head_.find("\r\n\r\n") == std::string::npos) {
            const std::string some = socket_.receive_some();
            if (some.empty()) throw std::runtime_error("no answer: " + head_);
            head_ += some;
        }
        const std::size_t end = head_.find("\r\n\r\n") + 4;
        buffer_ = head_.substr(end);
        head_.resize(end);
    }

    [[nodiscard]] int status() const { return std::stoi(head_.substr(9, 3)); }
    [[nodiscard]] const std::string& head() const noexcept { return head_; }
    [[nodiscard]] bool says(const std::string& header) const {
        return head_.find("\r\n" + header + "\r\n") != std::string::npos;
    }

    /// The next event; comments are counted on the way. Nothing when the stream has ended.
    std::optional<Event> next() {
        Event event;
        bool any = false;
        for (;;) {
            const auto text = line();
            if (!text) return std::nullopt;
            if (text->empty()) {
                if (any) return event;
                continue;
            }
            if (text->front() == ':') {
                ++comments;
                continue;
            }
            const std::size_t colon = text->find(": ");
            const std::string name = text->substr(0, colon);
            const std::string value = colon == std::string::npos ? "" : text->substr(colon + 2);
            if (name == "id") event.id = value;
            if (name == "event") event.type = value;
            if (name == "data") event.data += (event.data.empty() ? "" : "\n") + value;
            any = true;
        }
    }
    /// The message in the next event, which must be one.
    nlohmann::json message() {
        const auto event = next();
        if (!event) throw std::runtime_error("the stream has ended");
        if (event->type != "message") throw std::runtime_error("not a message: " + event->type);
        nlohmann::json frame = nlohmann::json::parse(event->data);
        if (event->id != frame.at("seq").dump()) throw std::runtime_error("id is not the seq");
        return frame;
    }
    /// Reads on until this many comments have come.
    void await_comments(int count) {
        while (comments < count) {
            const auto text = line();
            if (!text) throw std::runtime_error("the stream has ended");
            if (!text->empty() && text->front() == ':') ++comments;
        }
    }
    [[nodiscard]] bool has_input() const { return !buffer_.empty() || socket_.available() > 0; }
    void close() { socket_.close(); }
    int comments = 0;

private:
    std::optional<std::string> line() {
        std::size_t end = 0;
        while ((end = buffer_.find('\n')) == std::string::npos) {
            const std::string some = socket_.receive_some();
            if (some.empty()) return std::nullopt;
            buffer_ += some;
        }
        std::string text = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        return text;
    }
    Socket socket_;
    std::string head_;
    std::string buffer_;
};

}  // namespace agentcom::test
