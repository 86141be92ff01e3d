#include "agentcom/core/utf8.hpp"

#include <gtest/gtest.h>

#include "agentcom/core/utf8_stream.hpp"

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

TEST(Utf8, AStreamJudgesAsTheWholeTextDoesHoweverItIsCutUp) {
    const auto judge = [](const std::string& text, std::size_t piece) {
        Utf8Stream stream;
        for (std::size_t at = 0; at < text.size(); at += piece) {
            if (!stream.take(std::string_view(text).substr(at, piece))) return false;
        }
        return stream.complete();
    };
    // Every pair of bytes alone and behind others, and what may follow the first of three and four.
    for (const std::string before :
         {"", "\xE0", "\xE1", "\xED", "\xF0", "\xF1\x80", "\xF4", "12345678"}) {
        for (unsigned pair = 0; pair <= 0xFFFF; ++pair) {
            const std::string text =
                before + static_cast<char>(pair >> 8) + static_cast<char>(pair & 0xFF);
            const bool valid = is_valid_utf8(text);
            if (judge(text, 1) != valid || judge(text, text.size()) != valid) FAIL() << pair;
        }
    }
    Utf8Stream stream;
    EXPECT_TRUE(stream.take("\xF0\x9F"));
    EXPECT_FALSE(stream.complete());
    EXPECT_TRUE(stream.take("\x98\x80"));
    EXPECT_TRUE(stream.complete());
    EXPECT_TRUE(stream.take("\xF4"));
    EXPECT_FALSE(stream.take("\x90"));
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
