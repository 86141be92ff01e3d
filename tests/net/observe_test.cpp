// The stream for observers against a live endpoint.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "support/event_source.hpp"
#include "support/hub_fixture.hpp"

namespace agentcom::test {
namespace {

using Json = nlohmann::json;
using core::Millis;

TEST(ObserverStream, ShowsEverythingThenChangesAndAllOfItAgainToWhoComesBack) {
    Hub hub;
    const std::string token = hub.create_token("eve", core::Role::observer);
    EventSource stream(hub.port(), "/api/observe", token);
    ASSERT_EQ(stream.status(), 200) << stream.head();
    EXPECT_TRUE(stream.says("Content-Type: text/event-stream")) << stream.head();
    EXPECT_TRUE(stream.says("Cache-Control: no-store")) << stream.head();
    const auto snapshot = stream.next();
    ASSERT_TRUE(snapshot);
    EXPECT_EQ(snapshot->type, "snapshot");
    EXPECT_FALSE(snapshot->id.empty());
    const Json shown = Json::parse(snapshot->data);
    EXPECT_EQ(shown.at("complete"), true);
    EXPECT_EQ(shown.at("overview").at("connections").at("observers"), 1);

    WsClient socket(hub.port());
    ASSERT_EQ(socket.identify("alice", hub.create_token("alice")).at("type"), "identified");
    const auto state_of_alice = [&] {
        for (;;) {
            hub.pass(Millis{1'000});
            const auto event = stream.next();
            if (!event) return std::string("the stream has ended");
            EXPECT_EQ(event->type, "change");
            EXPECT_GT(std::stoull(event->id), std::stoull(snapshot->id));
            const Json change = Json::parse(event->data);
            for (const Json& row : change.value("agents", Json::array())) {
                if (row.at("id") == "alice" && row.at("connections") == 1) {
                    return row.at("state").get<std::string>();
                }
            }
        }
    };
    EXPECT_EQ(state_of_alice(), "working");

    EventSource again(hub.port(), "/api/observe?token=" + token, {}, "Last-Event-ID: 3\r\n");
    const auto anew = again.next();
    ASSERT_TRUE(anew);
    EXPECT_EQ(anew->type, "snapshot");
    const Json rows = Json::parse(anew->data).at("agents");
    EXPECT_TRUE(std::ranges::any_of(rows, [](const Json& row) { return row.at("id") == "alice"; }));
}

TEST(ObserverStream, IsForWhoeverHoldsATokenAndEndsWithIt) {
    Hub hub;
    EXPECT_EQ(EventSource(hub.port(), "/api/observe", {}).status(), 401);
    EXPECT_EQ(EventSource(hub.port(), "/api/observe", std::string(64, '0')).status(), 401);
    const std::string token = hub.create_token("bob");
    EventSource head(hub.port(), "/api/observe", token, {}, "HEAD");
    EXPECT_EQ(head.status(), 200);
    EXPECT_FALSE(head.next());
    EventSource stream(hub.port(), "/api/observe", token);
    ASSERT_EQ(stream.status(), 200);
    ASSERT_EQ(stream.next()->type, "snapshot");
    HttpClient admin(hub.port(), hub.admin_token());
    ASSERT_EQ(admin.request("DELETE", "/admin/tokens/bob").status, 200);
    auto event = stream.next();
    while (event && event->type != "close") event = stream.next();
    ASSERT_TRUE(event);
    EXPECT_EQ(Json::parse(event->data).at("reason"), "token_revoked");
    EXPECT_FALSE(stream.next());
}

}  // namespace
}  // namespace agentcom::test
