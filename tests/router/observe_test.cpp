// What observers are shown: everything at the beginning, then what changes, the same to everybody;
// rows of agents, numbers after a start, alarms, bounds.

#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "router/agent_row.hpp"
#include "router/router_fixture.hpp"

namespace agentcom::router {
namespace {

using core::Millis;

class ObserveTest : public RouterTest {
protected:
    /// Somebody who watches, and what was shown.
    struct Watcher {
        TestSession* session = nullptr;
        std::size_t loop = 0;
        std::vector<Json> events;
        std::map<std::string, Json> rows;
        Json overview;
        std::size_t read = 0;

        void apply() {
            for (; read < events.size(); ++read) {
                const Json& event = events[read];
                if (event.contains("hub")) rows.clear();
                if (event.contains("overview")) overview = event.at("overview");
                if (event.contains("agents")) {
                    for (const Json& row : event.at("agents")) rows[row.at("id")] = row;
                }
                if (event.contains("gone")) {
                    for (const std::string id : event.at("gone")) rows.erase(id);
                }
            }
        }
    };

    Caller caller_of(const std::string& name, core::Role role = core::Role::agent) {
        return router_->authenticate(create_token(name, role));
    }
    Caller in_browser(const std::string& name) {
        const auto begun = get<protocol::LoggedIn>(caller_of(name), protocol::LogIn{});
        return router_->authenticate_web_session(begun.cookie.reveal());
    }
    /// Asks on the loop; nothing when it may not.
    std::optional<core::ErrorCode> try_watch(TestSession& session, const Caller& caller,
                                             std::size_t index = 0) {
        const protocol::Reply reply = ask(caller, protocol::Observe{}, &session, index);
        return reply ? std::nullopt : std::optional(reply.error().code);
    }
    Watcher watch(const std::string& name = "watcher", std::size_t index = 0) {
        Watcher watcher;
        watcher.session = &fresh_session();
        watcher.loop = index;
        EXPECT_EQ(try_watch(*watcher.session, caller_of(name), index), std::nullopt);
        until(
            watcher, [](const Watcher& of) { return !of.events.empty(); }, Millis{0});
        return watcher;
    }
    /// Reads, and lets time pass, until what was shown is as wanted.
    template <class Wanted>
    void until(Watcher& watcher, Wanted wanted, Millis step = Millis{1'000}) {
        const auto deadline = std::chrono::steady_clock::now() + kPatience;
        for (;;) {
            for (Json& event : written(*watcher.session, watcher.loop)) {
                watcher.events.push_back(std::move(event));
            }
            watcher.apply();
            if (wanted(watcher)) return;
            ASSERT_LT(std::chrono::steady_clock::now(), deadline)
                << (watcher.events.empty() ? Json() : watcher.events.back());
            clock_.advance(step);
            std::this_thread::yield();
        }
    }
    void until_row(Watcher& watcher, const std::string& id, const Json& members) {
        until(watcher, [&](const Watcher& of) {
            const auto row = of.rows.find(id);
            if (row == of.rows.end()) return false;
            Json merged = row->second;
            merged.merge_patch(members);
            // A patch with null would remove the member instead of comparing it.
            for (const auto& [name, value] : members.items()) {
                if (row->second.at(name) != value) return false;
            }
            return true;
        });
    }
    void until_gone(Watcher& watcher, const std::string& id) {
        until(watcher, [&](const Watcher& of) { return !of.rows.contains(id); });
    }
    /// In a few commits.
    void create_tokens(const std::string& prefix, int count) {
        auto last = std::make_shared<std::promise<void>>();
        auto done = last->get_future();
        std::vector<store::Submission> all;
        for (int i = 0; i < count; ++i) {
            const core::Token token = core::Token::generate();
            store::Completion completion = [last, is_last = i + 1 == count](const auto&) {
                if (is_last) last->set_value();
            };
            all.push_back({store::CreateToken{agent(prefix + std::to_string(i)), token.digest(),
                                              token.prefix(), core::Role::agent},
                           std::move(completion), store::kNoLoop});
        }
        store_->submit(std::move(all));
        wait_for(done);
    }
    void send(const std::string& from, const std::string& to) {
        (void)get<protocol::MessageSent>(as(from), direct(to));
    }
};

TEST_F(ObserveTest, ShowsEverythingAndThenWhatChanges) {
    create_token("alice");
    Watcher watcher = watch();
    const Json& snapshot = watcher.events.at(0);
    EXPECT_EQ(snapshot.at("hub").at("epoch"), store_->epoch().str());
    EXPECT_EQ(snapshot.at("series").at("minutes").size(), 60U);
    EXPECT_EQ(snapshot.at("series").at("hours").size(), 24U);
    EXPECT_EQ(snapshot.at("complete"), true);
    // Who holds a token is there, although it never came.
    ASSERT_TRUE(watcher.rows.contains("alice")) << snapshot;
    EXPECT_EQ(watcher.rows.at("alice").at("state"), "offline");
    EXPECT_EQ(watcher.rows.at("alice").at("last_seen"), nullptr);
    EXPECT_EQ(watcher.rows.at("alice").at("unread"), 0);
    EXPECT_EQ(watcher.overview.at("agents").at("total"), 2);

    protocol::Identify said = quietly();
    said.status = core::JsonText{R"("reading \"it\"")"};
    said.capabilities = core::JsonText{R"(["review",{"name":"build"},7])"};
    TestSession& alice = join("alice", said, 1);
    until_row(watcher, "alice",
              {{"state", "working"},
               {"status", "reading \"it\""},
               {"capabilities", {"review", "build"}},
               {"connections", 1}});
    send("alice", "watcher");
    until_row(watcher, "alice", {{"sent_24h", 1}});
    until_row(watcher, "watcher", {{"received_24h", 1}, {"unread", 1}});
    until(watcher,
          [](const Watcher& of) { return of.overview.at("messages").at("total_24h") == 1; });
    EXPECT_EQ(watcher.overview.at("head_seq"), store_->head().value);
    // Nothing is said of the row for five minutes; then that nothing was done.
    clock_.advance(Millis{299'000});
    until_row(watcher, "alice", {{"state", "idle"}});
    EXPECT_EQ(watcher.overview.at("agents").at("idle"), 1);
    leave(alice, 1);
    until_row(watcher, "alice", {{"connected_since", nullptr}, {"status", nullptr}});
    clock_.advance(Millis{119'000});
    until_row(watcher, "alice", {{"state", "offline"}});
    (void)get<protocol::AgentEnded>(as("root", core::Role::admin), protocol::EndAgent{"alice"});
    until_gone(watcher, "alice");
}

TEST_F(ObserveTest, WhatNobodyHasDoneIsNotToldAgainButThatTheHubIsThere) {
    Watcher watcher = watch();
    until(watcher, [](const Watcher& of) { return of.events.size() >= 10; });
    std::size_t with_rows = 0;
    for (std::size_t i = 5; i < watcher.events.size(); ++i) {
        EXPECT_TRUE(watcher.events[i].contains("overview") || watcher.events[i].contains("point"));
        with_rows += watcher.events[i].contains("agents") ? 1 : 0;
    }
    EXPECT_EQ(with_rows, 0U);
}

TEST_F(ObserveTest, WithoutObserversNothingIsDone) {
    create_token("alice");
    Watcher watcher = watch();
    leave(*watcher.session);
    const auto steps = [this] { return store_->stats().read_steps; };
    // The feed notices at its next tick.
    clock_.advance(Millis{1'000});
    settle();
    const std::uint64_t before = steps();
    for (int i = 0; i < 20; ++i) {
        clock_.advance(Millis{5'000});
        settle();
    }
    EXPECT_EQ(steps(), before);
    // And begins again.
    Watcher late = watch("late");
    EXPECT_TRUE(late.rows.contains("alice"));
    EXPECT_GT(steps(), before);
}

TEST_F(ObserveTest, AHundredAreSentTheSameBytesWhichAreThereOnce) {
    create_tokens("agent-with-a-name-", 300);
    RouterOptions options;
    options.max_streams_per_agent = 100;
    start(options);
    const Caller who = caller_of("watcher");
    std::vector<TestSession*> sessions;
    for (int i = 0; i < 100; ++i) {
        sessions.push_back(&fresh_session());
        ASSERT_EQ(try_watch(*sessions.back(), who, static_cast<std::size_t>(i % 2)), std::nullopt);
    }
    std::set<const char*> places;
    std::set<std::string> texts;
    std::size_t bytes = 0;
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    for (int i = 0; i < 100; ++i) {
        const auto index = static_cast<std::size_t>(i % 2);
        std::size_t has = 0;
        while (has == 0) {
            ASSERT_LT(std::chrono::steady_clock::now(), deadline);
            settle();
            has = on(index, [&] { return sessions[i]->outbox().bytes(); });
        }
        on(index, [&] {
            std::string_view views[16];
            const std::size_t count = sessions[i]->outbox().gather(views, 16);
            std::string text;
            for (std::size_t view = 0; view < count; ++view) {
                if (views[view].size() > 4'096) places.insert(views[view].data());
                text += views[view];
            }
            bytes = text.size();
            texts.insert(std::move(text));
        });
    }
    EXPECT_EQ(texts.size(), 1U);
    EXPECT_GT(bytes, 50'000U);
    // In one place, or in as few as it has pieces.
    EXPECT_LE(places.size(), 4U);
    EXPECT_LT(loops_->output().used(), 3 * bytes);
    for (int i = 0; i < 100; ++i) leave(*sessions[i], static_cast<std::size_t>(i % 2));
}

TEST_F(ObserveTest, WhoDoesNotReadIsCutAndOthersGoOn) {
    Watcher watcher = watch();
    sessions_.push_back(std::make_unique<TestSession>(delivery::OutboxLimits{.max_bytes = 5'000}));
    TestSession& slow = *sessions_.back();
    ASSERT_EQ(try_watch(slow, caller_of("slow")), std::nullopt);
    until(watcher, [&](const Watcher&) { return on(0, [&] { return !slow.closes.empty(); }); });
    EXPECT_EQ(slow.closes, std::vector{protocol::CloseCode::slow_consumer});
    const std::size_t before = watcher.events.size();
    until(watcher, [&](const Watcher& of) { return of.events.size() > before + 2; });
    leave(slow);
}

TEST_F(ObserveTest, ItsPlaceIsOneOfTheStreamsAndItEndsWithItsToken) {
    RouterOptions options;
    options.max_streams_per_agent = 1;
    start(options);
    const Caller who = caller_of("watcher");
    TestSession& first = fresh_session();
    ASSERT_EQ(try_watch(first, who), std::nullopt);
    TestSession& second = fresh_session();
    EXPECT_EQ(try_watch(second, who), core::ErrorCode::too_many_connections);
    EXPECT_EQ(error_of(who, protocol::Observe{}), core::ErrorCode::unknown_message_type);
    EXPECT_EQ(try_watch(second, {}), core::ErrorCode::unauthorized);
    EXPECT_EQ(try_watch(second, as("watcher")), core::ErrorCode::unauthorized);
    (void)get<protocol::TokensRevoked>(as("root", core::Role::admin),
                                       protocol::RevokeTokens{"watcher"});
    settle();
    EXPECT_EQ(first.closes, std::vector{protocol::CloseCode::token_revoked});
    leave(first);
    EXPECT_EQ(try_watch(second, caller_of("watcher")), std::nullopt);
    leave(second);
    router_->begin_shutdown();
    EXPECT_EQ(try_watch(fresh_session(), who), core::ErrorCode::unauthorized);
    EXPECT_EQ(try_watch(fresh_session(), caller_of("other")), core::ErrorCode::shutting_down);
}

TEST_F(ObserveTest, AStreamForObserversIsSentNoMessages) {
    create_token("alice");
    Watcher watcher = watch();
    send("alice", "watcher");
    (void)get<protocol::MessageSent>(as("alice"), broadcast());
    until_row(watcher, "watcher", {{"unread", 2}});
    for (const Json& event : watcher.events) EXPECT_FALSE(event.contains("type")) << event;
    // Nor does it read any.
    EXPECT_EQ(get<protocol::UnreadSummary>(as("watcher"), protocol::GetUnread{"watcher"}).count,
              2U);
}

TEST_F(ObserveTest, AMisspelledNameIsNoAgent) {
    create_token("alice");
    Watcher watcher = watch();
    send("alice", "watchre");
    until_row(watcher, "watchre",
              {{"known", false}, {"state", "offline"}, {"last_seen", nullptr}, {"unread", 1}});
    until_row(watcher, "alice", {{"sent_24h", 1}});
    EXPECT_EQ(watcher.overview.at("agents").at("total"), 2);
    EXPECT_EQ(watcher.overview.at("unread").at("messages"), 0);
    // Mail that is removed takes the name with it.
    clock_.advance(Millis{700'000'000});
    (void)get<protocol::EvictionTriggered>(as("root", core::Role::admin),
                                           protocol::EvictMailboxes{});
    until_gone(watcher, "watchre");
}

TEST_F(ObserveTest, AnAgentThatAsksWithoutAConnectionIsPollingUntilItHasNotForTwoMinutes) {
    create_token("alice");
    create_token("bob");
    send("alice", "bob");
    (void)get<protocol::StatusUpdated>(as("bob"), protocol::SetProfile{{"\"at it\""}, {}, {}});
    (void)get<protocol::MailboxPage>(as("bob"), poll("bob"));
    const core::Timestamp polled = clock_.now();
    Watcher watcher = watch();
    until_row(watcher, "bob",
              {{"state", "polling"}, {"status", "at it"}, {"last_read_at", polled.ms}});
    // As agents are asked to look in every quarter of an hour, half of that more is allowed.
    clock_.advance(Millis{1'340'000});
    until_row(watcher, "bob", {{"state", "offline"}});
    EXPECT_GE(clock_.now().ms - polled.ms, 1'350'000);
    (void)get<protocol::MailboxPage>(as("bob"), poll("bob"));
    until_row(watcher, "bob", {{"state", "polling"}});
    // Whoever watches is there, too.
    EXPECT_EQ(watcher.rows.at("watcher").at("state"), "polling");
}

TEST_F(ObserveTest, WhoAsksMoreOftenIsAwaySoonerButNotWithinTwoMinutes) {
    RouterOptions options;
    options.heartbeat_interval = Millis{1'000};
    start(options);
    create_token("bob");
    (void)get<protocol::MailboxPage>(as("bob"), poll("bob"));
    const core::Timestamp polled = clock_.now();
    Watcher watcher = watch();
    until_row(watcher, "bob", {{"state", "polling"}});
    clock_.advance(Millis{110'000});
    until_row(watcher, "bob", {{"state", "offline"}});
    EXPECT_GE(clock_.now().ms - polled.ms, 120'000);
}

TEST_F(ObserveTest, WhoOnlyLooksIsNotOnlineAndNeedReadNothing) {
    create_token("sender");
    const Caller person = in_browser("person");
    const Caller observer = caller_of("observer", core::Role::observer);
    create_token("bob");
    Watcher watcher;
    watcher.session = &fresh_session();
    EXPECT_EQ(try_watch(*watcher.session, person), std::nullopt);
    TestSession& other = fresh_session();
    EXPECT_EQ(try_watch(other, observer, 1), std::nullopt);
    for (const Caller& each : {person, observer}) {
        (void)get<protocol::ObservedAgentPage>(each, protocol::ObserveAgent{"bob"});
    }
    (void)get<protocol::MessageSent>(as("sender"), broadcast());
    for (const char* name : {"person", "observer"}) {
        until_row(
            watcher, name,
            {{"state", "offline"}, {"connections", 0}, {"last_seen", nullptr}, {"unread", 1}});
    }
    clock_.advance(Millis{3'600'000});
    until(watcher, [](const Watcher& of) { return of.overview.at("alarms").size() == 1; });
    EXPECT_EQ(watcher.overview.at("alarms")[0].at("agents"), Json::array({"bob"}));
    // Who has come with the token itself is an agent like others.
    (void)get<protocol::ObservedAgentPage>(as("person"), protocol::ObserveAgent{"bob"});
    until_row(watcher, "person", {{"state", "polling"}});
    until(watcher,
          [](const Watcher& of) { return of.overview.at("alarms")[0].at("agents").size() == 2; });
    on(0, [&] { router_->disconnected(loop(0), *watcher.session); });
    on(1, [&] { router_->disconnected(loop(1), other); });
}

TEST_F(ObserveTest, WithTheNextPointASnapshotsSeriesCountEachMessageOnce) {
    for (const char* name : {"alice", "bob"}) create_token(name);
    Watcher first = watch("first");
    const auto sum = [](const Json& pairs) {
        std::uint64_t all = 0;
        for (const Json& pair : pairs) all += pair.at(1).get<std::uint64_t>();
        return all;
    };
    for (int i = 0; i < 3; ++i) send("alice", "bob");
    until(first, [](const Watcher& of) { return of.overview.at("messages").at("total_24h") == 3; });
    Watcher watcher = watch();
    until(watcher, [](const Watcher& of) { return of.events.back().contains("point"); });
    std::uint64_t points = 0;
    for (const Json& event : watcher.events) {
        if (event.contains("point")) points += event.at("point").at(1).get<std::uint64_t>();
    }
    const Json& series = watcher.events.at(0).at("series");
    EXPECT_EQ(sum(series.at("hours")) + points, 3U);
    EXPECT_EQ(sum(series.at("minutes")) + points, 3U);
}

TEST_F(ObserveTest, ReceivedCountsWhatCameThroughChannelsAndBroadcastsAndNotOnesOwn) {
    for (const char* name : {"alice", "bob"}) create_token(name);
    (void)get<protocol::MessageSent>(as("bob"), broadcast());
    create_token("late");
    (void)get<protocol::MessageSent>(as("bob"), broadcast());
    make_channel("dev", {"alice", "bob"});
    for (int i = 0; i < 3; ++i) (void)get<protocol::Published>(as("bob"), publication("dev"));
    (void)get<protocol::Subscribed>(as("late"), protocol::Subscribe{channel("dev"), "dev"});
    (void)get<protocol::Published>(as("alice"), publication("dev"));
    send("bob", "alice");
    Watcher watcher = watch();
    // Two broadcasts, three of bob's in the channel, one direct.
    until_row(watcher, "alice", {{"received_24h", 6}, {"sent_24h", 1}});
    until_row(watcher, "bob", {{"received_24h", 1}, {"sent_24h", 6}});
    until_row(watcher, "late", {{"received_24h", 2}});
    // A day later none of it counts.
    clock_.advance(Millis{25 * 3'600'000});
    until_row(watcher, "alice", {{"received_24h", 0}, {"sent_24h", 0}});
}

TEST_F(ObserveTest, AfterAStartTheDayBeforeItIsCountedAgain) {
    for (const char* name : {"alice", "bob", "carol"}) create_token(name);
    send("alice", "bob");  // which is too old by then
    clock_.advance(Millis{26 * 3'600'000});
    send("alice", "bob");
    (void)get<protocol::MessageSent>(as("alice"), broadcast());
    clock_.advance(Millis{2 * 3'600'000});
    make_channel("dev", {"carol"});
    (void)get<protocol::Published>(as("carol"), publication("dev"));
    (void)get<protocol::Published>(as("bob"), publication("dev"));
    start({});
    on(0, [&] { router_->start_maintenance(loop(0)); });
    send("bob", "alice");
    Watcher watcher = watch();
    until(watcher, [](const Watcher& of) {
        return !of.overview.contains("counting") && of.overview.at("messages").at("total_24h") == 5;
    });
    until_row(watcher, "alice", {{"sent_24h", 2}, {"received_24h", 1}});
    until_row(watcher, "bob", {{"sent_24h", 2}, {"received_24h", 2}});
    until_row(watcher, "carol", {{"sent_24h", 1}, {"received_24h", 2}});
    // Those who sent something were there; whoever was written to was not seen.
    EXPECT_NE(watcher.rows.at("alice").at("last_seen"), nullptr);
    const auto page = get<protocol::ObservedAgentPage>(as("bob"), protocol::ObserveAgent{"alice"});
    std::vector<std::uint64_t> sent;
    for (const auto& hour : page.hours) {
        if (hour.sent > 0) sent.push_back(hour.sent);
    }
    EXPECT_EQ(sent, std::vector<std::uint64_t>{2});
    ASSERT_EQ(page.hours.size(), 24U);
    EXPECT_EQ(page.hours[21].sent, 2U);
}

TEST_F(ObserveTest, MailThatNobodyReadsForAnHourIsAnAlarm) {
    RouterOptions options;
    options.heartbeat_interval = Millis{60'000};  // so that who polled is offline soon
    start(options);
    for (const char* name : {"alice", "bob"}) create_token(name);
    send("alice", "bob");
    Watcher watcher = watch();
    EXPECT_EQ(watcher.overview.at("alarms"), Json::array());
    clock_.advance(Millis{3'500'000});
    (void)get<protocol::MailboxPage>(as("bob"), poll("bob"));
    clock_.advance(Millis{200'000});
    until_row(watcher, "bob", {{"unread", 1}, {"state", "offline"}});
    // It has looked, so it knows.
    EXPECT_EQ(watcher.overview.at("alarms"), Json::array());
    clock_.advance(Millis{3'500'000});
    const auto alarms = [](const Watcher& of) { return of.overview.at("alarms").size(); };
    until(watcher, [&](const Watcher& of) { return alarms(of) == 1; });
    EXPECT_EQ(watcher.overview.at("alarms")[0].at("code"), "unread_old");
    EXPECT_EQ(watcher.overview.at("alarms")[0].at("agents"), Json::array({"bob"}));
    (void)get<protocol::Acked>(as("bob"), protocol::Ack{"bob", store_->head()});
    until(watcher, [&](const Watcher& of) { return alarms(of) == 0; });
}

TEST_F(ObserveTest, MailboxesInWhichMoreAndMoreWaitsAreNamed) {
    for (const char* name : {"alice", "bob"}) create_token(name);
    send("alice", "bob");
    Watcher watcher = watch();
    until_row(watcher, "bob", {{"unread", 1}});
    for (int i = 0; i < 3; ++i) send("alice", "bob");
    const Json grows = {{"id", "bob"}, {"unread", 4}, {"grew", 3}};
    until(watcher, [&](const Watcher& of) {
        return of.overview.at("unread").at("growing") == Json::array({grows});
    });
    // Five minutes later it does not grow.
    until(
        watcher,
        [&](const Watcher& of) { return of.overview.at("unread").at("growing") == Json::array(); },
        Millis{30'000});
}

TEST_F(ObserveTest, RowsAreBoundedAndThoseSeenLastAreShown) {
    RouterOptions options;
    options.observed_agents = 2;
    options.heartbeat_interval = Millis{60'000};  // so that who asked is offline soon
    start(options);
    for (const char* name : {"ann", "ben", "cat"}) {
        create_token(name);
        send(name, "ann");
        clock_.advance(Millis{200'000});
    }
    clock_.advance(Millis{200'000});
    Watcher watcher = watch();
    const auto shown = [](const Watcher& of) {
        std::set<std::string> names;
        for (const auto& [name, row] : of.rows) names.insert(name);
        return names;
    };
    // The watcher itself is online.
    until(watcher, [&](const Watcher& of) {
        return shown(of) == std::set<std::string>{"cat", "watcher"};
    });
    EXPECT_EQ(watcher.overview.at("agents_left_out"), 2);
    EXPECT_EQ(watcher.overview.at("agents").at("total"), 4);
    send("ann", "ben");
    until(watcher, [&](const Watcher& of) {
        return shown(of) == std::set<std::string>{"ann", "watcher"};
    });
}

TEST_F(ObserveTest, ASnapshotOfManyAgentsComesInParts) {
    create_tokens("a", 450);
    Watcher watcher = watch();
    until(watcher, [](const Watcher& of) { return of.rows.size() == 451; });
    ASSERT_GE(watcher.events.size(), 3U);
    EXPECT_EQ(watcher.events[0].at("agents").size(), 200U);
    EXPECT_EQ(watcher.events[0].at("complete"), false);
    EXPECT_EQ(watcher.events[1].at("agents").size(), 200U);
    EXPECT_EQ(watcher.events[1].at("complete"), false);
    EXPECT_EQ(watcher.events[2].at("agents").size(), 51U);
    EXPECT_EQ(watcher.events[2].at("complete"), true);
}

TEST_F(ObserveTest, OneAgentsPageHasItsChannelsAsFarAsOneMayKnowOfThem) {
    create_token("alice");
    make_channel("dev", {"alice"});
    (void)get<protocol::ChannelCreated>(
        as("alice"), protocol::CreateChannel{channel("den"), "", "den", true, false, {}});
    (void)get<protocol::Subscribed>(as("alice"), protocol::Subscribe{channel("den"), "den"});
    const auto names = [&](const Caller& caller) {
        std::vector<std::string> all;
        for (const auto& each :
             get<protocol::ObservedAgentPage>(caller, protocol::ObserveAgent{"alice"})
                 .subscriptions) {
            all.push_back(each.str());
        }
        return all;
    };
    EXPECT_EQ(names(as("alice")), (std::vector<std::string>{"den", "dev"}));
    EXPECT_EQ(names(as("bob")), (std::vector<std::string>{"dev"}));
    EXPECT_EQ(names(as("eve", core::Role::observer)), (std::vector<std::string>{"den", "dev"}));
    EXPECT_EQ(error_of(as("bob"), protocol::ObserveAgent{"nobody"}), core::ErrorCode::not_found);
    create_token("quiet");
    EXPECT_FALSE(
        get<protocol::ObservedAgentPage>(as("bob"), protocol::ObserveAgent{"quiet"}).row.last_seen);
}

TEST_F(ObserveTest, PairsAreCountedFromTheLogOfThatTime) {
    make_channel("dev", {});
    send("alice", "bob");
    clock_.advance(Millis{60'000});
    const core::Timestamp later = clock_.now();
    for (int i = 0; i < 2; ++i) {
        (void)get<protocol::MessageSent>(as("alice"), direct("bob", R"({"n":1})"));
    }
    (void)get<protocol::MessageSent>(as("bob"), broadcast());
    clock_.advance(Millis{60'000});
    (void)get<protocol::Published>(as("bob"), publication("dev"));
    const Caller root = as("root", core::Role::admin);
    const auto count = [&](const protocol::ObservePairs& asked) {
        std::map<std::string, std::uint64_t> counts;
        const protocol::Reply reply = ask(root, asked);
        const auto& made = *std::get<protocol::Shared<protocol::ObservedPairs>>(*reply);
        EXPECT_FALSE(made.truncated);
        for (const auto& pair : made.pairs) counts[pair.from + ">" + pair.to] = pair.messages;
        return counts;
    };
    using Counts = std::map<std::string, std::uint64_t>;
    EXPECT_EQ(count({}), (Counts{{"alice>bob", 3}, {"bob>*", 1}, {"bob>#dev", 1}}));
    EXPECT_EQ(count({.since = later, .until = later}), (Counts{{"alice>bob", 2}, {"bob>*", 1}}));
    EXPECT_EQ(count({.since = core::Timestamp{later.ms + 1}}), (Counts{{"bob>#dev", 1}}));
    EXPECT_EQ(count({.until = core::Timestamp{later.ms - 1}}), (Counts{{"alice>bob", 1}}));
    EXPECT_EQ(count({.since = core::Timestamp{clock_.now().ms + 1}}), Counts{});
    // Who asks the same within a second is given the same.
    send("carol", "bob");
    EXPECT_EQ(count({}), (Counts{{"alice>bob", 3}, {"bob>*", 1}, {"bob>#dev", 1}}));
    clock_.advance(Millis{1'000});
    EXPECT_EQ(count({}).size(), 4U);
    const auto all = ask(root, protocol::ObservePairs{});
    const auto& first = std::get<protocol::Shared<protocol::ObservedPairs>>(*all)->pairs.front();
    EXPECT_EQ(first.bytes, 2U + 2 * 7);
    EXPECT_EQ(first.last_at, later);
    EXPECT_EQ(error_of(as("alice"), protocol::ObservePairs{}), core::ErrorCode::forbidden);
    EXPECT_EQ(error_of({}, protocol::ObservePairs{}), core::ErrorCode::unauthorized);
}

TEST(ShownTexts, AreCutBetweenCharactersWhateverTheJson) {
    EXPECT_EQ(shown_text({"null"}), std::nullopt);
    EXPECT_EQ(shown_text({R"("a\u00e9b")"}), "a\u00e9b");
    EXPECT_EQ(shown_text({R"({"x":1})"}), R"({"x":1})");
    std::string many;
    for (int i = 0; i < 200; ++i) many += "\u00e9";
    const auto cut = shown_text({'"' + many + '"'});
    EXPECT_EQ(cut, many.substr(0, 256) + "\u2026");
    EXPECT_EQ(shown_capabilities({R"("none")"}), std::vector<std::string>{});
    std::string list = "[";
    for (int i = 0; i < 40; ++i) list += "\"c\",";
    EXPECT_EQ(shown_capabilities({list + "1]"}).size(), protocol::ObservedAgent::kMostCapabilities);
}

}  // namespace
}  // namespace agentcom::router
