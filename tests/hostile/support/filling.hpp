#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hostile/support/attacker.hpp"
#include "support/hub_process.hpp"

namespace agentcom::test {

/// Tokens for `prefix`-0, `prefix`-1, ..., made over several connections.
[[nodiscard]] std::vector<std::string> create_tokens(HubProcess& hub, const std::string& prefix,
                                                     std::size_t count);

/// Sends `count` requests over several pipelined connections and returns the bodies of the answers
/// in order. `request(i)` is the text of one; throws when an answer's status is not a success.
template <class Request>
std::vector<std::string> ask_many(std::uint16_t port, std::size_t count, Request request) {
    static constexpr std::size_t kConnections = 8;
    static constexpr std::size_t kPiece = 50;
    std::vector<HttpClient> clients;
    for (std::size_t i = 0; i < kConnections; ++i) clients.emplace_back(port);
    std::vector<std::string> bodies;
    while (bodies.size() < count) {
        const std::size_t first = bodies.size();
        const auto piece_of = [&](std::size_t client) {
            return std::pair(std::min(count, first + client * kPiece),
                             std::min(count, first + (client + 1) * kPiece));
        };
        for (std::size_t c = 0; c < kConnections; ++c) {
            const auto [begin, end] = piece_of(c);
            std::string text;
            for (std::size_t i = begin; i < end; ++i) text += request(i);
            clients[c].send_raw(text);
        }
        for (std::size_t c = 0; c < kConnections; ++c) {
            const auto [begin, end] = piece_of(c);
            for (std::size_t i = begin; i < end; ++i) {
                auto answer = clients[c].read_response();
                if (answer.status / 100 != 2) throw std::runtime_error("refused: " + answer.body);
                bodies.push_back(std::move(answer.body));
            }
        }
    }
    return bodies;
}

/// Sends `count` frames over an identified connection, some hundred at a time, and waits for the
/// answer to each, which has `answer` in it. False when the connection ends or an answer does not
/// come.
template <class Frame>
bool pump(Attacker& agent, std::size_t count, Frame frame, std::string_view answer) {
    static constexpr std::size_t kPiece = 250;
    for (std::size_t sent = 0; sent < count;) {
        const std::size_t end = std::min(count, sent + kPiece);
        std::string piece;
        for (std::size_t i = sent; i < end; ++i) piece += text_frame(frame(i));
        if (agent.send(piece) < piece.size()) return false;
        for (; sent < end; ++sent) {
            if (!agent.read_until(answer)) return false;
        }
    }
    return true;
}

/// A message frame whose payload has a text of this size.
[[nodiscard]] std::string message_frame(std::string_view to, std::size_t size);
/// The body of such a message over HTTP; to a channel without `to`.
[[nodiscard]] std::string message_body(std::string_view to, std::size_t size,
                                       std::string_view reply_to = {});

}  // namespace agentcom::test
