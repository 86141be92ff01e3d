// Sessions that are told that something has come instead of being shown it.

#include "agentcom/delivery/session.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>

#include "support/recording_session.hpp"

namespace agentcom::delivery {
namespace {

using test::RecordingSession;

class Notices : public ::testing::Test {
protected:
    Notices() { session_.replace_messages("!"); }
    void message(std::uint64_t seq) { session_.push(share("text"), core::Seq{seq}); }
    static SharedBytes share(const char* text) { return std::make_shared<const std::string>(text); }
    /// What waits is handed to the system; the session is told of it later.
    core::Seq write() { return session_.outbox().consume(session_.waiting().size()); }
    void written(core::Seq seq) {
        session_.on_written(seq);
        session_.push_due_notice();
    }
    RecordingSession session_{"bob"};
};

TEST_F(Notices, AMessageIsToldAndNotShown) {
    message(1);
    EXPECT_EQ(session_.waiting(), "!");
    session_.send_paced("text", core::Seq{2});
    EXPECT_EQ(session_.waiting(), "!");
}

TEST_F(Notices, WhatComesWhileOneWaitsMakesOneMore) {
    message(1);
    message(2);
    message(3);
    EXPECT_EQ(session_.waiting(), "!");
    written(write());
    EXPECT_EQ(session_.waiting(), "!");
    written(write());
    EXPECT_EQ(session_.waiting(), "");
    message(4);
    EXPECT_EQ(session_.waiting(), "!");
}

TEST_F(Notices, AMessageBetweenTheWritingAndTheNewsOfItIsToldToo) {
    message(1);
    const core::Seq seq = write();
    message(2);
    EXPECT_EQ(session_.waiting(), "");
    written(seq);
    EXPECT_EQ(session_.waiting(), "!");
}

TEST_F(Notices, WhatElseIsWrittenDoesNotCount) {
    message(1);
    (void)write();
    session_.outbox().append("comment", {}, true);
    message(2);
    written(write());
    EXPECT_EQ(session_.waiting(), "");
    written(core::Seq{1});
    EXPECT_EQ(session_.waiting(), "!");
}

TEST_F(Notices, NothingCountsAsShown) {
    const auto position = std::make_shared<std::atomic<std::uint64_t>>(0);
    session_.set_read_position(position);
    message(7);
    written(write());
    EXPECT_EQ(position->load(), 0U);
}

TEST_F(Notices, WhoWantsToKnowNothingIsToldNothing) {
    session_.replace_messages("");
    message(1);
    EXPECT_EQ(session_.waiting(), "");
    EXPECT_EQ(session_.flush_requests, 0);
}

}  // namespace
}  // namespace agentcom::delivery
