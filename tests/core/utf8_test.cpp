#include "agentcom/core/utf8.hpp"

#include <gtest/gtest.h>

namespace agentcom::core {
namespace {

TEST(Utf8, EveryCodePointComesBackValid) {
    for (std::uint32_t code = 0; code <= 0x10FFFF; ++code) {
        if (code >= 0xD800 && code <= 0xDFFF) continue;
        std::string text;
        append_utf8(text, code);
        if (utf8_sequence_length(text, 0) != text.size() ||
            !is_valid_utf8("12345678" + text + "abc")) {
            FAIL() << code;
        }
    }
}

TEST(Utf8, RefusesWhatIsNotInTheStrictForm) {
    for (const char* text :
         {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2 ", "\xE0\x9F\xBF", "\xE2\x82",
          "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
          "\xF5\x80\x80\x80", "\xFE", "\xFF", "\xF0\x9F\x98", "\xE2\x82\xC0"}) {
        EXPECT_EQ(utf8_sequence_length(text, 0), 0U);
        EXPECT_FALSE(is_valid_utf8(text));
        EXPECT_FALSE(is_valid_utf8(std::string("12345678") + text));
        EXPECT_FALSE(is_valid_utf8(std::string("1234567") + text + "12345678"));
    }
    EXPECT_EQ(utf8_sequence_length("", 0), 0U);
    EXPECT_TRUE(is_valid_utf8(""));
}

TEST(Utf8, FindsControlCharacters) {
    EXPECT_FALSE(has_control_characters("plain \xC3\xBC \xC2\xA0"));
    EXPECT_TRUE(has_control_characters("a\tb"));
    EXPECT_TRUE(has_control_characters(std::string("a\0b", 3)));
    EXPECT_TRUE(has_control_characters("a\x7F"));
    EXPECT_TRUE(has_control_characters("a\xC2\x9F"));
}

}  // namespace
}  // namespace agentcom::core
