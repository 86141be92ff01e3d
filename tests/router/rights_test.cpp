// Who may ask what, for every operation there is: a new one does not compile until its right is
// written down here.

#include <map>
#include <set>
#include <utility>
#include <variant>

#include "router/router_fixture.hpp"

namespace agentcom::router {
namespace {

using core::ErrorCode;
using core::Role;

enum class Right {
    everybody,   // also without a token
    reader,      // an agent; where reads are anonymous, everybody
    agent,       // whoever holds a token
    sender,      // whoever holds a token, but not an observer's
    admin,       // whoever administers
    connection,  // an agent over its identified connection
    watcher,     // administrators and observers
    nobody,      // not an operation of the router's
};

struct RightOf {
    Right operator()(const protocol::Identify&) const { return Right::nobody; }
    Right operator()(const protocol::Ping&) const { return Right::everybody; }
    Right operator()(const protocol::Health&) const { return Right::everybody; }
    Right operator()(const protocol::SetStatus&) const { return Right::connection; }
    Right operator()(const protocol::ListAgents&) const { return Right::reader; }
    Right operator()(const protocol::ListChannels&) const { return Right::reader; }
    Right operator()(const protocol::GetChannel&) const { return Right::reader; }
    Right operator()(const protocol::ChannelHistory&) const { return Right::reader; }
    Right operator()(const protocol::ListSubscriptions&) const { return Right::reader; }
    Right operator()(const protocol::AnalyticsSummary&) const { return Right::reader; }
    Right operator()(const protocol::AnalyticsAgents&) const { return Right::reader; }
    Right operator()(const protocol::AnalyticsHourly&) const { return Right::reader; }
    Right operator()(const protocol::Observe&) const { return Right::agent; }
    Right operator()(const protocol::ObserveAgent&) const { return Right::agent; }
    Right operator()(const protocol::ObservePairs&) const { return Right::watcher; }
    Right operator()(const protocol::SendMessage&) const { return Right::sender; }
    Right operator()(const protocol::Publish&) const { return Right::sender; }
    Right operator()(const protocol::Ack&) const { return Right::agent; }
    Right operator()(const protocol::PollMailbox&) const { return Right::agent; }
    Right operator()(const protocol::OpenStream&) const { return Right::agent; }
    Right operator()(const protocol::GetUnread&) const { return Right::agent; }
    Right operator()(const protocol::CreateChannel&) const { return Right::sender; }
    Right operator()(const protocol::Subscribe&) const { return Right::agent; }
    Right operator()(const protocol::Unsubscribe&) const { return Right::agent; }
    Right operator()(const protocol::DeleteChannel&) const { return Right::sender; }
    Right operator()(const protocol::QueryHistory&) const { return Right::agent; }
    Right operator()(const protocol::GetThread&) const { return Right::agent; }
    Right operator()(const protocol::GetReplies&) const { return Right::agent; }
    Right operator()(const protocol::GetThreadRoot&) const { return Right::agent; }
    Right operator()(const protocol::GetSetting&) const { return Right::agent; }
    Right operator()(const protocol::PutSetting&) const { return Right::admin; }
    Right operator()(const protocol::EvictMailboxes&) const { return Right::admin; }
    Right operator()(const protocol::CreateToken&) const { return Right::admin; }
    Right operator()(const protocol::ListTokens&) const { return Right::admin; }
    Right operator()(const protocol::RevokeTokens&) const { return Right::admin; }
    Right operator()(const protocol::ResetHub&) const { return Right::admin; }
    Right operator()(const protocol::RotateToken&) const { return Right::admin; }
    Right operator()(const protocol::WhoAmI&) const { return Right::agent; }
    Right operator()(const protocol::SetMember&) const { return Right::sender; }
    Right operator()(const protocol::EndAgent&) const { return Right::admin; }
    Right operator()(const protocol::GetAgent&) const { return Right::agent; }
    Right operator()(const protocol::ListDirectory&) const { return Right::agent; }
    Right operator()(const protocol::SetProfile&) const { return Right::sender; }
    Right operator()(const protocol::GetMessage&) const { return Right::agent; }
    Right operator()(const protocol::GetHubCard&) const { return Right::everybody; }
    Right operator()(const protocol::GetAgentCard&) const { return Right::everybody; }
    Right operator()(const protocol::ProbeLive&) const { return Right::everybody; }
    Right operator()(const protocol::ProbeReady&) const { return Right::everybody; }
    Right operator()(const protocol::GetMetrics&) const { return Right::watcher; }
    Right operator()(const protocol::ReloadConfig&) const { return Right::admin; }
    Right operator()(const protocol::LogIn&) const { return Right::agent; }
    Right operator()(const protocol::GetSession&) const { return Right::agent; }
    Right operator()(const protocol::LogOut&) const { return Right::everybody; }
    Right operator()(const protocol::ListWaiting&) const { return Right::agent; }
    Right operator()(const protocol::DisconnectAgent&) const { return Right::admin; }
};

/// Asked by and about "alice", who has a token; the channel "dev" exists.
class RightsTest : public RouterTest {
protected:
    std::vector<protocol::Request> requests() {
        using namespace protocol;
        const core::ChannelName dev = channel("dev");
        return {Identify{},
                Ping{},
                direct("bob"),
                SetStatus{{"\"busy\""}},
                ListAgents{},
                Ack{"alice", core::Seq{1}},
                poll("alice"),
                EvictMailboxes{},
                CreateChannel{channel("fresh-" + std::to_string(++channels_)), ""},
                ListChannels{},
                GetChannel{dev},
                Subscribe{dev, "dev"},
                Unsubscribe{dev, "dev"},
                DeleteChannel{channel("fresh-" + std::to_string(channels_)), "fresh"},
                publication("dev"),
                ChannelHistory{.channel = dev, .channel_text = "dev"},
                ListSubscriptions{"alice"},
                QueryHistory{},
                GetThread{"x", {}, {}},
                GetReplies{"x"},
                GetThreadRoot{"x"},
                GetSetting{Setting::mailbox_ttl_ms},
                PutSetting{Setting::heartbeat_interval_ms, 5},
                AnalyticsSummary{},
                AnalyticsAgents{},
                AnalyticsHourly{"alice"},
                ObserveAgent{"alice"},
                ObservePairs{},
                CreateToken{agent("carol")},
                ListTokens{},
                RevokeTokens{"carol"},
                ResetHub{},
                Health{},
                RotateToken{agent("alice")},
                WhoAmI{},
                SetMember{channel("team"), "team", {agent("bob"), core::kMayRead}},
                EndAgent{"bob"},
                GetUnread{"alice"},
                GetAgent{"alice"},
                ListDirectory{},
                SetProfile{{"\"busy\""}, {}},
                GetMessage{"1"},
                GetHubCard{},
                GetAgentCard{"alice", ""},
                ProbeLive{},
                ProbeReady{},
                GetMetrics{},
                ReloadConfig{},
                LogIn{},
                GetSession{},
                LogOut{},
                ListWaiting{.mailbox = "alice", .cursor = {}},
                DisconnectAgent{"alice"}};
    }
    void prepare(RouterOptions options) {
        start(std::move(options));
        tokens_["alice"] = create_token("alice");
        (void)get<protocol::StatusUpdated>(as("alice"), protocol::SetProfile{{"1"}, {}, true});
        make_channel("dev", {});
        (void)get<protocol::ChannelCreated>(
            as("maker"),
            protocol::CreateChannel{
                channel("team"), "", "team", false, false, {{agent("alice"), core::kMayManage}}});
    }
    /// Recognised by a token, as transports do it.
    Caller by_token(const std::string& name, Role role) {
        auto& token = tokens_[name];
        if (token.empty()) token = create_token(name, role);
        return router_->authenticate(token);
    }
    void expect(const Caller& caller, protocol::Request request,
                std::optional<ErrorCode> expected) {
        // Who may send nothing finds nothing either.
        const bool nothing_sent = store_->head() == core::Seq{0};
        if (nothing_sent && !expected && std::holds_alternative<protocol::GetMessage>(request)) {
            expected = ErrorCode::not_found;
        }
        // This hub has no configuration to read again.
        if (!expected && std::holds_alternative<protocol::ReloadConfig>(request)) {
            expected = ErrorCode::not_found;
        }
        // Who shows a token has no session yet.
        if (!expected && std::holds_alternative<protocol::GetSession>(request)) {
            expected = ErrorCode::not_found;
        }
        EXPECT_EQ(error_of(caller, request), expected) << "operation " << request.index();
        clock_.advance(core::Millis{3'600'000});  // resets and rates have cooled down
    }

private:
    int channels_ = 0;
    std::map<std::string, std::string> tokens_;
};

TEST_F(RightsTest, EveryOperationIsListed) {
    const auto all = requests();
    // All but those that need a stream to go to (tests/net/stream_test.cpp, observe_test.cpp).
    const std::set<std::size_t> streams = {protocol::Request(protocol::OpenStream{}).index(),
                                           protocol::Request(protocol::Observe{}).index()};
    ASSERT_EQ(all.size() + streams.size(), std::variant_size_v<protocol::Request>);
    std::size_t next = 0;
    for (std::size_t i = 0; i < std::variant_size_v<protocol::Request>; ++i) {
        if (streams.contains(i)) continue;
        EXPECT_EQ(all[next++].index(), i);
    }
}

TEST_F(RightsTest, NobodyMayOnlyAskForHealthAndPing) {
    prepare({});
    for (const protocol::Request& request : requests()) {
        switch (std::visit(RightOf{}, request)) {
            case Right::everybody:
                expect({}, request, std::nullopt);
                break;
            case Right::nobody:
                expect({}, request, ErrorCode::unknown_message_type);
                break;
            default:
                expect({}, request, ErrorCode::unauthorized);
        }
    }
    EXPECT_EQ(store_->head(), core::Seq{0});
    core::Budget budget({});
    EXPECT_EQ(store_->list_channels("", budget).entries.size(), 2U);
}

TEST_F(RightsTest, WhereReadsAreAnonymousNobodyMayReadWhatTheOriginalShowed) {
    RouterOptions options;
    options.anonymous_reads = true;
    prepare(options);
    for (const protocol::Request& request : requests()) {
        switch (std::visit(RightOf{}, request)) {
            case Right::everybody:
            case Right::reader:
                expect({}, request, std::nullopt);
                break;
            case Right::nobody:
                expect({}, request, ErrorCode::unknown_message_type);
                break;
            default:
                expect({}, request, ErrorCode::unauthorized);
        }
    }
    EXPECT_EQ(store_->head(), core::Seq{0});
}

TEST_F(RightsTest, AnAgentMayDoEverythingButAdminister) {
    prepare({});
    const Caller alice = by_token("alice", Role::agent);
    for (const protocol::Request& request : requests()) {
        switch (std::visit(RightOf{}, request)) {
            case Right::admin:
                expect(alice, request, ErrorCode::admin_only);
                break;
            case Right::watcher:
                expect(alice, request, ErrorCode::forbidden);
                break;
            case Right::nobody:
                expect(alice, request, ErrorCode::unknown_message_type);
                break;
            case Right::connection:
                expect(alice, request, ErrorCode::not_identified);
                break;
            default:
                expect(alice, request, std::nullopt);
        }
    }
    EXPECT_EQ(store_->setting("heartbeat_interval_ms"), std::nullopt);
    core::Budget budget({});
    EXPECT_EQ(store_->list_tokens("", budget)->entries.size(), 1U);
}

TEST_F(RightsTest, AnObserverReadsAndSendsNothing) {
    prepare({});
    const Caller watcher = by_token("watcher", Role::observer);
    ASSERT_EQ(watcher.standing(), protocol::Standing::observer);
    for (protocol::Request& request : requests()) {
        // A mailbox is for its owner.
        if (auto* each = std::get_if<protocol::PollMailbox>(&request)) each->mailbox = "watcher";
        if (auto* each = std::get_if<protocol::GetUnread>(&request)) each->mailbox = "watcher";
        if (auto* each = std::get_if<protocol::Ack>(&request)) each->mailbox = "watcher";
        switch (std::visit(RightOf{}, request)) {
            case Right::admin:
                expect(watcher, request, ErrorCode::admin_only);
                break;
            case Right::nobody:
                expect(watcher, request, ErrorCode::unknown_message_type);
                break;
            case Right::sender:
            case Right::connection:
                expect(watcher, request, ErrorCode::read_only);
                break;
            default:
                expect(watcher, request, std::nullopt);
        }
    }
    EXPECT_EQ(store_->head(), core::Seq{0});
}

TEST_F(RightsTest, AnAdministratorMayDoEverything) {
    prepare({});
    const Caller root = by_token("root", Role::admin);
    for (protocol::Request& request : requests()) {
        if (std::visit(RightOf{}, request) == Right::nobody) continue;
        if (std::visit(RightOf{}, request) == Right::connection) {
            expect(root, request, ErrorCode::not_identified);
            continue;
        }
        // A mailbox is for its owner, whoever else asks.
        if (auto* each = std::get_if<protocol::PollMailbox>(&request)) {
            expect(root, request, ErrorCode::unauthorized);
            each->mailbox = "root";
        }
        if (auto* each = std::get_if<protocol::Ack>(&request)) {
            expect(root, request, ErrorCode::unauthorized);
            each->mailbox = "root";
        }
        if (auto* each = std::get_if<protocol::GetUnread>(&request)) {
            expect(root, request, ErrorCode::unauthorized);
            each->mailbox = "root";
        }
        expect(root, request, std::nullopt);
    }
}

TEST_F(RightsTest, OnceTheHubShutsDownEverythingThatWritesIsRefusedAndReadingGoesOn) {
    prepare({});
    const Caller root = by_token("root", Role::admin);
    router_->begin_shutdown();
    for (protocol::Request& request : requests()) {
        if (auto* each = std::get_if<protocol::PollMailbox>(&request)) {
            *each = poll("root", core::Millis{60'000});
        }
        if (auto* each = std::get_if<protocol::Ack>(&request)) each->mailbox = "root";
        if (auto* each = std::get_if<protocol::GetUnread>(&request)) each->mailbox = "root";
        std::optional<ErrorCode> expected;
        if (protocol::policy_of(request).effect == protocol::Effect::write) {
            expected = ErrorCode::shutting_down;
        } else if (std::visit(RightOf{}, request) == Right::nobody) {
            expected = ErrorCode::unknown_message_type;
        } else if (std::visit(RightOf{}, request) == Right::connection) {
            expected = ErrorCode::not_identified;
        }
        expect(root, request, expected);
    }
    EXPECT_EQ(store_->head(), core::Seq{0});
    EXPECT_EQ(get<protocol::HealthReport>({}, protocol::Health{}).state,
              protocol::HealthState::shutting_down);
    TestSession& late = fresh_session();
    const protocol::Identify identify{.agent_id = "root",
                                      .token = create_token("root", Role::admin),
                                      .name = {},
                                      .status = {},
                                      .capabilities = {}};
    const auto reply = on(0, [&] { return router_->identify(loop(), late, identify); });
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::shutting_down);
}

TEST_F(RightsTest, ATokenGivesTheRightsOfItsRoleAndListedAgentsAdminister) {
    RouterOptions options;
    options.admin_agents = {agent("chief")};
    start(options);
    const std::string plain = create_token("alice");
    const std::string admin = create_token("root", Role::admin);
    const std::string listed = create_token("chief");
    EXPECT_FALSE(router_->authenticate(plain).is_admin());
    EXPECT_EQ(router_->authenticate(plain).agent, agent("alice"));
    EXPECT_TRUE(router_->authenticate(admin).is_admin());
    EXPECT_TRUE(router_->authenticate(listed).is_admin());
    for (const std::string& wrong : {std::string(), std::string("x"), std::string(64, '0'),
                                     plain.substr(1), plain + "0", "A" + plain.substr(1)}) {
        EXPECT_FALSE(router_->authenticate(wrong).agent) << wrong;
        EXPECT_FALSE(router_->authenticate(wrong).is_admin()) << wrong;
    }
    (void)get<protocol::TokensRevoked>(as("root", Role::admin), protocol::RevokeTokens{"alice"});
    EXPECT_FALSE(router_->authenticate(plain).agent);
}

}  // namespace
}  // namespace agentcom::router
