#include "cli/agents/text_diff.hpp"

#include <gtest/gtest.h>

#include <string>

namespace agentcom::cli::agents {
namespace {

TEST(TextDiff, ShowsWhatGoesAndComesWithThreeLinesAround) {
    EXPECT_EQ(text_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"),
              "@@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

TEST(TextDiff, ChangesFarApartAreShownApart) {
    std::string before;
    for (int i = 0; i < 30; ++i) before += std::to_string(i) + "\n";
    const std::string diff = text_diff(before, "new\n" + before + "last\n");
    EXPECT_EQ(diff, "+new\n 0\n 1\n 2\n@@\n 27\n 28\n 29\n+last\n");
}

TEST(TextDiff, NothingChangesNothing) {
    EXPECT_EQ(text_diff("a\nb\n", "a\nb\n"), "");
    EXPECT_EQ(text_diff("", ""), "");
}

TEST(TextDiff, AllComesAndAllGoes) {
    EXPECT_EQ(text_diff("", "a\nb\n"), "+a\n+b\n");
    EXPECT_EQ(text_diff("a\nb", ""), "-a\n-b\n");
}

TEST(TextDiff, LargeTextsThatHaveNothingInCommonAreShownAtOnce) {
    std::string before;
    std::string after;
    for (int i = 0; i < 3'000; ++i) {
        before += "b" + std::to_string(i) + "\n";
        after += "a" + std::to_string(i) + "\n";
    }
    const std::string diff = text_diff(before, after);
    EXPECT_TRUE(diff.starts_with("-b0\n"));
    EXPECT_TRUE(diff.ends_with("+a2999\n"));
}

}  // namespace
}  // namespace agentcom::cli::agents
