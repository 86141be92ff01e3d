#include "agentcom/core/ids.hpp"

#include <gtest/gtest.h>

#include <unordered_set>

namespace agentcom::core {
namespace {

TEST(AgentId, TakesTheWholeGrammar) {
    const auto id = AgentId::parse("Az09._-:@");
    ASSERT_TRUE(id);
    EXPECT_EQ(id->str(), "Az09._-:@");
    EXPECT_TRUE(id->is_plain());
    EXPECT_TRUE(AgentId::parse(std::string(128, 'a')));
}

TEST(AgentId, RefusesWhatIsOutsideTheGrammar) {
    for (const std::string& text :
         {std::string(), std::string(129, 'a'), std::string("a b"), std::string("a/b"),
          std::string("\xC3\xBC"), std::string("a\0b", 3), std::string("broadcast")}) {
        const auto id = AgentId::parse(text);
        ASSERT_FALSE(id) << text;
        EXPECT_EQ(id.error().code, ErrorCode::invalid_agent_id);
        EXPECT_EQ(id.error().field, "agent_id");
    }
}

TEST(AgentId, MayBeIssuedInAnyUtf8WithoutControlCharacters) {
    const auto id = AgentId::parse_issued("odd /\xC3\xBC");
    ASSERT_TRUE(id);
    EXPECT_FALSE(id->is_plain());
    EXPECT_TRUE(AgentId::parse_issued("plain")->is_plain());
    for (const std::string& text :
         {std::string(), std::string(129, 'a'), std::string("a\nb"), std::string("a\x7F"),
          std::string("\xC2\x85"), std::string("\xFF"), std::string("broadcast")}) {
        EXPECT_FALSE(AgentId::parse_issued(text)) << text;
    }
}

TEST(ChannelName, IsNormalised) {
    EXPECT_EQ(ChannelName::parse("##Dev Ops_1-x!\xC3\xA9")->str(), "devops_1-x");
    EXPECT_EQ(ChannelName::parse(std::string(200, '!') + std::string(64, 'a'))->str().size(), 64U);
}

TEST(ChannelName, NeedsSomethingToRemainButNotTooMuch) {
    for (const std::string& text : {std::string(), std::string("#"), std::string("!!!"),
                                    std::string("\xC3\xA9"), std::string(65, 'a')}) {
        const auto name = ChannelName::parse(text);
        ASSERT_FALSE(name) << text;
        EXPECT_EQ(name.error().code, ErrorCode::invalid_channel_name);
    }
}

TEST(TextHash, FindsAnIdByItsText) {
    std::unordered_set<AgentId, TextHash, TextEqual> ids{*AgentId::parse("alice")};
    EXPECT_TRUE(ids.contains(std::string_view("alice")));
    EXPECT_FALSE(ids.contains(std::string_view("bob")));
}

}  // namespace
}  // namespace agentcom::core
