#include "net/ws_reader.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "net/ws_handshake.hpp"

namespace agentcom::net {
namespace {

using Event = WsReader::Event;
using Seen = std::vector<std::pair<Event, std::string>>;

std::string frame(unsigned first, std::string_view payload, std::string_view mask) {
    std::string out{static_cast<char>(first)};
    if (payload.size() < 126) {
        out.push_back(static_cast<char>(0x80U | payload.size()));
    } else {
        out.push_back('\xfe');
        out.push_back(static_cast<char>(payload.size() >> 8));
        out.push_back(static_cast<char>(payload.size() & 0xff));
    }
    out += mask;
    for (std::size_t i = 0; i < payload.size(); ++i) {
        out.push_back(static_cast<char>(payload[i] ^ mask[i % 4]));
    }
    return out;
}

/// Everything that happens when the bytes come in pieces of these sizes, used in turn.
Seen read(std::string_view bytes, const std::vector<std::size_t>& sizes) {
    WsReader reader(10'000);
    Seen seen;
    std::size_t turn = 0;
    while (!bytes.empty()) {
        std::string_view piece = bytes.substr(0, sizes[turn++ % sizes.size()]);
        bytes.remove_prefix(piece.size());
        while (!piece.empty()) {
            const std::size_t taken = reader.take(piece);
            piece.remove_prefix(taken);
            if (reader.event() == Event::none) {
                EXPECT_TRUE(piece.empty());
                continue;
            }
            seen.emplace_back(reader.event(), std::string(reader.payload()));
            if (reader.event() == Event::close || reader.event() == Event::broken) {
                EXPECT_EQ(reader.take(piece), 0U);
                return seen;
            }
            reader.next();
        }
    }
    return seen;
}

TEST(WsReader, SeesTheSameHoweverTheBytesAreCutUp) {
    std::mt19937 random(20'261'126);
    const auto upto = [&](std::size_t most) {
        return std::uniform_int_distribution<std::size_t>(0, most)(random);
    };
    int broken = 0;
    for (int round = 0; round < 2'000; ++round) {
        std::string bytes;
        bool open = false;
        for (std::size_t left = upto(20); left > 0; --left) {
            const std::string mask{static_cast<char>(upto(255)), static_cast<char>(upto(255)),
                                   static_cast<char>(upto(255)), static_cast<char>(upto(255))};
            const std::string payload(upto(3) == 0 ? upto(400) : upto(125), 'x');
            const bool fin = upto(1) == 0;
            if (upto(3) == 0) {
                bytes += frame(0x89, payload.substr(0, 125), mask);
            } else {
                bytes += frame((fin ? 0x80U : 0U) | (open ? 0U : 1U), payload, mask);
                open = !fin;
            }
        }
        // Now and then a byte is wrong.
        if (!bytes.empty() && upto(2) == 0)
            bytes[upto(bytes.size() - 1)] ^= static_cast<char>(upto(255));
        const Seen whole = read(bytes, {bytes.size() + 1});
        EXPECT_EQ(read(bytes, {1}), whole);
        EXPECT_EQ(read(bytes, {1 + upto(10), 1 + upto(200), 1 + upto(3)}), whole);
        broken += !whole.empty() && whole.back().first == Event::broken ? 1 : 0;
    }
    EXPECT_GT(broken, 20);
    EXPECT_LT(broken, 1'000);
}

TEST(WsReader, HoldsWhatHasComeOfAMessageAndGivesLargeOnesBack) {
    const std::string mask(4, '\0');
    WsReader reader(100'000);
    const std::string large(50'000, 'x');
    const std::string begun = frame(0x01, large, mask);
    EXPECT_EQ(reader.take(begun), begun.size());
    EXPECT_EQ(reader.event(), Event::none);
    EXPECT_EQ(reader.held(), large.size());
    const std::string rest = frame(0x80, "y", mask);
    EXPECT_EQ(reader.take(rest), rest.size());
    EXPECT_EQ(reader.event(), Event::text);
    EXPECT_EQ(reader.payload(), large + "y");
    reader.next();
    EXPECT_EQ(reader.held(), 0U);
}

TEST(WsReader, TheLimitIsForAllFragmentsTogetherAndMayBeRaisedBetweenMessages) {
    const std::string mask(4, '\0');
    WsReader reader(10);
    const std::string fits = frame(0x01, "12345", mask) + frame(0x80, "67890", mask);
    EXPECT_EQ(reader.take(fits), fits.size());
    EXPECT_EQ(reader.payload(), "1234567890");
    reader.limit(20);
    reader.next();
    const std::string larger = frame(0x81, std::string(20, 'x'), mask);
    EXPECT_EQ(reader.take(larger), larger.size());
    EXPECT_EQ(reader.event(), Event::text);
    reader.next();
    (void)reader.take(frame(0x81, std::string(21, 'x'), mask));
    EXPECT_EQ(reader.event(), Event::broken);
    EXPECT_EQ(reader.failure(), protocol::CloseCode::frame_too_big);
    EXPECT_EQ(reader.held(), 0U);
}

TEST(WsReader, MessagesThatArePassedOverAreNeitherKeptNorTold) {
    const std::string mask(4, '\0');
    WsReader reader(10);
    (void)reader.take(frame(0x01, "12345", mask));
    reader.pass_over_messages();
    const std::string rest = frame(0x80, std::string(60'000, '\xff'), mask) + frame(0x8a, "", mask);
    EXPECT_EQ(reader.take(rest), rest.size());
    EXPECT_EQ(reader.event(), Event::pong);
    EXPECT_EQ(reader.held(), 0U);
}

TEST(WsHandshake, KnowsAKeyWhenItSeesOne) {
    EXPECT_TRUE(is_websocket_key("dGhlIHNhbXBsZSBub25jZQ=="));
    EXPECT_TRUE(is_websocket_key("AAAAAAAAAAAAAAAAAAAAAA=="));
    EXPECT_TRUE(is_websocket_key("+/++++++++++++++++++AA=="));
    for (const char* text :
         {"", "==", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=",
          "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBsZSBub25jZTE=", "dGhlIHNhbXBsZSBub25jZTEy",
          "dGhlIHNhbXBsZSBub2 jZQ==", "dGhlIHNhbXBsZSBub2-jZQ==", "dGhlIHNhbXBsZSBub=5jZQ=="}) {
        EXPECT_FALSE(is_websocket_key(text)) << text;
    }
}

TEST(WsHandshake, AnswersAsTheExampleOfTheRfc) {
    const std::string answer = websocket_answer("dGhlIHNhbXBsZSBub25jZQ==", core::Timestamp{});
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 101 "));
    EXPECT_NE(answer.find("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
              std::string::npos);
    EXPECT_EQ(answer.find("Sec-WebSocket-Protocol"), std::string::npos);
    EXPECT_EQ(answer.find("Sec-WebSocket-Extensions"), std::string::npos);
    EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

}  // namespace
}  // namespace agentcom::net
