#include "net/reply_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "agentcom/delivery/outbox.hpp"
#include "agentcom/protocol/codec.hpp"
#include "net/ws_framing.hpp"

namespace agentcom::net {
namespace {

protocol::Reply pong(std::int64_t ms) {
    return protocol::ReplyValue(protocol::Pong{core::Timestamp{ms}});
}

std::string frame(const protocol::Reply& reply, std::optional<core::JsonText> ref = {}) {
    core::Pieces text;
    protocol::encode_frame(reply, ref, text);
    std::string out;
    append_text_frame(out, text.str());
    return out;
}

/// A queue and the outbox behind it.
class ReplyQueueTest : public ::testing::Test {
protected:
    /// What has become due since the last call.
    std::string due() {
        std::string all;
        std::string_view view;
        while (outbox_.gather(&view, 1) == 1) {
            all.append(view);
            outbox_.consume(view.size());
        }
        return all;
    }

    delivery::OutputBudget budget_{std::size_t{1} << 30, 1};
    delivery::Outbox outbox_{{}, &budget_.account(0)};
    SharedAnswers shared_{&budget_};
    delivery::Faults faults_;
    ReplyQueue queue_{outbox_, shared_, faults_};
};

TEST_F(ReplyQueueTest, SendsAReplyAtTheFrontAtOnce) {
    const auto ticket = queue_.open(core::JsonText{"7"});
    queue_.complete(ticket, pong(1));
    EXPECT_EQ(due(), frame(pong(1), core::JsonText{"7"}));
    EXPECT_EQ(queue_.in_flight(), 0U);
}

TEST_F(ReplyQueueTest, HoldsALaterReplyUntilTheEarlierOneCame) {
    const auto first = queue_.open({});
    const auto second = queue_.open({});
    queue_.complete(second, pong(2));
    EXPECT_EQ(due(), "");
    EXPECT_EQ(queue_.in_flight(), 2U);
    EXPECT_TRUE(queue_.is_open(first));
    EXPECT_FALSE(queue_.is_open(second));
    queue_.complete(first, pong(1));
    EXPECT_FALSE(queue_.is_open(first));
    EXPECT_EQ(due(), frame(pong(1)) + frame(pong(2)));
    EXPECT_EQ(queue_.in_flight(), 0U);
}

TEST_F(ReplyQueueTest, WhatIsHeldCountsAsDebtUntilItIsSentOrDropped) {
    const protocol::Reply list(protocol::ReplyValue(protocol::HourlyCounts{"ann", {}}));
    const auto first = queue_.open({});
    const auto second = queue_.open({});
    const auto third = queue_.open({});
    queue_.complete(second, pong(2));
    const std::size_t held = outbox_.reserved();
    EXPECT_GT(held, 20U);
    EXPECT_EQ(outbox_.debt(), held);
    EXPECT_EQ(budget_.used(), held);
    queue_.complete(first, pong(1));
    EXPECT_EQ(outbox_.reserved(), 0U);
    (void)due();
    EXPECT_EQ(budget_.used(), 0U);
    const auto fourth = queue_.open({});
    queue_.complete(fourth, pong(4));
    queue_.drop_held();
    EXPECT_EQ(budget_.used(), 0U);
    queue_.complete(third, pong(3));
    EXPECT_EQ(due(), frame(pong(3)));
}

TEST_F(ReplyQueueTest, ARequestWithoutReplyFrameKeepsItsPlaceAndSendsNothing) {
    const auto ack = queue_.open({});
    const auto ping = queue_.open({});
    queue_.complete(ping, pong(2));
    queue_.complete(ack, protocol::ReplyValue(protocol::Acked{}));
    EXPECT_EQ(due(), frame(pong(2)));
}

TEST_F(ReplyQueueTest, PutsAnyOrderOfAnswersIntoTheOrderOfTheRequests) {
    std::mt19937 random(20261124);
    std::string sent;
    std::string expected;
    std::int64_t number = 0;
    std::vector<std::pair<ReplyQueue::Ticket, std::int64_t>> open;
    for (int round = 0; round < 5'000; ++round) {
        if (open.empty() || (open.size() < 300 && random() % 2 == 0)) {
            open.emplace_back(queue_.open({}), number);
            expected += frame(pong(number++));
        } else {
            const std::size_t pick = random() % open.size();
            queue_.complete(open[pick].first, pong(open[pick].second));
            open.erase(open.begin() + static_cast<std::ptrdiff_t>(pick));
        }
        sent += due();
        ASSERT_TRUE(expected.starts_with(sent));
    }
    std::ranges::reverse(open);
    for (const auto& [ticket, value] : open) queue_.complete(ticket, pong(value));
    sent += due();
    EXPECT_EQ(sent, expected);
    EXPECT_EQ(queue_.in_flight(), 0U);
}

/// A mailbox page of messages with large payloads.
protocol::MailboxPage large_page(std::size_t messages, std::size_t payload_bytes) {
    protocol::MailboxPage page{*core::AgentId::parse("bob"), {}, {}, {}, false, false};
    for (std::size_t i = 0; i < messages; ++i) {
        page.messages.push_back(std::make_shared<core::Message>(
            core::Message{.seq = core::Seq{i + 1},
                          .id = {},
                          .channel_seq = {},
                          .timestamp = {},
                          .draft = core::Draft{*core::AgentId::parse("ann"),
                                               core::ToAgent{*core::AgentId::parse("bob")},
                                               "chat",
                                               {'"' + std::string(payload_bytes, 'x') + '"'},
                                               std::nullopt}}));
    }
    return page;
}

TEST_F(ReplyQueueTest, ASharedReplyIsMadeOnceAndCountedOnceForAllWhoAreSentIt) {
    const auto channels = [] {
        protocol::ChannelList list;
        for (int i = 0; i < 1'000; ++i) {
            list.channels.push_back({core::ChannelName::parse("c" + std::to_string(i)).value(),
                                     std::string(100, 'd'),
                                     1,
                                     {}});
        }
        return list;
    }();
    const protocol::Reply plain{protocol::ReplyValue(channels)};
    const auto shared = std::make_shared<const protocol::ChannelList>(channels);
    for (const char* ref : {"1", "2", "3"}) {
        queue_.complete(queue_.open(core::JsonText{ref}), protocol::ReplyValue(shared));
    }
    const std::size_t once = frame(plain).size();
    EXPECT_GE(outbox_.bytes(), 3 * once);
    EXPECT_LT(budget_.used(), once + 1'000);
    shared_.forget();
    EXPECT_EQ(due(), frame(plain, core::JsonText{"1"}) + frame(plain, core::JsonText{"2"}) +
                         frame(plain, core::JsonText{"3"}));
    EXPECT_EQ(budget_.used(), 0U);
}

TEST(SharedAnswers, MakesABodyOnceUntilItIsTold) {
    delivery::OutputBudget budget(std::size_t{1} << 30, 1);
    SharedAnswers answers(&budget);
    const auto page = std::make_shared<const protocol::MailboxPage>(large_page(3, 50'000));
    const protocol::Reply reply{protocol::ReplyValue(page)};
    const auto body = answers.body(reply);
    EXPECT_EQ(answers.body(reply), body);
    EXPECT_EQ(body->str(), protocol::encode_http(reply, false).body.str());
    EXPECT_EQ(budget.used(), body->size());
    answers.forget();
    EXPECT_NE(answers.body(reply), body);
    EXPECT_EQ(budget.used(), 2 * body->size());
}

TEST(SharedAnswers, KeepsABoundedNumberOfBytes) {
    delivery::OutputBudget budget(std::size_t{1} << 30, 1);
    SharedAnswers answers(&budget);
    for (int i = 0; i < 40; ++i) {
        const auto page = std::make_shared<const protocol::MailboxPage>(large_page(2, 1'000'000));
        (void)answers.body(protocol::ReplyValue(page));
        EXPECT_LE(budget.used(), std::size_t{17} << 20);
    }
}

}  // namespace
}  // namespace agentcom::net
