#include "net/body_reader.hpp"

#include <gtest/gtest.h>

#include <string>

namespace agentcom::net {
namespace {

using core::ErrorCode;

constexpr std::uint64_t kMaxBody = 1'000;
constexpr std::uint64_t kMaxFraming = 200;

BodyReader chunked() {
    BodyReader reader(BodyReader::Framing::chunked, 0, kMaxFraming);
    reader.limit(kMaxBody);
    return reader;
}

BodyReader of_length(std::uint64_t length) {
    BodyReader reader(BodyReader::Framing::length, length, kMaxFraming);
    reader.limit(kMaxBody);
    return reader;
}

/// Feeds in pieces of this size until the reader has enough; how much it consumed.
std::size_t feed(BodyReader& reader, std::string_view input, std::size_t piece) {
    std::size_t used = 0;
    while (used < input.size() && !reader.complete() && !reader.error()) {
        const std::string_view next = input.substr(used, piece);
        const std::size_t taken = reader.take(next);
        used += taken;
        if (reader.complete() || reader.error()) break;
        EXPECT_EQ(taken, next.size()) << "something was left to pile up";
        if (taken != next.size()) break;
    }
    return used;
}

TEST(BodyReader, ARequestWithoutABodyIsComplete) {
    BodyReader reader;
    EXPECT_TRUE(reader.complete());
    EXPECT_EQ(reader.take("GET"), 0U);
    EXPECT_TRUE(of_length(0).complete());
}

TEST(BodyReader, TakesTheDeclaredLengthAndNoMore) {
    for (const std::size_t piece : {1U, 3U, 100U}) {
        BodyReader reader = of_length(5);
        EXPECT_EQ(feed(reader, "helloGET /next", piece), 5U);
        EXPECT_TRUE(reader.complete());
        EXPECT_EQ(reader.body(), "hello");
    }
}

TEST(BodyReader, JoinsChunksWhateverPiecesTheyComeIn) {
    const std::string wire =
        "5\r\nhello\r\n006;name=value\r\n world\r\nA ;x\r\n0123456789\r\n0;last\r\n"
        "Trailer: x\r\nOther:y : z\r\nx!#$%&'*+-.^_`|~9:\r\n\r\n";
    for (std::size_t piece = 1; piece <= wire.size(); ++piece) {
        BodyReader reader = chunked();
        EXPECT_EQ(feed(reader, wire + "GET /next", piece), wire.size()) << piece;
        EXPECT_TRUE(reader.complete()) << piece;
        EXPECT_EQ(reader.body(), "hello world0123456789") << piece;
    }
}

TEST(BodyReader, BrokenChunksAreABadRequest) {
    for (const char* wire : {"x\r\n",
                             "\r\n",
                             ";a\r\n",
                             "-1\r\n",
                             "0x5\r\nhello\r\n",
                             "5\nhello\r\n",
                             "5\r\nhellox",
                             "5\r\nhello\rx",
                             "5\rx",
                             "5;a\nb\r\n",
                             "10000000000000000\r\n",
                             "00000000000000001\r\n",
                             "0\r\nTrailer\n",
                             "0\r\n\rx",
                             "0\r\nA: b\rx",
                             "5 \r\nhello\r\n",
                             "5\t\r\nhello\r\n",
                             "5  x\r\n",
                             "0 \r\n\r\n",
                             "0\r\nfoo bar\r\n\r\n",
                             "0\r\nfoo\r\n\r\n",
                             "0\r\n fold\r\n\r\n",
                             "0\r\nA: b\r\n fold\r\n\r\n",
                             "0\r\nX : y\r\n\r\n",
                             "0\r\n: y\r\n\r\n",
                             "0\r\nX(y): z\r\n\r\n",
                             "0\r\nX: \x01\r\n\r\n",
                             "0\r\nGET / HTTP/1.1\r\n\r\n",
                             "0\r\nX\xC3\xA9: y\r\n\r\n"}) {
        for (std::size_t piece = 1; piece <= std::string_view(wire).size(); ++piece) {
            BodyReader reader = chunked();
            feed(reader, wire, piece);
            EXPECT_EQ(reader.error(), ErrorCode::bad_request) << wire << ' ' << piece;
            EXPECT_FALSE(reader.complete()) << wire << ' ' << piece;
        }
    }
}

TEST(BodyReader, ADeclaredLengthOverTheLimitIsRefusedBeforeItComes) {
    EXPECT_FALSE(of_length(kMaxBody).error().has_value());
    EXPECT_EQ(of_length(kMaxBody + 1).error(), ErrorCode::body_too_large);
}

TEST(BodyReader, ALimitMayBeLoweredBeforeTheBodyIsRead) {
    BodyReader reader = of_length(500);
    reader.limit(499);
    EXPECT_EQ(reader.error(), ErrorCode::body_too_large);
    EXPECT_EQ(reader.take("x"), 0U);
}

TEST(BodyReader, ChunksOverTheLimitInAllAreRefusedAtTheirSize) {
    BodyReader reader = chunked();
    feed(reader, "3e8\r\n" + std::string(1'000, 'x') + "\r\n", 7);
    EXPECT_FALSE(reader.error().has_value());
    feed(reader, "1\r\n", 7);
    EXPECT_EQ(reader.error(), ErrorCode::body_too_large);
    BodyReader at_once = chunked();
    feed(at_once, "ffffffffffffffff\r\n", 100);
    EXPECT_EQ(at_once.error(), ErrorCode::body_too_large);
}

TEST(BodyReader, ExtensionsThatNeverEndAreRefused) {
    BodyReader reader = chunked();
    feed(reader, "5;" + std::string(kMaxFraming + 10, 'x'), 11);
    EXPECT_EQ(reader.error(), ErrorCode::header_too_large);
}

TEST(BodyReader, ManySmallExtensionsCountTogether) {
    BodyReader reader = chunked();
    for (int i = 0; i < 100 && !reader.error(); ++i) feed(reader, "1;ab\r\nx\r\n", 100);
    EXPECT_EQ(reader.error(), ErrorCode::header_too_large);
    EXPECT_LE(reader.body().size(), kMaxFraming / 3);
}

TEST(BodyReader, TrailersThatNeverEndAreRefused) {
    for (const char* line : {"X: y\r\n", "xxxxxxxxx"}) {
        BodyReader reader = chunked();
        feed(reader, "0\r\n", 100);
        for (int i = 0; i < 100 && !reader.error(); ++i) feed(reader, line, 100);
        EXPECT_EQ(reader.error(), ErrorCode::header_too_large) << line;
    }
}

TEST(BodyReader, SizeDigitsThatNeverEndAreRefused) {
    BodyReader reader = chunked();
    EXPECT_LE(feed(reader, std::string(1'000, '0'), 1'000), 17U);
    EXPECT_EQ(reader.error(), ErrorCode::bad_request);
}

TEST(BodyReader, ReservesNothingBeforeBytesCome) {
    BodyReader reader = of_length(1'000);
    EXPECT_LT(reader.held(), 100U);
    reader.take(std::string(40, 'x'));
    EXPECT_LT(reader.held(), 200U);
    reader.take(std::string(700, 'x'));
    EXPECT_LE(reader.held(), 1'000U);
    BodyReader many = chunked();
    many.take("3e8\r\n" + std::string(600, 'x'));
    EXPECT_LE(many.held(), kMaxBody);
}

TEST(BodyReader, ADiscardedBodyTakesNoMemory) {
    BodyReader reader = of_length(1'000);
    reader.discard();
    EXPECT_EQ(reader.take(std::string(1'500, 'x')), 1'000U);
    EXPECT_TRUE(reader.complete());
    EXPECT_EQ(reader.body(), "");
    EXPECT_LT(reader.held(), 100U);
}

}  // namespace
}  // namespace agentcom::net
