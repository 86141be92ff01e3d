// Agents that come and go over HTTP, as others see them there.

#include <gtest/gtest.h>

#include <string>

#include "support/hub_fixture.hpp"

namespace agentcom::test {
namespace {

using Json = nlohmann::json;

class Directory : public ::testing::Test {
protected:
    Hub hub_{};
    HttpClient alice_{hub_.port(), hub_.create_token("alice")};
    HttpClient bob_{hub_.port(), hub_.create_token("bob")};
};

TEST_F(Directory, AnAgentTellsAboutItselfAndIsFoundByIt) {
    const auto told = bob_.request("PUT", "/api/me/profile",
                                   R"({"status":{"busy":true},"capabilities":["review"]})");
    EXPECT_EQ(told.status, 200);
    EXPECT_EQ(told.json(), (Json{{"status", "updated"}}));
    ASSERT_EQ(alice_.post("/api/message", {{"to", "bob"}, {"payload", Json::object()}}).status,
              200);

    const Json bob = alice_.get("/api/directory/bob").json();
    EXPECT_EQ(bob, (Json{{"agent_id", "bob"},
                         {"known", true},
                         {"role", "agent"},
                         {"connected", false},
                         {"last_seen", hub_.clock().now().ms},
                         {"status", {{"busy", true}}},
                         {"capabilities", {"review"}},
                         {"unread", 1}}));
    EXPECT_EQ(alice_.get("/api/directory?capability=Review").json(),
              (Json{{"agents", Json::array({bob})}}));
    const Json first = alice_.get("/api/directory?limit=1").json();
    EXPECT_EQ(first.at("agents").size(), 1U);
    const std::string cursor = first.at("cursor");
    EXPECT_NE(alice_.get("/api/directory?limit=1&cursor=" + cursor).json().at("agents"),
              first.at("agents"));
}

TEST_F(Directory, ANameThatNobodyHasIsNoError) {
    const Json nobody = alice_.get("/api/directory/bobb").json();
    EXPECT_EQ(nobody.at("known"), false);
    EXPECT_EQ(nobody.at("last_seen"), nullptr);
    EXPECT_EQ(nobody.at("similar"), Json::array({"bob"}));
    EXPECT_EQ(alice_.get("/api/directory/broadcast").json().at("error"), "invalid_agent_id");
}

TEST_F(Directory, AMessageIsFoundByItsIdOrNumber) {
    const Json sent = alice_.post("/api/message", {{"to", "bob"}, {"payload", {{"n", 1}}}}).json();
    const std::string id = sent.at("id");
    const Json message = bob_.get("/api/message/" + id).json().at("message");
    EXPECT_EQ(message.at("payload"), (Json{{"n", 1}}));
    EXPECT_EQ(bob_.get("/api/message/" + sent.at("seq").dump()).json().at("message"), message);
    HttpClient carol(hub_.port(), hub_.create_token("carol"));
    const auto hidden = carol.get("/api/message/" + id);
    EXPECT_EQ(hidden.status, 404);
    EXPECT_EQ(hidden.json().at("error"), "not_found");
}

}  // namespace
}  // namespace agentcom::test
