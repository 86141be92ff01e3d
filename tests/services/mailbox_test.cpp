#include "agentcom/services/mailbox.hpp"

#include <gtest/gtest.h>

#include "store/store_fixture.hpp"

namespace agentcom::services {
namespace {

using store::ReadSpan;

/// The service over a real store; the connection is played by the test, which moves the position.
class MailboxServiceTest : public store::StoreTest {
protected:
    static constexpr std::uint64_t kCap = 5;

    void send(int count) {
        for (int i = 0; i < count; ++i) append(direct("bob", "alice"));
    }
    Seqs shown(std::optional<std::uint64_t> limit = std::nullopt, std::uint64_t since = 0) {
        return seqs(poll({.count = limit.value_or(core::kUnbounded)}, since).messages);
    }
    store::MailboxView poll(core::PageLimit limit, std::uint64_t since = 0) {
        return complete(mailbox_->poll(alice_, core::Seq{since}, limit));
    }
    store::MailboxView complete(Mailbox::Read read) {
        while (!mailbox_->go_on(read)) {
        }
        return read.view;
    }
    /// A connection without acks, with nothing unread when it begins.
    Mailbox::ReadPosition begin(core::Seq after) {
        return mailbox_->begin_live(alice_, after, after, true);
    }
    core::Seq ack(std::uint64_t up_to) {
        return write<store::CursorMoved>(mailbox_->acknowledge(alice_, core::Seq{up_to})).cursor;
    }
    bool show(std::uint64_t after, std::uint64_t up_to, const store::Spans& stored = {}) {
        return mailbox_->show(alice_, {core::Seq{after}, core::Seq{up_to}}, stored);
    }
    void store_mark(const store::MarkRead& mark) { mark_read_of(mark.agent, mark.span); }
    void mark_read_of(const core::AgentId& who, ReadSpan span) {
        write<store::Done>(store::MarkRead{who, span});
    }
    void SetUp() override {
        StoreTest::SetUp();
        mailbox_ = std::make_unique<Mailbox>(*store_, MailboxBounds{.count = kCap});
    }
    void TearDown() override {
        mailbox_.reset();
        StoreTest::TearDown();
    }

    core::AgentId alice_ = store::agent("alice");
    std::unique_ptr<Mailbox> mailbox_;
};

bool equal(const store::MarkRead& mark, std::uint64_t after, std::uint64_t up_to) {
    return mark.span.after.value == after && mark.span.up_to.value == up_to;
}

TEST_F(MailboxServiceTest, ShowsTheNewestUpToTheCapAndTheFirstOfThoseUpToTheLimit) {
    send(8);
    EXPECT_EQ(shown(), (Seqs{4, 5, 6, 7, 8}));
    EXPECT_EQ(shown(2), (Seqs{4, 5}));
    EXPECT_EQ(shown(1'000), (Seqs{4, 5, 6, 7, 8}));
    EXPECT_EQ(shown(0), Seqs{});
    EXPECT_EQ(shown(1, 6), Seqs{7});
    EXPECT_TRUE(poll({}).truncated);
}

TEST_F(MailboxServiceTest, ABacklogBeginsWhereTheCapLetsItAndGoesOnWithoutOne) {
    send(8);
    const store::MailboxView start = complete(mailbox_->backlog_start(alice_, core::Seq{7}));
    EXPECT_TRUE(start.truncated);
    EXPECT_TRUE(start.messages.empty());
    const auto stretch = [&](core::Seq since, std::uint64_t up_to, std::uint64_t count) {
        return mailbox_->stretch(alice_, since, core::Seq{up_to}, {.count = count});
    };
    const store::MailboxView first = stretch(start.position, 7, 2);
    EXPECT_EQ(seqs(first.messages), (Seqs{3, 4}));
    EXPECT_EQ(seqs(stretch(first.position, 7, 100).messages), (Seqs{5, 6, 7}));
    EXPECT_EQ(stretch(first.position, 7, 100).position, core::Seq{7});
    EXPECT_EQ(seqs(stretch({}, 8, 100).messages), (Seqs{1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST_F(MailboxServiceTest, WhatIsWrittenToALiveConnectionIsReadAtOnce) {
    send(2);
    const auto position = begin(core::Seq{2});
    send(2);
    EXPECT_EQ(shown(), (Seqs{1, 2, 3, 4}));
    position->store(3);
    EXPECT_EQ(shown(), (Seqs{1, 2, 4}));
    EXPECT_TRUE(mailbox_->must_store_first(alice_).empty());
}

TEST_F(MailboxServiceTest, AnEndedConnectionsReadingIsStoredBeforeAPollIsAnswered) {
    const auto position = begin({});
    send(3);
    position->store(2);
    const auto mark = mailbox_->end_live(alice_, position);
    ASSERT_TRUE(mark);
    EXPECT_TRUE(equal(*mark, 0, 2));
    const auto first = mailbox_->must_store_first(alice_);
    ASSERT_EQ(first.size(), 1U);
    EXPECT_TRUE(equal(first[0], 0, 2));
    store_mark(*mark);
    mailbox_->stored(alice_);
    EXPECT_TRUE(mailbox_->must_store_first(alice_).empty());
    EXPECT_EQ(shown(), Seqs{3});
    // Its end is told once.
    EXPECT_FALSE(mailbox_->end_live(alice_, position));
}

TEST_F(MailboxServiceTest, AConnectionThatReadNothingLeavesNothingToStore) {
    send(1);
    const auto position = begin(core::Seq{1});
    EXPECT_FALSE(mailbox_->end_live(alice_, position));
    EXPECT_TRUE(mailbox_->must_store_first(alice_).empty());
    EXPECT_EQ(shown(), Seqs{1});
}

TEST_F(MailboxServiceTest, WhatWasReadIsHandedOutForStoringOnceForEachStepForward) {
    const auto position = begin({});
    send(3);
    EXPECT_TRUE(mailbox_->take_unstored().empty());
    position->store(1);
    auto marks = mailbox_->take_unstored();
    ASSERT_EQ(marks.size(), 1U);
    EXPECT_TRUE(equal(marks[0], 0, 1));
    EXPECT_TRUE(mailbox_->take_unstored().empty());
    position->store(2);
    marks = mailbox_->take_unstored();
    ASSERT_EQ(marks.size(), 1U);
    EXPECT_TRUE(equal(marks[0], 0, 2));
    // It ends before that has been committed: a poll must still wait for it.
    ASSERT_TRUE(mailbox_->end_live(alice_, position));
    EXPECT_EQ(mailbox_->must_store_first(alice_).size(), 1U);
}

TEST_F(MailboxServiceTest, AReplacedConnectionsReadingIsNotForgotten) {
    const auto older = begin({});
    send(3);
    older->store(2);
    const auto newer = begin(core::Seq{3});
    auto first = mailbox_->must_store_first(alice_);
    ASSERT_EQ(first.size(), 1U);
    EXPECT_TRUE(equal(first[0], 0, 2));
    older->store(3);  // the last that had been on its way
    const auto mark = mailbox_->end_live(alice_, older);
    ASSERT_TRUE(mark);
    EXPECT_TRUE(equal(*mark, 0, 3));
    store_mark(*mark);
    mailbox_->stored(alice_);
    EXPECT_TRUE(mailbox_->must_store_first(alice_).empty());
    EXPECT_EQ(shown(), Seqs{});

    send(2);
    newer->store(4);
    EXPECT_EQ(shown(), Seqs{5});
    ASSERT_TRUE(mailbox_->end_live(alice_, newer));
}

TEST_F(MailboxServiceTest, SeveralConnectionsInARowAreAllStoredFirst) {
    std::vector<Mailbox::ReadPosition> positions;
    for (std::uint64_t i = 0; i < 3; ++i) {
        positions.push_back(begin(core::Seq{2 * i}));
        send(2);
        positions.back()->store(2 * i + 1);
    }
    ASSERT_TRUE(mailbox_->end_live(alice_, positions[0]));
    ASSERT_TRUE(mailbox_->end_live(alice_, positions[2]));
    const auto first = mailbox_->must_store_first(alice_);
    ASSERT_EQ(first.size(), 3U);
    for (const store::MarkRead& mark : first) store_mark(mark);
    EXPECT_EQ(shown(), (Seqs{2, 4, 6}));
}

// ---- What was shown ----------------------------------------------------------------------------

TEST_F(MailboxServiceTest, AnAcknowledgementCoversWhatPollsAndConnectionsHaveShown) {
    send(6);
    EXPECT_EQ(ack(100), core::Seq{});
    EXPECT_TRUE(show(0, 2));
    EXPECT_FALSE(show(0, 1)) << "no news";
    EXPECT_EQ(ack(100), core::Seq{2});
    // A connection with acks is shown what lies behind the second message, so far two of four.
    const auto position = mailbox_->begin_live(alice_, core::Seq{2}, core::Seq{2}, false);
    position->store(4);
    EXPECT_EQ(ack(100), core::Seq{4});
    EXPECT_EQ(shown(), (Seqs{5, 6})) << "being sent does not read";
    position->store(6);
    EXPECT_TRUE(mailbox_->take_unstored().empty());
    EXPECT_FALSE(mailbox_->end_live(alice_, position));
    EXPECT_EQ(ack(100), core::Seq{6}) << "also after its end";
}

TEST_F(MailboxServiceTest, AnAcknowledgementOverAConnectionLeavesWhatWaitedBeforeIt) {
    send(2);
    const auto position = mailbox_->begin_live(alice_, core::Seq{}, core::Seq{2}, true);
    send(3);
    position->store(4);
    EXPECT_EQ(ack(4), core::Seq{});
    EXPECT_EQ(shown(), (Seqs{1, 2, 5}));
    // Acknowledged before the hub has heard that it was written.
    EXPECT_EQ(ack(5), core::Seq{});
    EXPECT_EQ(shown(), (Seqs{1, 2}));
    EXPECT_TRUE(show(0, 2));
    EXPECT_EQ(ack(2), core::Seq{5});
}

TEST_F(MailboxServiceTest, WhatWasShownIsHandedOutForStoringUntilItIsAcknowledged) {
    send(5);
    EXPECT_TRUE(mailbox_->take_shown().empty());
    EXPECT_TRUE(show(0, 2));
    EXPECT_EQ(ack(2), core::Seq{2});
    EXPECT_TRUE(mailbox_->take_shown().empty()) << "acknowledged in time";
    EXPECT_TRUE(show(2, 4));
    auto marks = mailbox_->take_shown();
    ASSERT_EQ(marks.size(), 1U);
    EXPECT_TRUE(show(4, 5));
    EXPECT_TRUE(mailbox_->take_shown().empty()) << "one at a time";
    EXPECT_FALSE(show(3, 5));
    write<store::Done>(marks[0]);
    mailbox_->stored_shown(alice_);
    EXPECT_EQ(mailbox_->take_shown().size(), 1U);
    mailbox_->stored_shown(alice_);
    // What is stored is told by the view, and known to the acknowledgement.
    const store::MailboxView view = poll({});
    ASSERT_EQ(view.shown.size(), 1U);
    EXPECT_FALSE(show(2, 4, view.shown));
    EXPECT_EQ(ack(100), core::Seq{4});
}

TEST_F(MailboxServiceTest, StretchesThatAreRememberedHaveABound) {
    for (std::uint64_t i = 0; i < 2 * Mailbox::kMaxShown; ++i) {
        EXPECT_TRUE(show(2 * i, 2 * i + 1));
    }
    const auto marks = mailbox_->take_shown();
    ASSERT_EQ(marks.size(), 1U);
    EXPECT_EQ(marks[0].spans.size(), Mailbox::kMaxShown);
    EXPECT_EQ(marks[0].spans.front().after, core::Seq{2 * Mailbox::kMaxShown});
}

}  // namespace
}  // namespace agentcom::services
