#include "agentcom/core/log_fields.hpp"

#include <gtest/gtest.h>

#include <array>

namespace agentcom::core {
namespace {

std::string joined(std::string_view line) {
    const LogLine read = read_log_line(line);
    std::string out(read.text);
    for (const LogField& field : read.fields) {
        out += '|' + std::string(field.name) + '=' + std::string(field.value);
    }
    return out;
}

TEST(LogFields, ComeBackAsTheyWereAndEmptyOnesAreLeftOut) {
    const std::array fields{LogField{"request_id", "a=b"}, LogField{"none", ""},
                            LogField{"trace_id", "0af7"}};
    EXPECT_EQ(joined(with_fields(fields, "text")), "text|request_id=a=b|trace_id=0af7");
    EXPECT_EQ(with_fields({}, "text"), "text");
    EXPECT_EQ(with_fields(std::array{LogField{"none", ""}}, "text"), "text");
}

TEST(LogFields, WhatAPeerSentMakesNoFields) {
    const std::array field{LogField{"request_id",
                                    "a\x1f\x1f"
                                    "b\n"}};
    EXPECT_EQ(joined(with_fields(field, "x\x1fy=z\x1f\x1f")), "x\x1fy=z\x1f\x1f|request_id=ab");
    for (const char* text : {"plain", "", "\x1f",
                             "\x1f"
                             "a",
                             "\x1f"
                             "a=b",
                             "\x1f"
                             "a\x1f=b\x1f"}) {
        EXPECT_EQ(joined(text), text);
    }
}

}  // namespace
}  // namespace agentcom::core
