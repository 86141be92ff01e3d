#include "cli/agents/processes.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <string>

namespace agentcom::cli::agents {
namespace {

core::SteadyTime soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(30); }

TEST(RunInShell, GivesTheInputAndTellsWhatWasSaidAndHowItEnded) {
    const Outcome outcome =
        run_in_shell("cat; echo \"$GIVEN\" >&2; exit 4", "asked", {"GIVEN=told"}, soon());
    EXPECT_EQ(outcome.status, 4);
    EXPECT_EQ(outcome.output, "asked");
    EXPECT_EQ(outcome.errors, "told\n");
}

TEST(RunInShell, OneThatTakesTooLongIsEnded) {
    const Outcome outcome =
        run_in_shell("echo begun; exec sleep 1000", "", {},
                     std::chrono::steady_clock::now() + std::chrono::milliseconds(200));
    EXPECT_EQ(outcome.status, -1);
}

/// It may be gone before its input is written, so this is tried often.
TEST(RunInShell, WhatIsSaidByOneThatDoesNotAskForItsInputCounts) {
    ::signal(SIGPIPE, SIG_IGN);  // as in the program
    for (int i = 0; i < 200; ++i) {
        const Outcome outcome = run_in_shell("echo no >&2; exit 3", "input", {}, soon());
        ASSERT_EQ(outcome.status, 3);
        ASSERT_EQ(outcome.errors, "no\n");
    }
}

}  // namespace
}  // namespace agentcom::cli::agents
