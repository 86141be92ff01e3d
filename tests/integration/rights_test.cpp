// Who may do what, at the real daemon: every operation, by every caller, over every transport, as
// the table of operations and docs/rights.md say.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agentcom/core/error.hpp"
#include "agentcom/protocol/operations.hpp"
#include "net/routes.hpp"
#include "support/hub_process.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::test {
namespace {

using Json = nlohmann::json;
using protocol::Standing;

struct Who {
    Standing standing;
    std::string name;   // as the columns of the page call it
    std::string token;  // empty: none
};

/// What a caller is refused, by the table; empty: it is not.
std::string refused(protocol::Right right, Standing standing) {
    const auto code = protocol::refusal(right, standing);
    return code ? std::string(core::error_info(*code).name) : std::string();
}

/// The errors that say that the caller, not the request, is at fault.
bool is_refusal(const std::string& error) {
    return error == "unauthorized" || error == "read_only" || error == "admin_only" ||
           error == "not_identified";
}

class Rights : public ::testing::Test {
protected:
    Rights() {
        for (const char* role : {"agent", "admin", "observer"}) {
            const auto made = admin_.post(
                "/admin/tokens",
                {{"agent_id", std::string("the-") + role}, {"role", role}, {"name", "of a test"}});
            if (made.status != 201) throw std::runtime_error(made.body);
            callers_.push_back({standing(role), role, made.json().at("token")});
        }
        if (admin_.post("/api/channels", {{"name", "dev"}}).status != 201) {
            throw std::runtime_error("no channel");
        }
    }
    static Standing standing(const std::string& role) {
        return protocol::standing_of(core::parse_role(role).value());
    }
    /// Everything that any operation asks for.
    Json everything() {
        return {{"agent_id", "somebody-else"},
                {"token", "none"},
                {"name", "fresh-" + std::to_string(++fresh_)},
                {"channel", "dev"},
                {"payload", Json::object()},
                {"to", "somebody-else"},
                {"seq", 0},
                {"status", "busy"},
                {"heartbeat_interval_ms", 900'000},
                {"mailbox_ttl_ms", 604'800'000}};
    }
    static std::string path_of(const net::Route& route, const std::string& own) {
        std::string path(route.pattern);
        const auto argument = path.find(':');
        if (argument == std::string::npos) return path;
        const auto end = std::min(path.find('/', argument), path.size());
        const bool channel = path.substr(argument, end - argument) == ":ch";
        // A mailbox is the caller's own; whoever is removed is somebody else.
        const bool mailbox = path.starts_with("/api/mailbox");
        return path.replace(argument, end - argument,
                            channel   ? "dev"
                            : mailbox ? own
                                      : "somebody-else");
    }
    /// The error of an answer over HTTP; empty: it was good.
    std::string ask(HttpClient& client, const net::Route& route, const std::string& own) {
        const bool body = route.verb != "GET";
        Json fields = everything();
        fields.erase("token");
        const auto answer = client.request(std::string(route.verb), path_of(route, own),
                                           body ? std::optional(fields.dump()) : std::nullopt);
        if (answer.status < 400) return {};
        return answer.json().at("error");
    }

    TempDir dir_;
    // What is open to this machine is looked at elsewhere (monitoring_test.cpp).
    HubProcess hub_{dir_.path() / "data",
                    {},
                    {"AGENTCOM_SETTINGS_RESET_COOLDOWN=0s", "AGENTCOM_METRICS_ACCESS=token"}};
    HttpClient admin_{hub_.port(), hub_.admin_token()};
    std::vector<Who> callers_{{Standing::nobody, "nobody", ""}};
    int fresh_ = 0;
};

TEST_F(Rights, OverHttpEveryCallerMayWhatTheTableSays) {
    std::size_t refusals = 0;
    for (const Who& who : callers_) {
        for (const net::Route& route : net::route_table()) {
            if (route.page != net::Page::none) continue;
            // A stream takes its connection with it.
            HttpClient client(hub_.port(), who.token);
            const std::string what =
                who.name + ": " + std::string(route.verb) + ' ' + std::string(route.pattern);
            const std::string expected = refused(route.right(), who.standing);
            const std::string error = ask(client, route, "the-" + who.name);
            if (expected.empty()) {
                EXPECT_FALSE(is_refusal(error)) << what << ": " << error;
            } else {
                EXPECT_EQ(error, expected) << what;
                ++refusals;
            }
        }
    }
    EXPECT_GT(refusals, callers_.size());
}

TEST_F(Rights, OverWebSocketEveryCallerMayWhatTheTableSays) {
    for (const Who& who : callers_) {
        WsClient client(hub_.port());
        if (who.standing != Standing::nobody) {
            const Json answer = client.identify("the-" + who.name, who.token);
            ASSERT_EQ(answer.at("type"), "identified") << answer.dump();
        }
        for (const protocol::OperationInfo& info : protocol::operations()) {
            if (info.frame.empty() || info.id == protocol::Operation::identify) continue;
            const std::string what = who.name + ": " + std::string(info.frame);
            Json frame = everything();
            frame["type"] = info.frame;
            frame["ref"] = "asked";
            client.send(frame);
            // What has no answer of its own shows by the next one's.
            client.send({{"type", "ping"}, {"ref", "end"}});
            std::string error;
            for (Json answer = client.receive(); answer.value("ref", "") != "end";
                 answer = client.receive()) {
                if (answer.value("ref", "") == "asked") error = answer.value("error", "");
            }
            const std::string expected = who.standing == Standing::nobody
                                             ? "not_identified"
                                             : refused(info.policy.right, who.standing);
            if (expected.empty()) {
                EXPECT_FALSE(is_refusal(error)) << what << ": " << error;
            } else {
                EXPECT_EQ(error, expected) << what;
            }
        }
    }
}

TEST_F(Rights, WhereReadsAreAnonymousNobodyReadsWhatTheOriginalShowed) {
    TempDir dir;
    HubProcess open(dir.path() / "data", {},
                    {"AGENTCOM_AUTH_ANONYMOUS_READS=true", "AGENTCOM_METRICS_ACCESS=token"});
    HttpClient client(open.port());
    for (const net::Route& route : net::route_table()) {
        if (route.page != net::Page::none) continue;
        const std::string error = ask(client, route, "the-nobody");
        const std::string what = std::string(route.verb) + ' ' + std::string(route.pattern);
        const std::string expected = refused(route.right(), Standing::nobody);
        if (route.right() == protocol::Right::reader || expected.empty()) {
            EXPECT_FALSE(is_refusal(error)) << what << ": " << error;
        } else {
            EXPECT_EQ(error, expected) << what;
        }
    }
}

// ---- Tokens -------------------------------------------------------------------------------------

TEST_F(Rights, AConnectionIsClosedWhenItsTokenExpires) {
    const auto made = admin_.post("/admin/tokens", {{"agent_id", "brief"}, {"expires_in", 1}});
    ASSERT_EQ(made.status, 201) << made.body;
    const std::string token = made.json().at("token");
    EXPECT_TRUE(made.json().at("expires_at").is_number());
    WsClient live(hub_.port());
    ASSERT_EQ(live.identify("brief", token).at("type"), "identified");
    const auto closed = live.wait_closed();
    EXPECT_EQ(closed.code, 4001);
    EXPECT_EQ(closed.reason, "token_revoked");
    HttpClient late(hub_.port(), token);
    EXPECT_EQ(late.get("/api/me").status, 401);
    WsClient again(hub_.port());
    EXPECT_EQ(again.identify("brief", token).at("error"), "invalid_token");
}

TEST_F(Rights, TokensAreListedWithTheirNamesRotatedAndRevokedOneByOne) {
    HttpClient agent(hub_.port(), callers_[1].token);
    const Json self = agent.get("/api/me").json();
    EXPECT_EQ(self.at("agent_id"), "the-agent");
    EXPECT_EQ(self.at("role"), "agent");
    EXPECT_EQ(self.at("token_name"), "of a test");
    EXPECT_TRUE(self.at("expires_at").is_null());
    EXPECT_EQ(self.at("limits").at("max_frame_bytes"), 1 << 20);

    const auto rotated = admin_.post("/admin/tokens/the-agent/rotate", {{"grace", 600}});
    ASSERT_EQ(rotated.status, 201) << rotated.body;
    const std::string fresh = rotated.json().at("token");
    EXPECT_EQ(rotated.json().at("name"), "of a test");
    EXPECT_EQ(agent.get("/api/me").json().at("expires_at"), rotated.json().at("old_expire_at"));
    HttpClient newer(hub_.port(), fresh);
    EXPECT_EQ(newer.get("/api/me").json().at("role"), "agent");

    const auto of_agent = [&] {
        std::vector<Json> found;
        const Json list = admin_.get("/admin/tokens").json();
        for (const Json& token : list.at("tokens")) {
            if (token.at("agent_id") == "the-agent") found.push_back(token);
        }
        return found;
    };
    EXPECT_EQ(of_agent().size(), 2U);
    const auto old = callers_[1].token.substr(0, 8);
    EXPECT_EQ(admin_.request("DELETE", "/admin/tokens/the-agent?prefix=" + old).status, 200);
    ASSERT_EQ(of_agent().size(), 1U);
    EXPECT_EQ(of_agent()[0].at("token_prefix"), fresh.substr(0, 8) + "...");
    EXPECT_EQ(agent.get("/api/me").status, 401);
    EXPECT_EQ(newer.get("/api/me").status, 200);
    EXPECT_EQ(admin_.request("DELETE", "/admin/tokens/the-agent?prefix=" + old).status, 404);
    EXPECT_EQ(admin_.request("DELETE", "/admin/tokens/the-agent?prefix=").status, 400);
    EXPECT_EQ(newer.get("/api/me").status, 200);
}

// ---- Channels and agents ------------------------------------------------------------------------

TEST_F(Rights, APrivateChannelIsThereForItsMembersOnly) {
    HttpClient maker(hub_.port(), hub_.create_token("maker"));
    HttpClient bob(hub_.port(), hub_.create_token("bob"));
    HttpClient mallory(hub_.port(), hub_.create_token("mallory"));
    HttpClient observer(hub_.port(), callers_[3].token);
    const Json payload{{"payload", {{"n", 1}}}};
    ASSERT_EQ(
        maker.post("/api/channels", {{"name", "secret"}, {"private", true}, {"members", {"bob"}}})
            .status,
        201);
    ASSERT_EQ(bob.post("/api/channels/secret/publish", payload).status, 200);
    const Json info = bob.get("/api/channels/secret").json();
    EXPECT_EQ(info.at("private"), true);
    EXPECT_EQ(info.at("members").size(), 2U);

    EXPECT_EQ(mallory.get("/api/channels/secret").json(),
              mallory.get("/api/channels/nowhere").json());
    EXPECT_EQ(mallory.post("/api/channels/secret/publish", payload).status, 404);
    EXPECT_EQ(mallory.request("POST", "/api/channels/secret/subscribe").status, 404);
    EXPECT_EQ(
        mallory
            .post("/api/channels/secret/members", {{"agent_id", "mallory"}, {"rights", {"read"}}})
            .status,
        404);
    EXPECT_EQ(mallory.request("DELETE", "/api/channels/secret").status, 404);
    EXPECT_EQ(mallory.get("/api/channels/secret/history").json().at("count"), 0);
    EXPECT_EQ(mallory.get("/api/messages?channel=secret").json().at("count"), 0);
    EXPECT_EQ(mallory.get("/api/channels").json().dump().find("secret"), std::string::npos);
    EXPECT_EQ(mallory.post("/api/channels", {{"name", "secret"}}).json().at("error"),
              "channel_exists");
    EXPECT_EQ(observer.get("/api/channels/secret/history").json().at("count"), 1);
    EXPECT_EQ(admin_.get("/api/messages?channel=secret").json().at("count"), 1);

    WsClient live(hub_.port());
    ASSERT_EQ(live.identify("bob", hub_.create_token("bob")).at("type"), "identified");
    ASSERT_EQ(live.ask({{"type", "channel_subscribe"}, {"channel", "secret"}}).at("type"),
              "channel_subscribed");
    ASSERT_EQ(maker.post("/api/channels/secret/publish", payload).status, 200);
    EXPECT_EQ(live.receive("channel_message").at("channel_seq"), 2);
    ASSERT_EQ(
        maker.post("/api/channels/secret/members", {{"agent_id", "bob"}, {"rights", Json::array()}})
            .json()
            .at("status"),
        "removed");
    ASSERT_EQ(maker.post("/api/channels/secret/publish", payload).status, 200);
    EXPECT_EQ(
        live.ask({{"type", "channel_publish"}, {"channel", "secret"}, {"payload", Json::object()}})
            .at("error"),
        "channel_not_found");
    for (const Json& frame : live.others) EXPECT_NE(frame.at("type"), "channel_message");
    EXPECT_EQ(bob.get("/api/mailbox/bob").json().at("count"), 0);
}

TEST_F(Rights, AnAgentReadsWhatConcernsItAndAdministratorsReadAll) {
    HttpClient alice(hub_.port(), hub_.create_token("alice"));
    HttpClient bob(hub_.port(), hub_.create_token("bob"));
    HttpClient carol(hub_.port(), hub_.create_token("carol"));
    HttpClient observer(hub_.port(), callers_[3].token);
    const auto sent = alice.post("/api/message", {{"to", "bob"}, {"payload", Json::object()}});
    ASSERT_EQ(sent.status, 200) << sent.body;
    const std::string id = sent.json().at("id");
    ASSERT_EQ(
        bob.post("/api/message", {{"to", "carol"}, {"payload", Json::object()}, {"reply_to", id}})
            .status,
        200);
    const auto count = [](HttpClient& client, const std::string& path) {
        return client.get(path).json().at("count").get<int>();
    };
    EXPECT_EQ(count(alice, "/api/messages"), 1);
    EXPECT_EQ(count(bob, "/api/messages"), 2);
    EXPECT_EQ(count(carol, "/api/messages"), 1);
    EXPECT_EQ(count(admin_, "/api/messages"), 2);
    EXPECT_EQ(count(observer, "/api/messages"), 2);
    EXPECT_EQ(count(alice, "/api/threads/" + id), 1);
    EXPECT_EQ(count(carol, "/api/threads/" + id), 1);
    EXPECT_EQ(count(observer, "/api/threads/" + id), 2);
}

TEST_F(Rights, WhoeverGetsAnEndedAgentsNameInheritsNothing) {
    HttpClient alice(hub_.port(), hub_.create_token("alice"));
    const std::string token = hub_.create_token("bob");
    WsClient live(hub_.port());
    ASSERT_EQ(live.identify("bob", token, {{"acks", true}}).at("type"), "identified");
    ASSERT_EQ(live.ask({{"type", "channel_subscribe"}, {"channel", "dev"}}).at("type"),
              "channel_subscribed");
    ASSERT_EQ(alice.post("/api/message", {{"to", "bob"}, {"payload", Json::object()}}).status, 200);
    ASSERT_EQ(admin_.request("DELETE", "/admin/agents/bob").json().at("status"), "deleted");
    EXPECT_EQ(live.wait_closed().code, 4001);
    EXPECT_EQ(HttpClient(hub_.port(), token).get("/api/me").status, 401);
    EXPECT_EQ(admin_.request("DELETE", "/admin/agents/bob").status, 404);

    HttpClient bob(hub_.port(), hub_.create_token("bob"));
    EXPECT_EQ(bob.get("/api/mailbox/bob").json().at("count"), 0);
    EXPECT_EQ(bob.get("/api/messages").json().at("count"), 0);
    EXPECT_TRUE(bob.get("/api/agents/bob/subscriptions").json().at("channels").empty());
    EXPECT_EQ(admin_.get("/api/messages").json().at("count"), 1);
}

}  // namespace
}  // namespace agentcom::test
