// Reads for those who count: walks over the log, names without an agent, what came to an agent as
// one of many.

#include <map>
#include <string>
#include <vector>

#include "store/store_fixture.hpp"

namespace agentcom::store {
namespace {

class TallyTest : public StoreTest {
protected:
    LogWalk walk(core::Seq after, std::uint64_t steps, std::vector<std::string>& seen) {
        core::Budget budget({.steps = steps});
        return store_->walk_log(after, budget, [&seen](const LogGlance& glance) {
            std::string text(glance.from);
            if (glance.kind == LogGlance::Kind::to_agent) text += '>';
            if (glance.kind == LogGlance::Kind::to_channel) text += '#';
            if (glance.kind == LogGlance::Kind::to_everyone) text += '*';
            seen.push_back(text + std::string(glance.to) + ' ' +
                           std::to_string(glance.payload_bytes));
        });
    }
    [[nodiscard]] DeliveryCounts count(std::string_view agent, core::Seq after,
                                       std::uint64_t steps = 100) {
        core::Budget budget({.steps = steps});
        return store_->count_deliveries(agent, after, budget);
    }
};

TEST_F(TallyTest, AWalkShowsWhatMessagesAreAndGoesOnWhereItStopped) {
    std::vector<std::string> seen;
    EXPECT_FALSE(walk({}, 10, seen).more);
    EXPECT_TRUE(seen.empty());
    create_channel("dev");
    append(direct("alice", "bob", "\"12345\""));
    append(broadcast("bob", true));
    append(publication("alice", "dev"));
    const LogWalk first = walk({}, 2, seen);
    EXPECT_TRUE(first.more);
    EXPECT_EQ(first.cursor, core::Seq{2});
    const LogWalk rest = walk(first.cursor, 2, seen);
    EXPECT_FALSE(rest.more);
    EXPECT_EQ(rest.cursor, core::Seq{3});
    EXPECT_EQ(seen, (std::vector<std::string>{"alice>bob 7", "bob* 2", "alice#dev 2"}));
}

TEST_F(TallyTest, MessagesAreFoundByTheirTime) {
    EXPECT_EQ(store_->first_sent_at_or_after(clock_.now()), core::Seq{1});
    const core::Timestamp first = append(direct("alice", "bob"))->timestamp;
    clock_.advance(core::Millis{1'000});
    const core::Timestamp second = append(direct("alice", "bob"))->timestamp;
    EXPECT_EQ(store_->first_sent_at_or_after(first), core::Seq{1});
    EXPECT_EQ(store_->first_sent_at_or_after(core::Timestamp{first.ms + 1}), core::Seq{2});
    EXPECT_EQ(store_->first_sent_at_or_after(core::Timestamp{second.ms + 1}), core::Seq{3});
    EXPECT_EQ(store_->sent_at(core::Seq{2}), second);
    EXPECT_EQ(store_->sent_at(core::Seq{3}), std::nullopt);
}

TEST_F(TallyTest, NamesWithoutAnAgentAreListedInPieces) {
    create_agent("bob");
    for (const char* name : {"bob", "nobody", "bbo", "nobdoy"}) append(direct("bob", name));
    std::vector<std::string> names;
    std::string after;
    for (bool more = true; more;) {
        core::Budget budget({.count = 2});
        const auto page = store_->list_unclaimed(after, budget);
        for (const core::AgentId& each : page.entries) names.push_back(each.str());
        more = page.more;
        after = names.back();
    }
    EXPECT_EQ(names, (std::vector<std::string>{"bbo", "nobdoy", "nobody"}));
}

TEST_F(TallyTest, DeliveriesAreCountedSinceTheSubscriptionAndTheGivenMessage) {
    append(broadcast("alice"));
    create_agent("bob");
    create_channel("dev");
    create_channel("ops");
    append(publication("alice", "dev"));
    subscribe("bob", "dev");
    subscribe("bob", "ops");
    const core::Seq before = append(publication("alice", "dev"))->seq;
    append(publication("bob", "dev"));
    append(publication("alice", "dev"));
    const auto of = [&](core::Seq after) {
        std::map<std::string, std::uint64_t> counts;
        for (const auto& [channel, messages] : count("bob", after).channels) {
            counts[channel.str()] = messages;
        }
        return counts;
    };
    using Counts = std::map<std::string, std::uint64_t>;
    EXPECT_EQ(of({}), (Counts{{"dev", 3}}));
    EXPECT_EQ(of(before), (Counts{{"dev", 2}}));
    EXPECT_EQ(of(store_->head()), Counts{});
    EXPECT_EQ(count("bob", {}).broadcasts_after, core::Seq{1});
    EXPECT_FALSE(count("bob", {}).more);
    EXPECT_TRUE(count("bob", {}, 1).more);
    EXPECT_TRUE(count("nobody", {}).channels.empty());
}

}  // namespace
}  // namespace agentcom::store
