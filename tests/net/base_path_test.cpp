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

}  // namespace
}  // namespace agentcom::test
