// People's sessions in browsers at the real daemon.
#include <csignal>
#include <nlohmann/json.hpp>

#include "app/command_fixture.hpp"
#include "support/socket_client.hpp"

namespace agentcom::app {
namespace {

class Restarts : public CommandTest {
protected:
    void start(std::vector<std::string> variables = {}) {
        variables.push_back(std::string("AGENTCOM_ADMIN_TOKEN=") + kSomeToken);
        hub_ = serve(std::move(variables));
        const std::string run = read_text(std::filesystem::path(data()) / "agentcom.run");
        const std::string url = nlohmann::json::parse(run).at("url");
        port_ = static_cast<std::uint16_t>(std::stoul(url.substr(url.rfind(':') + 1)));
    }
    void stop() {
        hub_->signal(SIGTERM);
        EXPECT_EQ(hub_->wait(), 0) << hub_->errors();
    }
    test::HttpClient::Response log_in() {
        return test::HttpClient(port_).post("/api/session", {{"token", kSomeToken}});
    }
    static std::string cookie_of(const test::HttpClient::Response& answer) {
        const std::string& line = answer.headers.at("set-cookie");
        return "Cookie: " + line.substr(0, line.find(';'));
    }
    int shows(const std::string& cookie) {
        return test::HttpClient(port_).request("GET", "/api/session", {}, {cookie}).status;
    }

    std::unique_ptr<test::Program> hub_;
    std::uint16_t port_ = 0;
};

TEST_F(Restarts, APersonStaysLoggedIn) {
    start();
    const auto begun = log_in();
    ASSERT_EQ(begun.status, 200) << begun.body;
    EXPECT_NE(begun.headers.at("set-cookie").find("; Max-Age=43200"), std::string::npos);
    const std::string cookie = cookie_of(begun);
    EXPECT_EQ(shows(cookie), 200);
    stop();
    start({"AGENTCOM_SERVER_SESSION_LIFETIME=5m", "AGENTCOM_LIMITS_MAX_SESSIONS_PER_TOKEN=2"});
    EXPECT_EQ(shows(cookie), 200);
    // What is configured holds for those that begin from now on.
    const auto second = log_in();
    EXPECT_NE(second.headers.at("set-cookie").find("; Max-Age=300"), std::string::npos);
    EXPECT_EQ(shows(cookie), 200);
    const auto third = log_in();
    EXPECT_EQ(shows(cookie), 401);
    EXPECT_EQ(shows(cookie_of(second)), 200);
    EXPECT_EQ(shows(cookie_of(third)), 200);
    // Neither token nor cookie lies in the store as it is.
    const std::string stored = read_text(std::filesystem::path(data()) / "data.mdb");
    EXPECT_EQ(stored.find(cookie.substr(cookie.find('=') + 1)), std::string::npos);
    EXPECT_EQ(stored.find(kSomeToken), std::string::npos);
    stop();
}

}  // namespace
}  // namespace agentcom::app
