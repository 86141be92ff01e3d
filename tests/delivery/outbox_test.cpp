#include "agentcom/delivery/outbox.hpp"

#include <gtest/gtest.h>

#include <array>

namespace agentcom::delivery {
namespace {

std::string drain(Outbox& outbox) {
    std::string all;
    while (!outbox.empty()) {
        std::array<std::string_view, 4> views;
        const std::size_t count = outbox.gather(views.data(), views.size());
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < count; ++i) {
            all.append(views[i]);
            bytes += views[i].size();
        }
        outbox.consume(bytes);
    }
    return all;
}

SharedBytes shared(std::size_t size, char fill) {
    return std::make_shared<const std::string>(size, fill);
}

TEST(TextFrame, UsesTheShortestLengthForm) {
    std::string small;
    append_text_frame(small, "abc");
    EXPECT_EQ(small, std::string("\x81\x03") + "abc");
    std::string medium;
    append_text_frame(medium, std::string(126, 'x'));
    EXPECT_EQ(medium.substr(0, 4), std::string("\x81\x7e\x00\x7e", 4));
    std::string large;
    append_text_frame(large, std::string(65'536, 'x'));
    EXPECT_EQ(large.substr(0, 10), std::string("\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10));
}

TEST(Outbox, KeepsTheOrderOfCopiedAndSharedFrames) {
    Outbox outbox({});
    ASSERT_TRUE(outbox.append("one"));
    ASSERT_TRUE(outbox.append_shared(shared(2'000, 'S')));
    ASSERT_TRUE(outbox.append_shared(shared(2, 's')));
    ASSERT_TRUE(outbox.append("two"));
    EXPECT_EQ(outbox.frames(), 4U);
    EXPECT_EQ(outbox.bytes(), 2'008U);
    EXPECT_EQ(drain(outbox), "one" + std::string(2'000, 'S') + "sstwo");
    EXPECT_EQ(outbox.frames(), 0U);
}

TEST(Outbox, ReportsAMessageOnlyWhenItIsWrittenCompletely) {
    Outbox outbox({});
    ASSERT_TRUE(outbox.append("0123456789", core::Seq{7}));
    std::array<std::string_view, 4> views;
    ASSERT_EQ(outbox.gather(views.data(), views.size()), 1U);
    EXPECT_EQ(outbox.consume(9), core::Seq{});
    ASSERT_EQ(outbox.gather(views.data(), views.size()), 1U);
    EXPECT_EQ(views[0], "9");
    EXPECT_EQ(outbox.consume(1), core::Seq{7});
}

TEST(Outbox, AppendsBehindWhatIsPartlyWritten) {
    Outbox outbox({});
    ASSERT_TRUE(outbox.append("first"));
    std::array<std::string_view, 4> views;
    ASSERT_EQ(outbox.gather(views.data(), views.size()), 1U);
    outbox.consume(2);
    std::string rest = "rst";
    for (int i = 0; i < 1'000; ++i) {
        ASSERT_TRUE(outbox.append("more"));
        ASSERT_TRUE(outbox.append_shared(shared(1'500, 'S')));
        rest += "more" + std::string(1'500, 'S');
        if (i % 3 != 0) continue;
        // Half of what the next piece holds.
        outbox.gather(views.data(), views.size());
        const std::size_t half = views[0].size() / 2;
        ASSERT_EQ(views[0], rest.substr(0, views[0].size()));
        outbox.consume(half);
        rest.erase(0, half);
    }
    EXPECT_EQ(drain(outbox), rest);
    EXPECT_EQ(outbox.frames(), 0U);
}

TEST(Outbox, RefusesPastItsLimitsUnlessForced) {
    Outbox by_bytes({.max_bytes = 10, .max_frames = 100});
    EXPECT_TRUE(by_bytes.append("0123456789"));
    EXPECT_FALSE(by_bytes.append("x"));
    EXPECT_TRUE(by_bytes.append("x", {}, true));
    Outbox by_frames({.max_bytes = 100'000, .max_frames = 2});
    EXPECT_TRUE(by_frames.append("a"));
    EXPECT_TRUE(by_frames.append("b"));
    EXPECT_FALSE(by_frames.append("c"));
    EXPECT_FALSE(by_frames.append_shared(shared(5'000, 'S')));
}

TEST(Outbox, DropsTheUnsentButFinishesWhatHasBegun) {
    Outbox outbox({});
    ASSERT_TRUE(outbox.append("begun"));
    std::array<std::string_view, 4> views;
    ASSERT_EQ(outbox.gather(views.data(), views.size()), 1U);
    outbox.consume(2);
    ASSERT_TRUE(outbox.append("dropped"));
    ASSERT_TRUE(outbox.append_shared(shared(4'000, 'S')));
    outbox.drop_unsent();
    EXPECT_EQ(outbox.bytes(), 3U);
    EXPECT_EQ(outbox.frames(), 1U);
    EXPECT_EQ(drain(outbox), "gun");
}

}  // namespace
}  // namespace agentcom::delivery
