#include "agentcom/core/token.hpp"

#include <gtest/gtest.h>

#include <set>

namespace agentcom::core {
namespace {

TEST(Token, IsSixtyFourHexadecimalDigitsAndNeverTheSame) {
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        const Token token = Token::generate();
        EXPECT_EQ(token.reveal().size(), 64U);
        EXPECT_TRUE(Token::parse(token.reveal()));
        EXPECT_TRUE(seen.insert(token.reveal()).second);
    }
}

TEST(Token, IsOnlyReadFromExactlySuchDigits) {
    const std::string digits(64, 'f');
    ASSERT_TRUE(Token::parse(digits));
    EXPECT_EQ(Token::parse(digits)->prefix(), "ffffffff");
    EXPECT_FALSE(Token::parse(""));
    EXPECT_FALSE(Token::parse(digits.substr(1)));
    EXPECT_FALSE(Token::parse(digits + "f"));
    EXPECT_FALSE(Token::parse(" " + digits.substr(1)));
    EXPECT_FALSE(Token::parse(std::string(64, 'F')));
    EXPECT_FALSE(Token::parse(std::string(64, 'g')));
}

TEST(Token, DigestIsTheSha256OfItsDigits) {
    // printf '0%.0s' {1..64} | sha256sum
    const TokenDigest expected{0x60, 0xe0, 0x5b, 0xd1, 0xb1, 0x95, 0xaf, 0x2f, 0x94, 0x11, 0x2f,
                               0xa7, 0x19, 0x7a, 0x5c, 0x88, 0x28, 0x90, 0x58, 0x84, 0x0c, 0xe7,
                               0xc6, 0xdf, 0x96, 0x93, 0x75, 0x6b, 0xc6, 0x25, 0x0f, 0x55};
    EXPECT_EQ(Token::parse(std::string(64, '0'))->digest(), expected);
}

TEST(RandomNumbers, Differ) { EXPECT_NE(random_u64(), random_u64()); }

}  // namespace
}  // namespace agentcom::core
