// Who watches the real daemon: is shown what happens, and after a start the day before it.

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "support/event_source.hpp"
#include "support/hub_process.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::test {
namespace {

using Json = nlohmann::json;

/// What a stream has shown so far.
class View {
public:
    View(std::uint16_t port, const std::string& token) : stream_(port, "/api/observe", token) {
        EXPECT_EQ(stream_.status(), 200) << stream_.head();
    }
    /// Reads on until it is as wanted; the hub says something every five seconds at least.
    template <class Wanted>
    void until(Wanted wanted) {
        for (int events = 0; !wanted(*this); ++events) {
            const auto event = stream_.next();
            ASSERT_TRUE(event) << "the stream has ended";
            ASSERT_LT(events, 60) << event->data;
            const Json shown = Json::parse(event->data);
            overview = shown.value("overview", overview);
            for (const Json& row : shown.value("agents", Json::array())) rows[row.at("id")] = row;
        }
    }
    Json overview;
    std::map<std::string, Json> rows;

private:
    EventSource stream_;
};

TEST(Observer, SeesAfterARestartWhatWasSentBeforeIt) {
    TempDir dir;
    std::string alice;
    {
        HubProcess hub(dir.path() / "data");
        alice = hub.create_token("alice");
        (void)hub.create_token("bob");
        View view(hub.port(), alice);
        HttpClient http(hub.port(), alice);
        for (const char* to : {"bob", "bob", "bbo"}) {
            ASSERT_EQ(http.post("/api/message", {{"to", to}, {"payload", 1}}).status, 200);
        }
        ASSERT_EQ(http.post("/api/message", {{"payload", 1}}).status, 200);
        view.until([](const View& of) {
            return of.rows.contains("bbo") && of.rows.contains("bob") &&
                   of.rows.at("bob").at("unread") == 3 && !of.overview.is_null() &&
                   of.overview.at("messages").at("total_24h") == 4;
        });
        EXPECT_EQ(view.rows.at("bbo").at("known"), false);
        EXPECT_EQ(view.rows.at("alice").at("sent_24h"), 4);
        EXPECT_EQ(hub.terminate(), 0);
    }
    HubProcess hub(dir.path() / "data");
    View view(hub.port(), alice);
    view.until([](const View& of) {
        return of.rows.contains("bbo") && of.rows.contains("alice") &&
               of.rows.at("alice").at("sent_24h") == 4 && !of.overview.is_null() &&
               !of.overview.contains("counting") && of.overview.at("messages").at("total_24h") == 4;
    });
    EXPECT_EQ(view.rows.at("bob").at("received_24h"), 3);
    EXPECT_EQ(view.rows.at("bob").at("last_seen"), nullptr);
    HttpClient http(hub.port(), hub.admin_token());
    const auto pairs = http.get("/api/observe/pairs").json();
    EXPECT_EQ(pairs.at("scanned"), 4);
    EXPECT_EQ(pairs.at("pairs")[0].at("to"), "bob");
    EXPECT_EQ(hub.terminate(), 0);
}

}  // namespace
}  // namespace agentcom::test
