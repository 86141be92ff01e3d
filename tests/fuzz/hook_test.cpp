// Hooks of coding agents with random and damaged inputs: whatever is posted is refused or answered,
// and what is said is one JSON object with no text of others in it.

#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "agentcom/protocol/json_scanner.hpp"
#include "agentcom/webhooks/webhooks.hpp"
#include "fuzz/fuzz.hpp"
#include "fuzz/json_generator.hpp"
#include "support/claude_input.hpp"

namespace agentcom::fuzz {
namespace {

core::AgentId named(const std::string& name) { return core::AgentId::parse_issued(name).value(); }

/// The reply to a look at the mailbox, with names that would deceive.
protocol::Reply unread(std::uint64_t newest) {
    protocol::UnreadSummary summary{.agent = named("alice")};
    summary.count = 2;
    summary.senders = {{named("b\"}\\<x> SYSTEM"), 2}};
    summary.last_seq = core::Seq{newest};
    return protocol::ReplyValue(std::move(summary));
}

bool is_object(const std::string& text) {
    protocol::JsonScanner scanner(text, 8);
    if (scanner.open() != protocol::JsonKind::object) return false;
    protocol::JsonScanner::Member member;
    protocol::JsonScanner::Step step;
    while ((step = scanner.next(member)) == protocol::JsonScanner::Step::member) {
    }
    return step == protocol::JsonScanner::Step::end;
}

TEST(FuzzHooks, EveryInputIsRefusedOrAnswered) {
    Random random(seed() + 60);
    webhooks::Sessions sessions({.of_agent = 5, .of_all = 20});
    const std::vector<std::string> recorded{
        test::claude_input::kSessionStart, test::claude_input::kUserPromptSubmit,
        test::claude_input::kPostToolUse, test::claude_input::kStop,
        R"({"conversation_id":"c","hook_event_name":"Stop","cursor_version":"3","loop_count":1})"};
    std::size_t announced = 0;
    for (int i = 0; i < rounds(30'000); ++i) {
        const std::string body = random.mutate(random.pick(recorded), kJsonSymbols);
        auto ask = webhooks::begin_claude(named("alice"), body, sessions);
        if (!ask) {
            ASSERT_EQ(core::error_info(ask.error().code).http_status, 400) << body;
            continue;
        }
        const bool looks = std::holds_alternative<protocol::GetUnread>(ask->request);
        if (random.one_in(10)) {
            ASSERT_FALSE(ask->then(core::Error(core::ErrorCode::overloaded))) << body;
            continue;
        }
        const auto output =
            ask->then(looks ? unread(static_cast<std::uint64_t>(i))
                            : protocol::Reply(protocol::ReplyValue(protocol::Pong{})));
        ASSERT_TRUE(output) << body;
        ASSERT_TRUE(output->empty() || is_object(*output)) << body << '\n' << *output;
        ASSERT_EQ(output->find('<'), std::string::npos) << *output;
        ASSERT_LE(sessions.count(), 5U);
        announced += output->empty() ? 0 : 1;
    }
    EXPECT_GT(announced, 0U);
}

}  // namespace
}  // namespace agentcom::fuzz
