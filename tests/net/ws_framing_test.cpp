#include "net/ws_framing.hpp"

#include <gtest/gtest.h>

namespace agentcom::net {
namespace {

TEST(WsFraming, UsesTheShortestLengthForm) {
    std::string small;
    append_text_frame(small, "abc");
    EXPECT_EQ(small, std::string("\x81\x03") + "abc");
    std::string medium;
    append_text_frame(medium, std::string(126, 'x'));
    EXPECT_EQ(medium.substr(0, 4), std::string("\x81\x7e\x00\x7e", 4));
    std::string large;
    append_text_frame(large, std::string(65'536, 'x'));
    EXPECT_EQ(large.substr(0, 10), std::string("\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10));
}

}  // namespace
}  // namespace agentcom::net
