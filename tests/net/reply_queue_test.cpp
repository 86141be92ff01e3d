#include "net/reply_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "agentcom/delivery/outbox.hpp"
#include "agentcom/protocol/codec.hpp"

namespace agentcom::net {
namespace {

protocol::Reply pong(std::int64_t ms) {
    return protocol::ReplyValue(protocol::Pong{core::Timestamp{ms}});
}

std::string frame(const protocol::Reply& reply, std::optional<core::JsonText> ref = {}) {
    std::string text;
    protocol::encode_frame(reply, ref, text);
    std::string out;
    delivery::append_text_frame(out, text);
    return out;
}

TEST(ReplyQueue, SendsAReplyAtTheFrontAtOnce) {
    ReplyQueue queue;
    std::string due;
    const auto ticket = queue.open(core::JsonText{"7"});
    queue.complete(ticket, pong(1), due);
    EXPECT_EQ(due, frame(pong(1), core::JsonText{"7"}));
    EXPECT_EQ(queue.in_flight(), 0U);
}

TEST(ReplyQueue, HoldsALaterReplyUntilTheEarlierOneCame) {
    ReplyQueue queue;
    std::string due;
    const auto first = queue.open({});
    const auto second = queue.open({});
    queue.complete(second, pong(2), due);
    EXPECT_EQ(due, "");
    EXPECT_EQ(queue.in_flight(), 2U);
    queue.complete(first, pong(1), due);
    EXPECT_EQ(due, frame(pong(1)) + frame(pong(2)));
    EXPECT_EQ(queue.in_flight(), 0U);
}

TEST(ReplyQueue, ARequestWithoutReplyFrameKeepsItsPlaceAndSendsNothing) {
    ReplyQueue queue;
    std::string due;
    const auto ack = queue.open({});
    const auto ping = queue.open({});
    queue.complete(ping, pong(2), due);
    queue.complete(ack, protocol::ReplyValue(protocol::Acked{}), due);
    EXPECT_EQ(due, frame(pong(2)));
}

TEST(ReplyQueue, PutsAnyOrderOfAnswersIntoTheOrderOfTheRequests) {
    std::mt19937 random(20261124);
    ReplyQueue queue;
    std::string due;
    std::string expected;
    std::int64_t number = 0;
    std::vector<std::pair<ReplyQueue::Ticket, std::int64_t>> open;
    for (int round = 0; round < 5'000; ++round) {
        if (open.empty() || (open.size() < 300 && random() % 2 == 0)) {
            open.emplace_back(queue.open({}), number);
            expected += frame(pong(number++));
        } else {
            const std::size_t pick = random() % open.size();
            queue.complete(open[pick].first, pong(open[pick].second), due);
            open.erase(open.begin() + static_cast<std::ptrdiff_t>(pick));
        }
        ASSERT_TRUE(expected.starts_with(due));
    }
    std::ranges::reverse(open);
    for (const auto& [ticket, value] : open) queue.complete(ticket, pong(value), due);
    EXPECT_EQ(due, expected);
    EXPECT_EQ(queue.in_flight(), 0U);
}

}  // namespace
}  // namespace agentcom::net
