// A hub that proxies show below a path of another site.

#include <gtest/gtest.h>

#include "support/hub_fixture.hpp"

namespace agentcom::test {
namespace {

TEST(BasePath, IsTakenAwayWhereItStands) {
    HubSettings settings;
    settings.base_path = "/far/hub";
    Hub hub(settings);
    HttpClient client(hub.port(), hub.create_token("alice"));
    for (const char* path : {"/far/hub/api/me", "/api/me", "/far//hub/api/me/"}) {
        EXPECT_EQ(client.get(path).json().at("agent_id"), "alice") << path;
    }
    EXPECT_EQ(client.get("/far/hub/dashboard").body, Hub::kDashboard);
    EXPECT_EQ(client.get("/far/hub/ws").status, 426);
    for (const char* path : {"/far/api/me", "/hub/api/me", "/far/hub/far/hub/api/me"}) {
        EXPECT_EQ(client.get(path).status, 404) << path;
    }
}

TEST(BasePath, WithoutItsSlashIsAnotherPlaceThanTheFirstPage) {
    HubSettings settings;
    settings.base_path = "/far/hub";
    Hub hub(settings);
    HttpClient client(hub.port());
    const auto ask = [&](const std::string& path, const std::string& accept) {
        return client.request("GET", path, {}, {"Accept: " + accept});
    };
    const auto bare = ask("/far/hub?x=1", "text/html");
    EXPECT_EQ(bare.status, 308);
    EXPECT_EQ(bare.headers.at("location"), "hub/");
    EXPECT_EQ(bare.headers.at("vary"), "Accept");
    for (const char* path : {"/far/hub/", "/"}) {
        const auto page = ask(path, "text/html");
        EXPECT_EQ(page.status, 200) << path;
        EXPECT_EQ(page.headers.at("vary"), "Accept") << path;
    }
    const auto nothing = ask("/far/hub", "*/*");
    EXPECT_EQ(nothing.status, 404);
    EXPECT_EQ(nothing.headers.at("vary"), "Accept");
    const auto document = ask("/far/hub/llms.txt/", "*/*");
    EXPECT_EQ(document.status, 308);
    EXPECT_EQ(document.headers.at("location"), "../llms.txt");
    EXPECT_EQ(document.headers.count("vary"), 0U);
}

}  // namespace
}  // namespace agentcom::test
