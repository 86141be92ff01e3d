#include "app/logging.hpp"

#include <gtest/gtest.h>

namespace agentcom::app {
namespace {

std::string escaped(std::string_view text) {
    std::string out;
    append_escaped(out, text);
    return out;
}

TEST(LogText, StaysOnItsLine) {
    EXPECT_EQ(escaped("a\nb\r\tc"), "a\\nb\\u000d\\u0009c");
    EXPECT_EQ(escaped("say \"hi\" \\"), "say \\\"hi\\\" \\\\");
    EXPECT_EQ(escaped("plain, Zo\xc3\xab"), "plain, Zo\xc3\xab");
    EXPECT_EQ(escaped(std::string_view("\0\x1b[1m", 5)), "\\u0000\\u001b[1m");
}

}  // namespace
}  // namespace agentcom::app
