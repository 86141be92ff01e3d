// Private channels, and public ones where only members publish.

#include "store/store_fixture.hpp"

namespace agentcom::store {
namespace {

using core::ErrorCode;

class MembersTest : public StoreTest {
protected:
    static std::optional<Viewer> eyes(std::string_view who) { return Viewer{agent(who)}; }
    static std::optional<Viewer> nobody() { return Viewer{}; }

    /// By maker; bob reads and publishes, carol only reads, dave only publishes, erin manages.
    void make_private(std::string_view name) {
        CreateChannel op{channel(name), "secret", agent("maker")};
        op.is_private = true;
        op.members = {{agent("bob"), kMayRead | kMayPublish},
                      {agent("carol"), kMayRead},
                      {agent("dave"), kMayPublish},
                      {agent("erin"), kMayManage}};
        write<Done>(std::move(op));
    }
    static SetMember change(std::string_view name, std::string_view by, std::string_view who,
                            MemberRights rights) {
        return {.channel = channel(name), .by = agent(by), .agent = agent(who), .rights = rights};
    }
    std::vector<std::string> listed(const std::optional<Viewer>& viewer) {
        core::Budget budget({});
        std::vector<std::string> names;
        for (const auto& each : store_->list_channels("", budget, viewer).entries) {
            names.push_back(each.name.str());
        }
        return names;
    }
    std::vector<std::uint64_t> history_for(std::string_view name,
                                           const std::optional<Viewer>& viewer) {
        core::Budget budget({});
        ChannelHistoryQuery query{channel(name), std::nullopt, std::nullopt};
        query.viewer = viewer;
        return seqs(store_->channel_history(query, budget).entries);
    }
};

TEST_F(MembersTest, APrivateChannelIsInvisibleToOthers) {
    create_channel("dev");
    make_private("secret");
    append(publication("maker", "secret"));
    EXPECT_EQ(listed(eyes("bob")), (std::vector<std::string>{"dev", "secret"}));
    EXPECT_EQ(listed(std::nullopt), (std::vector<std::string>{"dev", "secret"}));
    for (const auto& other : {eyes("mallory"), nobody()}) {
        EXPECT_EQ(listed(other), std::vector<std::string>{"dev"});
        EXPECT_FALSE(store_->find_channel(channel("secret"), other));
        EXPECT_TRUE(history_for("secret", other).empty());
    }
    EXPECT_EQ(error_of(Subscribe{channel("secret"), agent("mallory")}),
              ErrorCode::channel_not_found);
    EXPECT_EQ(error_of(Unsubscribe{channel("secret"), agent("mallory")}),
              ErrorCode::channel_not_found);
    EXPECT_EQ(error_of(publication("mallory", "secret")), ErrorCode::channel_not_found);
    EXPECT_EQ(error_of(DeleteChannel{channel("secret"), agent("mallory")}),
              ErrorCode::channel_not_found);
    EXPECT_EQ(error_of(change("secret", "mallory", "mallory", kAllRights)),
              ErrorCode::channel_not_found);
    EXPECT_EQ(error_of(CreateChannel{channel("secret"), "", agent("mallory")}),
              ErrorCode::channel_exists);
    reopen();
    EXPECT_EQ(listed(eyes("mallory")), std::vector<std::string>{"dev"});
    EXPECT_EQ(error_of(publication("mallory", "secret")), ErrorCode::channel_not_found);
}

TEST_F(MembersTest, EachRightIsAskedForByItself) {
    make_private("secret");
    subscribe("bob", "secret");
    subscribe("carol", "secret");
    EXPECT_EQ(error_of(Subscribe{channel("secret"), agent("dave")}), ErrorCode::forbidden);
    append(publication("bob", "secret"));   // 1
    append(publication("dave", "secret"));  // 2
    EXPECT_EQ(error_of(publication("carol", "secret")), ErrorCode::forbidden);
    EXPECT_EQ(error_of(publication("erin", "secret")), ErrorCode::forbidden);
    EXPECT_EQ(unread("carol"), (Seqs{1, 2}));
    EXPECT_EQ(history_for("secret", eyes("carol")), (Seqs{1, 2}));
    EXPECT_TRUE(history_for("secret", eyes("dave")).empty());
    EXPECT_TRUE(store_->find_channel(channel("secret"), eyes("dave"))) << "it knows of it";
    EXPECT_EQ(error_of(change("secret", "bob", "frank", kMayRead)), ErrorCode::forbidden);
    write<MemberSet>(change("secret", "erin", "frank", kMayRead));
    subscribe("frank", "secret");
    EXPECT_EQ(error_of(DeleteChannel{channel("secret"), agent("bob")}), ErrorCode::forbidden);
    write<ChannelDeleted>(DeleteChannel{channel("secret"), agent("erin")});
    EXPECT_TRUE(store_->members(channel("secret")).empty());
}

TEST_F(MembersTest, WhoeverReadsEverythingMayListenWithoutBeingAMember) {
    make_private("secret");
    Subscribe op{channel("secret"), agent("watcher"), true};
    EXPECT_TRUE(write<SubscriptionChanged>(op).changed);
    SetMember by_admin = change("secret", "root", "mallory", kMayRead);
    EXPECT_EQ(error_of(by_admin), ErrorCode::channel_not_found);
    by_admin.by_admin = true;
    write<MemberSet>(by_admin);
    subscribe("mallory", "secret");
}

TEST_F(MembersTest, WhoeverIsRemovedIsSubscribedNoMoreAndReadsNothing) {
    make_private("secret");
    subscribe("bob", "secret");
    subscribe("carol", "secret");
    append(publication("maker", "secret"));  // 1
    EXPECT_EQ(unread("bob"), Seqs{1});
    EXPECT_TRUE(write<MemberSet>(change("secret", "maker", "bob", 0)).unsubscribed);
    append(publication("maker", "secret"));  // 2
    EXPECT_TRUE(unread("bob").empty());
    EXPECT_TRUE(subscriptions("bob").empty());
    EXPECT_EQ(unread("carol"), (Seqs{1, 2}));
    EXPECT_EQ(error_of(publication("bob", "secret")), ErrorCode::channel_not_found);
    EXPECT_EQ(store_->find_channel(channel("secret"))->subscriber_count, 1U);
    EXPECT_EQ(store_->find_channel(channel("secret"))->member_count, 4U);
    // One who keeps another right only loses what it may not do any more.
    EXPECT_TRUE(write<MemberSet>(change("secret", "maker", "carol", kMayPublish)).unsubscribed);
    append(publication("carol", "secret"));
    EXPECT_FALSE(write<MemberSet>(change("secret", "maker", "bob", 0)).unsubscribed);
}

TEST_F(MembersTest, TheHistoryHidesWhatWasPublishedPrivately) {
    create_agent("mallory");
    create_agent("bob");
    make_private("secret");
    append(publication("maker", "secret"));  // 1
    append(publication("bob", "secret"));    // 2
    const auto seen = [&](std::string_view who, bool whole_log) {
        HistoryQuery query;
        query.viewer = Viewer{agent(who), whole_log};
        return seqs(history(query, 100));
    };
    EXPECT_EQ(seen("bob", false), (Seqs{1, 2}));
    EXPECT_TRUE(seen("mallory", false).empty());
    EXPECT_TRUE(seen("mallory", true).empty()) << "also where the whole log is open";
    write<MemberSet>(change("secret", "maker", "bob", 0));
    EXPECT_EQ(seen("bob", false), Seqs{2}) << "what it sent itself";
    EXPECT_EQ(seen("bob", true), Seqs{2});
    // Nor does it come to light with the channel's end.
    write<ChannelDeleted>(DeleteChannel{channel("secret"), agent("maker")});
    EXPECT_TRUE(seen("mallory", true).empty());
}

TEST_F(MembersTest, APublicChannelMayRestrictWhoPublishes) {
    CreateChannel op{channel("news"), "", agent("maker")};
    op.members_publish = true;
    op.members = {{agent("bob"), kMayPublish}};
    write<Done>(std::move(op));
    subscribe("mallory", "news");
    append(publication("bob", "news"));
    append(publication("maker", "news"));
    EXPECT_EQ(error_of(publication("mallory", "news")), ErrorCode::forbidden);
    EXPECT_EQ(unread("mallory"), (Seqs{1, 2}));
    reopen();
    EXPECT_EQ(error_of(publication("mallory", "news")), ErrorCode::forbidden);
    EXPECT_FALSE(write<MemberSet>(change("news", "maker", "mallory", 0)).unsubscribed);
    EXPECT_EQ(subscriptions("mallory"), std::vector{channel("news")});
}

TEST_F(MembersTest, MembersAreBounded) {
    options_.quotas.max_members_per_channel = 3;
    reopen();
    CreateChannel op{channel("many"), "", agent("maker")};
    op.members = {{agent("a"), 1}, {agent("b"), 1}, {agent("c"), 1}};
    EXPECT_EQ(error_of(op), ErrorCode::member_limit);
    op.members.pop_back();
    write<Done>(op);
    EXPECT_EQ(error_of(change("many", "maker", "c", kMayRead)), ErrorCode::member_limit);
    write<MemberSet>(change("many", "maker", "a", kMayManage));
    write<MemberSet>(change("many", "maker", "b", 0));
    write<MemberSet>(change("many", "maker", "c", kMayRead));
    EXPECT_EQ(store_->members(channel("many")).size(), 3U);
}

TEST_F(MembersTest, PagesOfChannelsMovePastWhatIsHidden) {
    for (int i = 0; i < 30; ++i) {
        CreateChannel op{channel("c" + std::to_string(100 + i)), "", agent("maker")};
        op.is_private = i % 10 != 0;
        write<Done>(std::move(op));
    }
    std::vector<std::string> names;
    std::string after;
    int pages = 0;
    while (true) {
        core::Budget budget({.steps = 5});
        const ChannelPage page = store_->list_channels(after, budget, eyes("mallory"));
        for (const auto& each : page.entries) names.push_back(each.name.str());
        ++pages;
        if (!page.more) break;
        EXPECT_GT(page.cursor, after);
        after = page.cursor;
    }
    EXPECT_EQ(names, (std::vector<std::string>{"c100", "c110", "c120"}));
    EXPECT_GE(pages, 6);
}

// ---- Ended agents -------------------------------------------------------------------------------

class EndingsTest : public MembersTest {
protected:
    AgentEnded end(std::string_view who) {
        AgentEnded ended = write<AgentEnded>(EndAgent{std::string(who)});
        return ended;
    }
};

TEST_F(EndingsTest, NothingOfAnEndedAgentIsInheritedByItsName) {
    create_agent("bob");
    create_channel("dev");
    make_private("secret");
    subscribe("bob", "dev");
    subscribe("bob", "secret");
    append(direct("alice", "bob"));          // 1
    append(broadcast("alice"));              // 2
    append(publication("maker", "secret"));  // 3
    append(direct("bob", "alice"));          // 4
    AppendMessage keyed = direct("bob", "alice");
    keyed.idempotency_key = "k";
    append(keyed);  // 5
    write<Done>(CreateChannel{channel("mine"), "", agent("bob")});
    EXPECT_EQ(unread("bob"), (Seqs{1, 2, 3}));

    EXPECT_FALSE(end("bob").more);
    EXPECT_FALSE(store_->has_token("bob"));
    EXPECT_TRUE(subscriptions("bob").empty());
    EXPECT_EQ(store_->find_channel(channel("dev"))->subscriber_count, 0U);
    EXPECT_EQ(store_->member_rights(channel("secret"), "bob"), 0);
    EXPECT_EQ(store_->find_channel(channel("secret"))->member_count, 4U);

    create_agent("bob");
    EXPECT_TRUE(unread("bob").empty());
    EXPECT_FALSE(mailbox("bob").truncated);
    HistoryQuery query;
    query.viewer = Viewer{agent("bob")};
    EXPECT_TRUE(seqs(history(query, 100)).empty());
    EXPECT_EQ(error_of(DeleteChannel{channel("mine"), agent("bob")}), ErrorCode::forbidden);
    EXPECT_EQ(error_of(publication("bob", "secret")), ErrorCode::channel_not_found);
    keyed.draft.payload.text = "\"another\"";
    EXPECT_FALSE(write<Appended>(keyed).duplicate);  // 6
    append(direct("alice", "bob"));                  // 7
    EXPECT_EQ(unread("bob"), Seqs{7});
    EXPECT_EQ(seqs(history(query, 100)), (Seqs{6, 7}));
    // The log keeps what it keeps.
    EXPECT_EQ(seqs(history({}, 100)).size(), 7U);
}

TEST_F(EndingsTest, AnUnknownAgentCannotBeEnded) {
    EXPECT_EQ(error_of(EndAgent{"nobody"}), ErrorCode::not_found);
    EXPECT_EQ(error_of(EndAgent{""}), ErrorCode::not_found);
    EXPECT_EQ(error_of(EndAgent{std::string(300, 'x')}), ErrorCode::not_found);
    append(direct("alice", "waiting"));
    EXPECT_EQ(store_->stats().unclaimed_mailboxes, 1U);
    end("waiting");
    EXPECT_EQ(store_->stats().unclaimed_mailboxes, 0U);
    EXPECT_EQ(error_of(EndAgent{"waiting"}), ErrorCode::not_found);
}

TEST_F(EndingsTest, ManySubscriptionsEndAPieceAtATimeAlsoAcrossARestart) {
    constexpr int kChannels = 300;
    create_agent("bob");
    for (int i = 0; i < kChannels; ++i) {
        create_channel("c" + std::to_string(i));
        subscribe("bob", "c" + std::to_string(i));
    }
    EXPECT_TRUE(end("bob").more);
    EXPECT_FALSE(store_->has_token("bob")) << "that goes at once";
    EXPECT_EQ(error_of(CreateToken{agent("bob"), core::TokenDigest{9}, "99999999"}),
              ErrorCode::agent_ending);
    reopen();
    while (write<Trimmed>(Trim{}).more) {
    }
    EXPECT_TRUE(subscriptions("bob").empty());
    create_agent("bob");
    EXPECT_TRUE(subscriptions("bob").empty());
    EXPECT_FALSE(write<AgentEnded>(RemoveEndedAgents{}).more);
}

TEST_F(EndingsTest, WhatItsLastConnectionStillAsksForIsRefused) {
    create_agent("bob");
    create_channel("dev");
    core::TokenDigest digest{};
    std::copy_n("bob", 3, digest.begin());
    Subscribe late{channel("dev"), agent("bob"), false, digest};
    CreateChannel made{channel("late"), "", agent("bob")};
    made.token = digest;
    end("bob");
    EXPECT_EQ(error_of(late), ErrorCode::unauthorized);
    EXPECT_EQ(error_of(made), ErrorCode::unauthorized);
    mark_read("bob", 0, 1);
    EXPECT_EQ(error_of(EndAgent{"bob"}), ErrorCode::not_found) << "a read position makes no agent";
}

}  // namespace
}  // namespace agentcom::store
