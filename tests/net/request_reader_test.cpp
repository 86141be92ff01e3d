#include "net/request_reader.hpp"

#include <gtest/gtest.h>

#include <string>

namespace agentcom::net {
namespace {

using core::ErrorCode;

class Reading : public ::testing::Test {
protected:
    static Limits small() {
        Limits limits;
        limits.max_header_bytes = 1'024;
        limits.max_body_bytes = 2'000;
        return limits;
    }

    /// What a session does: gives all that is at hand, keeps what is not consumed. Returns what is
    /// left at the end.
    std::string feed(RequestReader& reader, std::string_view wire, std::size_t piece) {
        std::string at_hand;
        while (!wire.empty() && !reader.complete() && !reader.error()) {
            at_hand += wire.substr(0, piece);
            wire.remove_prefix(std::min(piece, wire.size()));
            std::size_t used = 0;
            do {
                used = reader.take(at_hand);
                at_hand.erase(0, used);
            } while (used > 0 && !at_hand.empty());
            most_left_ = std::max(most_left_, at_hand.size());
        }
        return at_hand + std::string(wire);
    }
    std::optional<ErrorCode> error_of(std::string_view wire, std::size_t piece) {
        RequestReader reader(limits_);
        feed(reader, wire, piece);
        return reader.error();
    }

    Limits limits_ = small();
    std::size_t most_left_ = 0;
};

TEST_F(Reading, StopsBetweenTheHeaderAndTheBody) {
    const std::string wire =
        "POST /api/message HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer abc\r\nContent-Length: "
        "5\r\n\r\nhello";
    RequestReader reader(limits_);
    const std::size_t header = reader.take(wire);
    EXPECT_EQ(header, wire.size() - 5);
    ASSERT_TRUE(reader.header_complete());
    EXPECT_FALSE(reader.complete());
    const HttpHead head = reader.head();
    EXPECT_EQ(head.verb, "POST");
    EXPECT_EQ(head.target, "/api/message");
    EXPECT_EQ(head.authorization, "Bearer abc");
    EXPECT_TRUE(head.has_body);
    EXPECT_EQ(reader.declared_length(), 5U);
    EXPECT_EQ(reader.take(wire.substr(header)), 5U);
    EXPECT_TRUE(reader.complete());
    EXPECT_EQ(reader.body().body(), "hello");
}

TEST_F(Reading, ReadsWhateverPiecesTheRequestComesIn) {
    const std::string wire =
        "POST /x HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\n";
    for (std::size_t piece = 1; piece <= wire.size(); ++piece) {
        RequestReader reader(limits_);
        EXPECT_EQ(feed(reader, wire + "GET", piece).substr(0, 3), "GET") << piece;
        ASSERT_TRUE(reader.complete()) << piece;
        EXPECT_EQ(reader.body().body(), "abcde") << piece;
        EXPECT_FALSE(reader.declared_length().has_value());
    }
}

TEST_F(Reading, ATrailerIsNoHeader) {
    RequestReader reader(limits_);
    feed(reader,
         "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nAuthorization: "
         "Bearer "
         "abc\r\nIdempotency-Key: k\r\n\r\n",
         7);
    ASSERT_TRUE(reader.complete());
    EXPECT_FALSE(reader.head().authorization.has_value());
    EXPECT_FALSE(reader.head().idempotency_key.has_value());
}

TEST_F(Reading, AHeaderOfTheLargestSizeIsReadAndOneOfAByteMoreIsNot) {
    const std::string start = "GET /health HTTP/1.1\r\nHost: h\r\nX-Padding: ";
    const auto of_size = [&](std::size_t size) {
        return start + std::string(size - start.size() - 4, 'x') + "\r\n\r\n";
    };
    for (const std::size_t piece : {1U, 10U, 10'000U}) {
        EXPECT_FALSE(error_of(of_size(1'024), piece).has_value()) << piece;
        EXPECT_EQ(error_of(of_size(1'025), piece), ErrorCode::header_too_large) << piece;
    }
}

TEST_F(Reading, HeadersThatNeverEndAreRefusedInEveryPartAndPiece) {
    const std::string endless(5'000, 'x');
    std::string fields;
    for (int i = 0; i < 1'000; ++i) fields += "X-Many: headers\r\n";
    for (const std::string& wire :
         {endless, "GET /" + endless, "GET /x HTTP/1.1\r\n" + endless,
          "GET /x HTTP/1.1\r\nA: " + endless, "GET /x HTTP/1.1\r\n" + fields}) {
        for (const std::size_t piece : {1U, 17U, 600U, 10'000U}) {
            const auto error = error_of(wire, piece);
            ASSERT_TRUE(error.has_value()) << piece << ' ' << wire.substr(0, 30);
            EXPECT_TRUE(error == ErrorCode::header_too_large || error == ErrorCode::bad_request);
        }
    }
    EXPECT_LE(most_left_, 10'000U);
}

TEST_F(Reading, TheNumberOfFieldsIsBoundedToo) {
    limits_.max_header_bytes = 64 * 1'024;
    std::string wire = "GET /xyz0 HTTP/1.1\r\nHost: h\r\n";
    for (int i = 0; i < 513; ++i) wire += "a:\r\n";
    for (const std::size_t piece : {4U, 100'000U}) {
        EXPECT_EQ(error_of(wire + "\r\n", piece), ErrorCode::header_too_large) << piece;
    }
}

TEST_F(Reading, OtherTransferCodingsAreRefused) {
    for (const char* coding : {"gzip", "gzip, chunked", "chunked, gzip", "identity"}) {
        EXPECT_EQ(error_of("POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: " +
                               std::string(coding) + "\r\n\r\n",
                           1'000),
                  ErrorCode::bad_request)
            << coding;
    }
    EXPECT_EQ(
        error_of("POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: "
                 "3\r\n\r\n",
                 1'000),
        ErrorCode::bad_request);
}

TEST_F(Reading, ABodyOverTheLimitIsRefusedWithItsHeader) {
    EXPECT_EQ(error_of("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2001\r\n\r\n", 1'000),
              ErrorCode::body_too_large);
    EXPECT_FALSE(
        error_of("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2000\r\n\r\n", 1'000).has_value());
}

}  // namespace
}  // namespace agentcom::net
