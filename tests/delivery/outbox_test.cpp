#include "agentcom/delivery/outbox.hpp"

#include <gtest/gtest.h>

#include <algorithm>
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

TEST(Outbox, APartOfSharedFramesIsNotCopiedUnlessItIsSmall) {
    Outbox outbox({.max_bytes = 6'000, .max_frames = 100});
    const SharedBytes all =
        std::make_shared<const std::string>(std::string(2'000, 'a') + std::string(2'000, 'b'));
    const std::string_view view = *all;
    ASSERT_TRUE(outbox.append_shared(all, view.substr(1'990, 20)));
    ASSERT_TRUE(outbox.append_shared(all, view.substr(2'000), core::Seq{4}));
    EXPECT_EQ(outbox.bytes(), 2'020U);
    EXPECT_EQ(outbox.frames(), 2U);
    EXPECT_FALSE(outbox.append_shared(all, view)) << "more than the limit";
    std::array<std::string_view, 4> views;
    ASSERT_EQ(outbox.gather(views.data(), views.size()), 2U);
    EXPECT_EQ(views[0], std::string(10, 'a') + std::string(10, 'b'));
    EXPECT_EQ(views[1].data(), view.data() + 2'000);
    EXPECT_EQ(outbox.consume(1'020), core::Seq{});
    ASSERT_EQ(outbox.gather(views.data(), views.size()), 1U);
    EXPECT_EQ(views[0], std::string(1'000, 'b'));
    EXPECT_EQ(outbox.consume(1'000), core::Seq{4});
    EXPECT_TRUE(outbox.empty());
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

TEST(Outbox, SaysWhatIsLeftAsLongAsItIsInOnePiece) {
    Outbox outbox({});
    EXPECT_EQ(outbox.only_piece(), "");
    ASSERT_TRUE(outbox.append("one"));
    ASSERT_TRUE(outbox.append("two"));
    EXPECT_EQ(outbox.only_piece(), "onetwo");
    outbox.consume(2);
    EXPECT_EQ(outbox.only_piece(), "etwo");
    ASSERT_TRUE(outbox.append_shared(shared(2'000, 'S')));
    EXPECT_EQ(outbox.only_piece(), "");
    outbox.consume(4);
    EXPECT_EQ(outbox.only_piece(), std::string(2'000, 'S'));
}

TEST(Outbox, ABufferThatIsUsedAgainHasNothingOfWhatWasInIt) {
    Outbox first({});
    ASSERT_TRUE(first.append(std::string(1'000, 'a')));
    drain(first);
    Outbox second({});
    ASSERT_TRUE(second.append("b"));
    EXPECT_EQ(second.only_piece(), "b");
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

TEST(Outbox, TakesAnyOneFrameWhenItIsEmpty) {
    Outbox outbox({.max_bytes = 100, .max_frames = 10});
    EXPECT_TRUE(outbox.append_shared(shared(5'000, 'S')));
    EXPECT_FALSE(outbox.append_shared(shared(5'000, 'S')));
    EXPECT_FALSE(outbox.append("x"));
    (void)drain(outbox);
    EXPECT_TRUE(outbox.append(std::string(500, 'y')));
}

/// Some text of which every stretch is different.
std::string text_of(std::size_t size) {
    std::string text;
    while (text.size() < size) text += std::to_string(text.size()) + ' ';
    text.resize(size);
    return text;
}

core::Pieces pieces_of(std::string_view text) {
    core::Pieces pieces;
    for (std::size_t at = 0; at < text.size(); at += 1'000) {
        pieces.append(text.substr(at, 1'000));
    }
    return pieces;
}

TEST(Outbox, AFrameInPiecesLeavesAsItWasWrittenWhateverItsSize) {
    for (const std::size_t size : {0U, 5U, 1'023U, 1'024U, 70'000U, 300'000U}) {
        Outbox outbox({});
        ASSERT_TRUE(outbox.append("before"));
        const std::string text = text_of(size);
        core::Pieces pieces = pieces_of(text);
        outbox.append_pieces("head", pieces);
        EXPECT_TRUE(pieces.empty());
        ASSERT_TRUE(outbox.append("behind"));
        EXPECT_EQ(outbox.frames(), 3U);
        EXPECT_EQ(outbox.bytes(), 16 + size);
        EXPECT_EQ(drain(outbox), "beforehead" + text + "behind");
        EXPECT_EQ(outbox.frames(), 0U);
    }
}

TEST(Outbox, ALargeFrameIsNotOneLargeAllocation) {
    Outbox outbox({});
    core::Pieces pieces = pieces_of(text_of(1'000'000));
    outbox.append_pieces("head", pieces);
    std::array<std::string_view, 64> views;
    const std::size_t count = outbox.gather(views.data(), views.size());
    ASSERT_GT(count, 10U);
    for (std::size_t i = 0; i < count; ++i) {
        EXPECT_LE(views[i].size(), core::Pieces::kPieceBytes + 1'000);
    }
}

TEST(Outbox, FinishesAFrameInPiecesThatHasBegunAndDropsTheNext) {
    const std::string text = text_of(300'000);
    for (const std::size_t begun : {1U, 4U, 70'000U, 200'000U, 299'999U}) {
        Outbox outbox({});
        core::Pieces first = pieces_of(text);
        outbox.append_pieces("head", first);
        core::Pieces second = pieces_of(text);
        outbox.append_pieces("head", second);
        std::size_t left = begun;
        while (left > 0) {
            std::string_view view;
            ASSERT_EQ(outbox.gather(&view, 1), 1U);
            const std::size_t part = std::min(left, view.size());
            outbox.consume(part);
            left -= part;
        }
        outbox.drop_unsent();
        EXPECT_EQ(outbox.frames(), 1U);
        EXPECT_EQ(drain(outbox), ("head" + text).substr(begun));
        EXPECT_EQ(outbox.frames(), 0U);
    }
    // Between two frames nothing has begun.
    Outbox outbox({});
    core::Pieces first = pieces_of(text);
    outbox.append_pieces("head", first);
    (void)drain(outbox);
    core::Pieces second = pieces_of(text);
    outbox.append_pieces("head", second);
    outbox.drop_unsent();
    EXPECT_TRUE(outbox.empty());
    EXPECT_EQ(outbox.frames(), 0U);
}

TEST(Outbox, IsOverdueWhenSomethingHasWaitedTooLongHoweverMuchIsTaken) {
    using std::chrono::seconds;
    const core::SteadyTime start{seconds(100)};
    const core::Millis limit{60'000};
    Outbox outbox({});
    ASSERT_TRUE(outbox.append(std::string(1'000, 'a')));
    EXPECT_FALSE(outbox.is_overdue(start, limit));
    for (int second = 1; second < 60; ++second) {
        std::string_view view;
        outbox.gather(&view, 1);
        outbox.consume(5);
        ASSERT_FALSE(outbox.is_overdue(start + seconds(second), limit)) << second;
    }
    EXPECT_TRUE(outbox.is_overdue(start + seconds(60), limit));
    (void)drain(outbox);
    EXPECT_FALSE(outbox.is_overdue(start + seconds(61), limit));
}

TEST(Outbox, AStreamThatIsRefilledIsNotOverdueWhileItIsDrainedInTime) {
    using std::chrono::seconds;
    const core::SteadyTime start{seconds(100)};
    const core::Millis limit{60'000};
    Outbox outbox({});
    // A hundred bytes a second come and go, thirty seconds' worth wait: never empty, never late.
    ASSERT_TRUE(outbox.append(std::string(3'000, 'a')));
    for (int second = 0; second < 600; ++second) {
        ASSERT_FALSE(outbox.is_overdue(start + seconds(second), limit)) << second;
        ASSERT_TRUE(outbox.append(std::string(100, 'b')));
        std::string_view view;
        outbox.gather(&view, 1);
        outbox.consume(100);
    }
    // Now ten a second: what waits longest was appended half a minute ago and gets ever older.
    int overdue = 0;
    for (int second = 600; second < 700; ++second) {
        std::string_view view;
        outbox.gather(&view, 1);
        outbox.consume(10);
        if (overdue == 0 && outbox.is_overdue(start + seconds(second), limit)) overdue = second;
    }
    EXPECT_GE(overdue, 630);
    EXPECT_LE(overdue, 645);
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
