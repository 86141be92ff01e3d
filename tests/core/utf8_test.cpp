#include "agentcom/core/utf8.hpp"

#include <gtest/gtest.h>

#include <vector>

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

/// From, to (both with it), and whether they deceive.
struct Stretch {
    std::uint32_t first;
    std::uint32_t last;
    bool deceives;
};

TEST(Utf8, WhatCannotBeSeenOrTurnsTextDeceives) {
    const std::vector<Stretch> table{
        {0x20, 0x7E, false},       {0xA0, 0xAC, false},       {0xAD, 0xAD, true},
        {0xAE, 0x34E, false},      {0x34F, 0x34F, true},      {0x350, 0x61B, false},
        {0x61C, 0x61C, true},      {0x61D, 0x115E, false},    {0x115F, 0x1160, true},
        {0x1161, 0x17B3, false},   {0x17B4, 0x17B5, true},    {0x17B6, 0x180A, false},
        {0x180B, 0x180F, true},    {0x1810, 0x200A, false},   {0x200B, 0x200B, true},
        {0x200C, 0x200D, false},   {0x200E, 0x200F, true},    {0x2010, 0x2027, false},
        {0x2028, 0x202E, true},    {0x202F, 0x205F, false},   {0x2060, 0x206F, true},
        {0x2070, 0x27FF, false},   {0x2800, 0x2800, true},    {0x2801, 0x3163, false},
        {0x3164, 0x3164, true},    {0x3165, 0xD7FF, false},   {0xE000, 0xF8FF, true},
        {0xF900, 0xFDCF, false},   {0xFDD0, 0xFDEF, true},    {0xFDF0, 0xFDFF, false},
        {0xFE00, 0xFE0E, true},    {0xFE0F, 0xFE0F, false},   {0xFE10, 0xFEFE, false},
        {0xFEFF, 0xFEFF, true},    {0xFF00, 0xFF9F, false},   {0xFFA0, 0xFFA0, true},
        {0xFFA1, 0xFFEF, false},   {0xFFF0, 0xFFFB, true},    {0xFFFC, 0xFFFD, false},
        {0xFFFE, 0xFFFF, true},    {0x10000, 0x1BC9F, false}, {0x1BCA0, 0x1BCA3, true},
        {0x1BCA4, 0x1D172, false}, {0x1D173, 0x1D17A, true},  {0x1D17B, 0x1FFFD, false},
        {0x1FFFE, 0x1FFFF, true},  {0x20000, 0x2FFFD, false}, {0x2FFFE, 0x2FFFF, true},
        {0x30000, 0x3FFFD, false}, {0x3FFFE, 0x3FFFF, true},  {0xD0000, 0xDFFFD, false},
        {0xDFFFE, 0xDFFFF, true},  {0xE0000, 0xE0FFF, true},  {0xE1000, 0xEFFFD, false},
        {0xEFFFE, 0xEFFFF, true},  {0xF0000, 0x10FFFF, true},
    };
    for (const Stretch& stretch : table) {
        for (std::uint32_t c = stretch.first; c <= stretch.last; ++c) {
            if (deceives(c) != stretch.deceives) FAIL() << std::hex << c;
        }
    }
    for (const std::uint32_t joiner : {0x200CU, 0x200DU, 0xFE0FU}) {
        EXPECT_TRUE(joins(joiner));
        for (const std::uint32_t beside : {joiner - 1, joiner + 1}) {
            EXPECT_TRUE(joins(beside) == (beside == 0x200C || beside == 0x200D)) << beside;
        }
    }
}

}  // namespace
}  // namespace agentcom::core
