// RFC 6455 frame by frame: bytes a client may or may not send, and what the hub does about them.

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/hub_fixture.hpp"

namespace agentcom::test {
namespace {

using Json = nlohmann::json;

// ---- Building frames ----------------------------------------------------------------------------

constexpr unsigned kFin = 0x80;
constexpr unsigned kMasked = 0x80;
enum Opcode : unsigned {
    kContinuation = 0,
    kText = 1,
    kBinary = 2,
    kClose = 8,
    kPing = 9,
    kPong = 10
};

std::string big_endian(std::uint64_t value, std::size_t bytes) {
    std::string out;
    for (std::size_t i = bytes; i-- > 0;)
        out.push_back(static_cast<char>((value >> (8 * i)) & 0xff));
    return out;
}

/// The first byte as given; the length in its shortest form, or in one of so many bytes.
std::string raw(unsigned first, std::string_view payload,
                std::optional<std::size_t> length_bytes = {}, unsigned masked = kMasked) {
    const std::size_t form = length_bytes.value_or(payload.size() < 126       ? 0
                                                   : payload.size() <= 0xffff ? 2
                                                                              : 8);
    std::string out{static_cast<char>(first)};
    out.push_back(static_cast<char>(masked | (form == 0 ? payload.size() : form == 2 ? 126 : 127)));
    out += big_endian(payload.size(), form);
    if (masked == 0) return out + std::string(payload);
    const std::string mask = "\x37\xfa\x21\x3d";
    out += mask;
    for (std::size_t i = 0; i < payload.size(); ++i) {
        out.push_back(static_cast<char>(payload[i] ^ mask[i % 4]));
    }
    return out;
}
std::string text(std::string_view payload) { return raw(kFin | kText, payload); }
std::string first_part(std::string_view payload) { return raw(kText, payload); }
std::string next_part(std::string_view payload) { return raw(kContinuation, payload); }
std::string last_part(std::string_view payload) { return raw(kFin | kContinuation, payload); }
std::string ping(std::string_view payload) { return raw(kFin | kPing, payload); }
std::string closing(std::string_view payload) { return raw(kFin | kClose, payload); }
std::string closing(unsigned code, std::string_view reason = {}) {
    return closing(big_endian(code, 2) + std::string(reason));
}
/// A header that claims so many bytes, none of which follow.
std::string claim(unsigned first, std::uint64_t size, std::size_t length_bytes) {
    std::string out{static_cast<char>(first)};
    out.push_back(static_cast<char>(kMasked | (length_bytes == 2 ? 126 : 127)));
    return out + big_endian(size, length_bytes) + std::string(4, '\0');
}
std::string repeat(std::string_view what, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += what;
    return out;
}
/// A request whose answer repeats this text.
std::string asking(std::string_view ref) {
    return R"({"type":"ping","ref":")" + std::string(ref) + R"("})";
}

// ---- What comes back
// ------------------------------------------------------------------------------

/// One frame of the hub in words: "pong hello", "error not_identified", "close 1002",
/// "ref abc" for the answer to `asking`, "eof".
class Listener {
public:
    explicit Listener(Socket& socket) : socket_(socket) {}

    std::string next() {
        const auto head = take(2);
        if (!head) return "eof";
        const auto byte = [](char c) { return static_cast<unsigned char>(c); };
        std::uint64_t size = byte((*head)[1]) & 0x7fU;
        // A server's frames are not masked, nor longer than they need to be.
        if ((byte((*head)[1]) & kMasked) != 0) return "masked";
        if (size >= 126) {
            const auto length = take(size == 126 ? 2 : 8);
            if (!length) return "cut";
            size = 0;
            for (const char c : *length) size = (size << 8) | byte(c);
        }
        const auto payload = take(size);
        if (!payload) return "cut";
        switch (byte(head->front())) {
            case kFin | kText:
                return in_words(Json::parse(*payload));
            case kFin | kPong:
                return "pong " + *payload;
            case kFin | kPing:
                return "ping " + *payload;
            case kFin | kClose:
                if (payload->size() < 2) return "close";
                return "close " + std::to_string((byte((*payload)[0]) << 8) | byte((*payload)[1]));
            default:
                return "strange";
        }
    }

private:
    static std::string in_words(const Json& frame) {
        if (frame.contains("ref")) return "ref " + frame.at("ref").get<std::string>();
        return "error " + frame.value("error", "none");
    }
    std::optional<std::string> take(std::uint64_t size) {
        while (buffer_.size() < size) {
            const std::string some = socket_.receive_some();
            if (some.empty()) return std::nullopt;
            buffer_ += some;
        }
        std::string taken = buffer_.substr(0, size);
        buffer_.erase(0, size);
        return taken;
    }
    Socket& socket_;
    std::string buffer_;
};

struct Case {
    std::string name;
    std::string bytes;
    std::vector<std::string> expected;
};

std::vector<Case> well_formed() {
    const std::string wide = asking("\xc2\xa2\xe2\x82\xac\xf0\x9f\x98\x80");
    const std::string ref = "ref \xc2\xa2\xe2\x82\xac\xf0\x9f\x98\x80";
    std::string each_byte = first_part(wide.substr(0, 1));
    for (std::size_t i = 1; i < wide.size(); ++i) each_byte += next_part(wide.substr(i, 1));
    each_byte += last_part("");
    const std::string long_text = asking("a") + std::string(200, ' ');
    const std::string longer_text = asking("b") + std::string(65'400, ' ');
    std::vector<Case> cases{
        {"a text", text(asking("a")), {"ref a"}},
        {"a text of 126 bytes",
         text(asking("a") + std::string(126 - asking("a").size(), ' ')),
         {"ref a"}},
        {"a text with two bytes of length", text(long_text), {"ref a"}},
        {"a text as long as strangers may send", text(longer_text), {"ref b"}},
        {"an empty text", text(""), {"error invalid_json"}},
        {"an empty text in fragments", first_part("") + last_part(""), {"error invalid_json"}},
        {"characters of two, three and four bytes", text(wide), {ref}},
        {"a binary message", raw(kFin | kBinary, "\x01\x02"), {"error binary_not_supported"}},
        {"a binary message that is no UTF-8",
         raw(kFin | kBinary, "\xff\xfe"),
         {"error binary_not_supported"}},
        {"a binary message in fragments",
         raw(kBinary, "\xff") + last_part("\xfe"),
         {"error binary_not_supported"}},
        {"two fragments", first_part(R"({"type":"ping",)") + last_part(R"("ref":"x"})"), {"ref x"}},
        {"three fragments",
         first_part(R"({"type":)") + next_part(R"("ping",)") + last_part(R"("ref":"x"})"),
         {"ref x"}},
        {"a fragment for every byte, so within characters, too", each_byte, {ref}},
        {"10,000 empty fragments",
         first_part(asking("e")) + repeat(next_part(""), 10'000) + last_part(""),
         {"ref e"}},
        {"10,000 empty fragments first",
         first_part("") + repeat(next_part(""), 10'000) + last_part(asking("f")),
         {"ref f"}},
        {"a ping between fragments",
         first_part(R"({"type":"ping",)") + ping("hi") + last_part(R"("ref":"x"})"),
         {"pong hi", "ref x"}},
        {"a ping within a character",
         first_part(wide.substr(0, wide.size() - 4)) + ping("hi") +
             last_part(wide.substr(wide.size() - 4)),
         {"pong hi", ref}},
        {"a pong between fragments",
         first_part(R"({"type":"ping",)") + raw(kFin | kPong, "hi") + last_part(R"("ref":"x"})"),
         {"ref x"}},
        {"many pings between fragments",
         first_part(asking("x")) + repeat(ping("p"), 3) + last_part(""),
         {"pong p", "pong p", "pong p", "ref x"}},
        {"an empty ping", ping(""), {"pong "}},
        {"a ping", ping("hello"), {"pong hello"}},
        {"a ping of 125 bytes", ping(std::string(125, 'x')), {"pong " + std::string(125, 'x')}},
        {"a ping that is no UTF-8", ping("\xff\xfe"), {"pong \xff\xfe"}},
        {"a ping with zero bytes", ping(std::string(3, '\0')), {"pong " + std::string(3, '\0')}},
        {"ten pings", repeat(ping("x"), 10), std::vector<std::string>(10, "pong x")},
        {"a pong nobody asked for",
         raw(kFin | kPong, "x") + ping("still here"),
         {"pong still here"}},
        {"a pong of 125 bytes", raw(kFin | kPong, std::string(125, 'x')) + ping("y"), {"pong y"}},
        {"two texts in one piece", text(asking("1")) + text(asking("2")), {"ref 1", "ref 2"}},
        {"a close without a code", closing(""), {"close", "eof"}},
        {"a close with the longest reason",
         closing(1000, std::string(123, 'r')),
         {"close 1000", "eof"}},
        {"a close with a reason in UTF-8", closing(1000, "\xe2\x82\xac"), {"close 1000", "eof"}},
        {"a text and a close", text(asking("z")) + closing(1000), {"ref z", "close 1000", "eof"}},
        {"a close between fragments", first_part("{") + closing(1000), {"close 1000", "eof"}},
        {"a text after a close is not answered",
         closing(1000) + text(asking("late")),
         {"close 1000", "eof"}},
        {"a ping after a close is not answered",
         closing(1000) + ping("late"),
         {"close 1000", "eof"}},
        {"rubbish after a close is not looked at",
         closing(1001) + "\xff\xff\xff",
         {"close 1001", "eof"}},
        {"a second close", closing(1000) + closing(1001), {"close 1000", "eof"}},
    };
    for (const unsigned code : {1000U, 1001U, 1002U, 1003U, 1007U, 1008U, 1009U, 1010U, 1011U,
                                1012U, 1013U, 1014U, 3000U, 3999U, 4000U, 4999U}) {
        const std::string number = std::to_string(code);
        cases.push_back({"a close with " + number, closing(code), {"close " + number, "eof"}});
    }
    return cases;
}

std::vector<Case> broken() {
    const std::vector<std::string> refused{"close 1002", "eof"};
    const std::vector<std::string> not_text{"close 1007", "eof"};
    const std::vector<std::string> too_big{"close 1009", "eof"};
    std::vector<Case> cases{
        {"an unmasked text", raw(kFin | kText, "{}", {}, 0), refused},
        {"an unmasked ping", raw(kFin | kPing, "", {}, 0), refused},
        {"an unmasked close", raw(kFin | kClose, big_endian(1000, 2), {}, 0), refused},
        {"an unmasked fragment", first_part("{") + raw(kFin, "}", {}, 0), refused},
        {"a ping that is not final", raw(kPing, "x"), refused},
        {"a pong that is not final", raw(kPong, "x"), refused},
        {"a close that is not final", raw(kClose, big_endian(1000, 2)), refused},
        {"a ping of 126 bytes", raw(kFin | kPing, std::string(126, 'x')), refused},
        {"a pong of 126 bytes", raw(kFin | kPong, std::string(126, 'x')), refused},
        {"a close of 126 bytes", closing(1000, std::string(124, 'x')), refused},
        {"the header of a ping of 64 KiB, and nothing else", claim(kFin | kPing, 65'536, 8),
         refused},
        {"a continuation of nothing", last_part("x"), refused},
        {"a continuation of nothing that goes on", next_part("x"), refused},
        {"an empty continuation of nothing", last_part(""), refused},
        {"a continuation after a whole message",
         text(asking("a")) + last_part("x"),
         {"ref a", "close 1002", "eof"}},
        {"a text within a text", first_part("{") + text("{}"), refused},
        {"a binary within a text", first_part("{") + raw(kFin | kBinary, "x"), refused},
        {"a text that begins within a text", first_part("{") + first_part("}"), refused},
        {"a text within a binary", raw(kBinary, "x") + text("{}"), refused},
        {"a length of two bytes for 125", raw(kFin | kText, std::string(125, ' '), 2), refused},
        {"a length of two bytes for 0", raw(kFin | kText, "", 2), refused},
        {"a length of eight bytes for 125", raw(kFin | kText, std::string(125, ' '), 8), refused},
        {"a length of eight bytes for 65,535", claim(kFin | kText, 65'535, 8), refused},
        {"a length with its top bit", claim(kFin | kText, std::uint64_t{1} << 63, 8), refused},
        {"a length of all bits", claim(kFin | kText, ~std::uint64_t{0}, 8), refused},
        {"a binary length with its top bit", claim(kFin | kBinary, (std::uint64_t{1} << 63) + 9, 8),
         refused},
        {"a close of one byte", closing("\x03"), refused},
        {"a reason that is no UTF-8", closing(1000, "\xff"), not_text},
        {"a reason that ends within a character", closing(1000, "ok \xe2\x82"), not_text},
        {"a stray continuation byte", text("\x80"), not_text},
        {"bytes that never occur", text("\xfe\xff"), not_text},
        {"an overlong slash", text("\xc0\xaf"), not_text},
        {"an overlong form of three bytes", text("\xe0\x80\xaf"), not_text},
        {"an overlong form of four bytes", text("\xf0\x80\x80\xaf"), not_text},
        {"a surrogate", text("\xed\xa0\x80"), not_text},
        {"beyond U+10FFFF", text("\xf4\x90\x80\x80"), not_text},
        {"a text that ends within a character", text("\"\xe2\x82"), not_text},
        {"fragments that end within a character", first_part("\"\xe2") + last_part("\x82"),
         not_text},
        {"a character broken off by the next fragment", first_part("\xe2\x82") + next_part("x"),
         not_text},
        {"a broken character is refused before its message ends", first_part("\"\xf4\x90"),
         not_text},
        {"a broken character in a frame of which half has come",
         raw(kFin | kText, std::string("\xff") + std::string(100, ' ')).substr(0, 20), not_text},
        {"the header of a message that is too big", claim(kFin | kText, 70'000, 8), too_big},
        {"the header of a binary message that is too big", claim(kFin | kBinary, 70'000, 8),
         too_big},
        {"the largest length there is", claim(kFin | kText, ~std::uint64_t{0} >> 1, 8), too_big},
        {"a fragment that makes its message too big",
         first_part(std::string(60'000, ' ')) + claim(kFin, 10'000, 2), too_big},
        {"many fragments that are too big together",
         first_part("") + repeat(next_part(std::string(1'000, ' ')), 66), too_big},
    };
    for (const unsigned bit : {0x40U, 0x20U, 0x10U}) {
        const std::string name = "reserved bit " + std::to_string(bit);
        cases.push_back({name + " of a text", raw(kFin | bit | kText, "{}"), refused});
        cases.push_back({name + " of a ping", raw(kFin | bit | kPing, ""), refused});
        cases.push_back(
            {name + " of a continuation", first_part("{") + raw(kFin | bit, "}"), refused});
    }
    for (const unsigned opcode : {3U, 4U, 5U, 6U, 7U, 11U, 12U, 13U, 14U, 15U}) {
        const std::string name = "opcode " + std::to_string(opcode);
        cases.push_back({name, raw(kFin | opcode, ""), refused});
        cases.push_back({name + " with a payload between fragments",
                         first_part("{") + raw(kFin | opcode, "x"), refused});
    }
    for (const unsigned code :
         {0U, 1U, 999U, 1004U, 1005U, 1006U, 1015U, 1016U, 1100U, 2000U, 2999U, 5000U, 65'535U}) {
        cases.push_back({"a close with " + std::to_string(code), closing(code), refused});
    }
    return cases;
}

class WebSocketFrames : public ::testing::Test {
protected:
    static HubSettings settings() {
        HubSettings settings;
        settings.limits.anonymous_requests_per_second = 0;
        return settings;
    }
    /// Sends the bytes in pieces of this size, and compares what comes back.
    void play(const Case& one, std::size_t piece) {
        Socket socket(hub_.port());
        socket.send(
            "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
        std::string head;
        while (head.find("\r\n\r\n") == std::string::npos) {
            const std::string some = socket.receive_some();
            ASSERT_FALSE(some.empty()) << head;
            head += some;
        }
        for (std::size_t at = 0; at < one.bytes.size(); at += piece) {
            try {
                socket.send(std::string_view(one.bytes).substr(at, piece));
            } catch (const std::runtime_error&) {
                break;  // the hub has had enough of it already
            }
        }
        Listener listener(socket);
        for (const std::string& expected : one.expected) {
            ASSERT_EQ(listener.next(), expected) << one.name << ", in pieces of " << piece;
        }
    }
    void play_all(const std::vector<Case>& cases) {
        for (const Case& one : cases) {
            play(one, one.bytes.size());
            if (one.bytes.size() < 2'000) play(one, 1);
        }
    }
    Hub hub_{settings()};
};

TEST_F(WebSocketFrames, WhatAClientMaySendIsTakenHoweverItIsCutUp) { play_all(well_formed()); }

TEST_F(WebSocketFrames, WhatAClientMayNotSendEndsTheConnectionWithTheCodeForIt) {
    play_all(broken());
}

TEST_F(WebSocketFrames, ThereAreManyOfThem) {
    EXPECT_GE(well_formed().size(), 50U);
    EXPECT_GE(broken().size(), 80U);
}

TEST_F(WebSocketFrames, ABrokenFrameEndsNobodyElse) {
    WsClient other(hub_.port());
    for (const Case& one : broken()) {
        if (one.bytes.size() < 200) play(one, one.bytes.size());
    }
    EXPECT_EQ(other.ask({{"type", "ping"}}).at("error"), "not_identified");
}

}  // namespace
}  // namespace agentcom::test
