#include "crash/support/keepers.hpp"

#include <gtest/gtest.h>

#include <array>
#include <utility>

namespace agentcom::test {
namespace {

constexpr std::uint64_t kDay = 86'400'000;
constexpr const char* kHeartbeatRoute = "/api/config/heartbeat-interval";
constexpr const char* kHeartbeatField = "heartbeat_interval_ms";
constexpr const char* kRetentionRoute = "/api/config/mailbox-retention";
constexpr const char* kRetentionField = "mailbox_ttl_ms";

}  // namespace

Gardener::Gardener(Tally& tally, std::string agent, std::string token)
    : HttpParty(tally, std::move(token)), agent_(std::move(agent)) {}

void Gardener::send(Random& random) {
    if (bed_.in_doubt()) return get("/api/channels/" + channel() + "/history?limit=1");
    Bed after = bed_.sure();
    if (!after.exists) {
        ++number_;
        bed_.settle(Bed{});
        after = {.exists = true};
        const nlohmann::json body = {{"name", channel()}, {"description", "for a while"}};
        return change("POST", "/api/channels", &body, after);
    }
    const std::string path = "/api/channels/" + channel();
    const nlohmann::json nothing = nlohmann::json::object();
    switch (random.below(12)) {
        case 0:
            return change("DELETE", path, nullptr, Bed{});
        case 1:
            return get(path);
        case 2:
            return get("/api/agents/" + agent_ + "/subscriptions");
        case 3:
        case 4:
            after.subscribed = !after.subscribed;
            return change("POST", path + (after.subscribed ? "/subscribe" : "/unsubscribe"),
                          &nothing, after);
        default: {
            ++after.published;
            const nlohmann::json body = {{"payload", {{"i", after.published}}}};
            return change("POST", path + "/publish", &body, after);
        }
    }
}

void Gardener::change(const std::string& verb, const std::string& path, const nlohmann::json* body,
                      Bed after) {
    bed_.ask(after);
    ask(verb, path, body, [this, path](const HttpClient::Response& answer) {
        const Outcome what = outcome(answer, path);
        if (what == Outcome::done) bed_.confirmed();
        if (what == Outcome::refused) bed_.refused();
    });
}

void Gardener::verify(const Stored& /*stored*/, std::uint16_t port) {
    if (number_ == 0) return;
    SCOPED_TRACE("channel " + channel());
    HttpClient http(port, token());
    Bed found;
    const auto info = http.get("/api/channels/" + channel());
    found.exists = info.status == 200;
    if (found.exists) {
        found.subscribed = info.json().at("subscriber_count") == 1;
        const auto history = http.get("/api/channels/" + channel() + "/history?limit=200&since=0");
        const auto page = history.json();
        found.published = page.at("messages").size();
        for (std::size_t i = 0; i < found.published; ++i) {
            EXPECT_EQ(page.at("messages")[i].at("seq"), i + 1);
            EXPECT_EQ(page.at("messages")[i].at("message").at("payload").at("i"), i + 1);
        }
    }
    EXPECT_TRUE(bed_.allows(found))
        << "exists " << found.exists << ", subscribed " << found.subscribed << ", published "
        << found.published << "; sure: " << bed_.sure().exists << bed_.sure().subscribed
        << bed_.sure().published;
    const auto subscriptions = http.get("/api/agents/" + agent_ + "/subscriptions").json();
    EXPECT_EQ(subscriptions.at("channels").size(), found.subscribed ? 1U : 0U) << subscriptions;
    bed_.settle(found);
}

Administrator::Administrator(Tally& tally, std::string token)
    : HttpParty(tally, std::move(token)) {}

void Administrator::send(Random& random) {
    switch (random.below(16)) {
        case 0:
        case 1:
        case 2:
            return create_token();
        case 3:
        case 4:
            for (Issued& issued : issued_) {
                if (issued.valid.sure() && !issued.valid.in_doubt()) return revoke_token(issued);
            }
            return create_token();
        case 5:
        case 6:
            if (heartbeat_.in_doubt()) break;
            return write_setting(kHeartbeatRoute, kHeartbeatField, 1 + random.below(1'000'000),
                                 heartbeat_);
        case 7:
            if (retention_.in_doubt()) break;
            return write_setting(kRetentionRoute, kRetentionField, kDay + random.below(kDay),
                                 retention_);
        case 8:
            return read_setting(kHeartbeatRoute, kHeartbeatField, heartbeat_);
        case 9:
            return read_setting(kRetentionRoute, kRetentionField, retention_);
        case 10:
            return post("/api/mailbox/evict", nlohmann::json::object(),
                        [](const auto& answer) { (void)outcome(answer, "an eviction"); });
        case 11:
            if (!resets_ || !random.one_in(3)) break;
            return post("/api/admin/reset", nlohmann::json::object(), [](const auto& answer) {
                if (answer.status != 409) (void)outcome(answer, "a reset");
            });
        default:
            break;
    }
    look(random.below(7));
}

void Administrator::look(std::size_t at) {
    static constexpr std::array<const char*, 7> kPages{"/admin/tokens?limit=5",
                                                       "/api/agents?limit=5",
                                                       "/api/analytics/summary",
                                                       "/api/analytics/agents?limit=5",
                                                       "/api/analytics/agents/reader-0/hourly",
                                                       "/dashboard",
                                                       "/health"};
    // In a hub whose disk has failed, health is not 200.
    get(kPages.at(at), [](const HttpClient::Response& answer) {
        EXPECT_TRUE(answer.status == 200 || answer.status == 503) << answer.body;
    });
}

void Administrator::create_token() {
    issued_.push_back({"guest-" + std::to_string(issued_.size()), {}, Doubt<bool>(false)});
    issued_.back().valid.ask(true);
    post("/admin/tokens", {{"agent_id", issued_.back().agent}},
         [this](const HttpClient::Response& answer) {
             Issued& issued = issued_.back();
             const Outcome what = outcome(answer, "a token");
             if (what == Outcome::refused) issued.valid.refused();
             if (what != Outcome::done) return;
             issued.token = answer.json().at("token");
             issued.valid.confirmed();
         });
}

void Administrator::revoke_token(Issued& issued) {
    issued.valid.ask(false);
    const std::size_t place = static_cast<std::size_t>(&issued - issued_.data());
    ask("DELETE", "/admin/tokens/" + issued.agent, nullptr,
        [this, place](const HttpClient::Response& answer) {
            Doubt<bool>& valid = issued_[place].valid;
            const Outcome what = outcome(answer, "a revocation");
            if (what == Outcome::done) valid.confirmed();
            if (what == Outcome::refused) valid.refused();
        });
}

void Administrator::write_setting(const std::string& route, const std::string& field,
                                  std::uint64_t value, Doubt<std::uint64_t>& setting) {
    setting.ask(value);
    const nlohmann::json body = {{field, value}};
    ask("PUT", route, &body, [&setting](const HttpClient::Response& answer) {
        const Outcome what = outcome(answer, "a setting");
        if (what == Outcome::done) setting.confirmed();
        if (what == Outcome::refused) setting.refused();
    });
}

void Administrator::read_setting(const std::string& route, const std::string& field,
                                 const Doubt<std::uint64_t>& setting) {
    get(route, [&setting, field](const HttpClient::Response& answer) {
        ASSERT_EQ(answer.status, 200) << answer.body;
        EXPECT_TRUE(setting.allows(answer.json().at(field))) << answer.body;
    });
}

void Administrator::verify(const Stored& /*stored*/, std::uint16_t port) {
    HttpClient admin(port, token());
    std::set<std::string> listed;
    for (std::string cursor;;) {
        const auto page =
            admin.get("/admin/tokens?limit=1000" + (cursor.empty() ? "" : "&cursor=" + cursor))
                .json();
        for (const auto& each : page.at("tokens")) {
            EXPECT_TRUE(listed.insert(each.at("agent_id")).second || each.at("agent_id") == "admin")
                << "two tokens: " << each;
        }
        if (!page.contains("cursor")) break;
        cursor = page.at("cursor");
    }
    for (Issued& issued : issued_) {
        SCOPED_TRACE("token of " + issued.agent);
        const bool found = listed.contains(issued.agent);
        EXPECT_TRUE(issued.valid.allows(found)) << "listed: " << found;
        if (!issued.token.empty()) {
            HttpClient guest(port, issued.token);
            EXPECT_EQ(guest.get(kHeartbeatRoute).status, found ? 200 : 401);
        }
        // Of a token whose answer never came nobody knows the text.
        issued.valid.settle(found && !issued.token.empty());
        if (found && issued.token.empty()) {
            EXPECT_EQ(admin.request("DELETE", "/admin/tokens/" + issued.agent).status, 200);
        }
    }
    const std::uint64_t heartbeat = admin.get(kHeartbeatRoute).json().at(kHeartbeatField);
    EXPECT_TRUE(heartbeat_.allows(heartbeat)) << heartbeat;
    heartbeat_.settle(heartbeat);
    const std::uint64_t retention = admin.get(kRetentionRoute).json().at(kRetentionField);
    EXPECT_TRUE(retention_.allows(retention)) << retention;
    retention_.settle(retention);
}

}  // namespace agentcom::test
