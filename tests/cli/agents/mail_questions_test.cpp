#include "cli/agents/mail_questions.hpp"

#include <gtest/gtest.h>

namespace agentcom::cli::agents {
namespace {

TEST(UnreadAnswer, IsReadAsTheHubWritesIt) {
    const auto mail = parse_unread(
        R"({"agent_id":"alice","count":3,"senders":["bob","carol"],"by_sender":[{"agent_id":"bob","count":2},{"agent_id":"carol","count":1}],"oldest":1,"newest":2,"last_seq":9,"epoch":"e1","more":true})");
    ASSERT_TRUE(mail);
    EXPECT_EQ(mail->agent, "alice");
    EXPECT_EQ(mail->count, 3U);
    ASSERT_EQ(mail->senders.size(), 2U);
    EXPECT_EQ(mail->senders[1].first, "carol");
    EXPECT_EQ(mail->newest_seq, 9U);
    EXPECT_EQ(mail->epoch, "e1");
    EXPECT_TRUE(mail->more);
}

TEST(UnreadAnswer, AnythingElseIsNone) {
    for (const char* text :
         {"", "[]", "{}", R"({"error":"unauthorized"})",
          R"({"agent_id":"a","count":-1,"by_sender":[],"last_seq":9,"epoch":"e"})",
          R"({"agent_id":"a","count":1,"by_sender":[{}],"last_seq":9,"epoch":"e"})",
          R"({"agent_id":"a","count":1,"by_sender":[7],"last_seq":9,"epoch":"e"})"}) {
        EXPECT_FALSE(parse_unread(text)) << text;
    }
}

}  // namespace
}  // namespace agentcom::cli::agents
