// Inputs as the clients give them, and what the hook answers in each dialect.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/agents/hook_input.hpp"
#include "cli/agents/hook_words.hpp"
#include "support/claude_input.hpp"

namespace agentcom::cli::agents {
namespace {

using nlohmann::json;

/// One hook of one client: its input, and where the answer holds the text.
struct Recorded {
    Dialect dialect;
    Moment moment;
    const char* input;
    const char* text_at;  // JSON pointer into the output; nullptr: nothing is said at this moment
    const char* rest;     // the output without the text
};

const std::vector<Recorded> kRecorded = {
    {Dialect::claude, Moment::start, test::claude_input::kSessionStart,
     "/hookSpecificOutput/additionalContext",
     R"({"hookSpecificOutput":{"hookEventName":"SessionStart"}})"},
    {Dialect::claude, Moment::prompt, test::claude_input::kUserPromptSubmit,
     "/hookSpecificOutput/additionalContext",
     R"({"hookSpecificOutput":{"hookEventName":"UserPromptSubmit"}})"},
    {Dialect::claude, Moment::tool, test::claude_input::kPostToolUse,
     "/hookSpecificOutput/additionalContext",
     R"({"hookSpecificOutput":{"hookEventName":"PostToolUse"}})"},
    {Dialect::claude, Moment::stop, test::claude_input::kStop, "/reason",
     R"({"decision":"block"})"},
    {Dialect::codex, Moment::start,
     R"({"session_id":"0199-a","turn_id":"t","transcript_path":null,"cwd":"/p","hook_event_name":"SessionStart","model":"m","permission_mode":"default","source":"startup"})",
     "/hookSpecificOutput/additionalContext",
     R"({"hookSpecificOutput":{"hookEventName":"SessionStart"}})"},
    {Dialect::codex, Moment::prompt,
     R"({"session_id":"0199-a","turn_id":"t","transcript_path":"/r","cwd":"/p","hook_event_name":"UserPromptSubmit","model":"m","permission_mode":"default","prompt":"go on"})",
     "/hookSpecificOutput/additionalContext",
     R"({"hookSpecificOutput":{"hookEventName":"UserPromptSubmit"}})"},
    {Dialect::codex, Moment::tool,
     R"({"session_id":"0199-a","turn_id":"t","transcript_path":"/r","cwd":"/p","hook_event_name":"PostToolUse","model":"m","permission_mode":"default","tool_name":"shell","tool_input":{},"tool_response":{}})",
     "/hookSpecificOutput/additionalContext",
     R"({"hookSpecificOutput":{"hookEventName":"PostToolUse"}})"},
    // An unknown member is an error there: no hookSpecificOutput beside the decision.
    {Dialect::codex, Moment::stop,
     R"({"session_id":"0199-a","turn_id":"t","transcript_path":"/r","cwd":"/p","hook_event_name":"Stop","model":"m","permission_mode":"default","stop_hook_active":false,"last_assistant_message":"done"})",
     "/reason", R"({"decision":"block"})"},
    {Dialect::gemini, Moment::start,
     R"({"session_id":"g","transcript_path":"/t","cwd":"/p","hook_event_name":"SessionStart","timestamp":"2026-11-01T00:00:00Z","source":"startup"})",
     "/hookSpecificOutput/additionalContext",
     R"({"hookSpecificOutput":{"hookEventName":"SessionStart"}})"},
    {Dialect::gemini, Moment::prompt,
     R"({"session_id":"g","transcript_path":"/t","cwd":"/p","hook_event_name":"BeforeAgent","timestamp":"2026-11-01T00:00:00Z","prompt":"go on"})",
     "/hookSpecificOutput/additionalContext",
     R"({"hookSpecificOutput":{"hookEventName":"BeforeAgent"}})"},
    {Dialect::gemini, Moment::tool,
     R"({"session_id":"g","transcript_path":"/t","cwd":"/p","hook_event_name":"AfterTool","timestamp":"2026-11-01T00:00:00Z","tool_name":"x"})",
     "/hookSpecificOutput/additionalContext",
     R"({"hookSpecificOutput":{"hookEventName":"AfterTool"}})"},
    {Dialect::gemini, Moment::stop,
     R"({"session_id":"g","transcript_path":"/t","cwd":"/p","hook_event_name":"AfterAgent","timestamp":"2026-11-01T00:00:00Z","prompt":"go on","prompt_response":"done","stop_hook_active":false})",
     "/reason", R"({"decision":"deny"})"},
    {Dialect::cursor, Moment::start,
     R"({"conversation_id":"c","generation_id":"n","model":"m","hook_event_name":"sessionStart","cursor_version":"3","workspace_roots":["/p"],"user_email":null,"transcript_path":null})",
     "/additional_context", R"({})"},
    {Dialect::cursor, Moment::prompt,
     R"({"conversation_id":"c","generation_id":"n","model":"m","hook_event_name":"beforeSubmitPrompt","cursor_version":"3","workspace_roots":["/p"],"prompt":"go on"})",
     "/additional_context", R"({"continue":true})"},
    {Dialect::cursor, Moment::tool,
     R"({"conversation_id":"c","generation_id":"n","model":"m","hook_event_name":"postToolUse","cursor_version":"3","workspace_roots":["/p"]})",
     "/additional_context", R"({})"},
    {Dialect::cursor, Moment::stop,
     R"({"conversation_id":"c","generation_id":"n","model":"m","hook_event_name":"stop","cursor_version":"3","workspace_roots":["/p"],"status":"completed","loop_count":0})",
     "/followup_message", R"({})"},
    {Dialect::vscode, Moment::start,
     R"({"timestamp":"2026-11-01T00:00:00Z","cwd":"/p","sessionId":"v","hookEventName":"SessionStart","transcript_path":"/t","source":"new"})",
     "/hookSpecificOutput/additionalContext",
     R"({"hookSpecificOutput":{"hookEventName":"SessionStart"}})"},
    {Dialect::vscode, Moment::prompt,
     R"({"timestamp":"2026-11-01T00:00:00Z","cwd":"/p","sessionId":"v","hookEventName":"UserPromptSubmit","transcript_path":"/t","prompt":"go on"})",
     nullptr, ""},
    {Dialect::vscode, Moment::tool,
     R"({"timestamp":"2026-11-01T00:00:00Z","cwd":"/p","sessionId":"v","hookEventName":"PostToolUse","transcript_path":"/t","tool_name":"editFiles","tool_response":"ok"})",
     "/hookSpecificOutput/additionalContext",
     R"({"hookSpecificOutput":{"hookEventName":"PostToolUse"}})"},
    {Dialect::vscode, Moment::stop,
     R"({"timestamp":"2026-11-01T00:00:00Z","cwd":"/p","sessionId":"v","hookEventName":"Stop","transcript_path":"/t","stop_hook_active":false})",
     "/hookSpecificOutput/reason",
     R"({"hookSpecificOutput":{"hookEventName":"Stop","decision":"block"}})"},
    {Dialect::copilot, Moment::start,
     R"({"sessionId":"o","timestamp":1,"cwd":"/p","source":"new"})", nullptr, ""},
    {Dialect::copilot, Moment::prompt,
     R"({"sessionId":"o","timestamp":1,"cwd":"/p","prompt":"go on"})", nullptr, ""},
    {Dialect::copilot, Moment::tool,
     R"({"sessionId":"o","timestamp":1,"cwd":"/p","toolName":"bash","toolArgs":{}})",
     "/additionalContext", R"({})"},
    {Dialect::copilot, Moment::stop,
     R"({"sessionId":"o","timestamp":1,"cwd":"/p","transcriptPath":"/t","stopReason":"end_turn"})",
     "/reason", R"({"decision":"block"})"},
};

UnreadMail two_from_bob(std::uint64_t newest = 7) {
    return {"alice", 2, {{"bob", 2}}, newest, "e1"};
}

std::string label(const Recorded& recorded) {
    return std::string(name_of(recorded.dialect)) + " " + std::string(name_of(recorded.moment));
}

/// The output without the member that holds the text.
json rest_of(const std::string& output, const char* text_at) {
    json rest = json::parse(output);
    const json::json_pointer pointer(text_at);
    rest.at(pointer.parent_pointer()).erase(pointer.back());
    return rest;
}

TEST(HookDialects, EveryClientIsToldOfMailAtEveryMomentInItsOwnForm) {
    for (const Recorded& recorded : kRecorded) {
        SCOPED_TRACE(label(recorded));
        const auto input = parse_hook_input(recorded.input, recorded.dialect);
        ASSERT_TRUE(input);
        EXPECT_EQ(input->dialect, recorded.dialect);
        const Decision decision = decide(*input, recorded.moment, two_from_bob(), {});
        if (recorded.text_at == nullptr) {
            EXPECT_EQ(decision.output, silence(recorded.dialect));
            EXPECT_FALSE(decision.text);
            EXPECT_EQ(decision.state, hooks::SessionState{});
            continue;
        }
        ASSERT_TRUE(decision.text);
        const json output = json::parse(decision.output);
        EXPECT_EQ(output.at(json::json_pointer(recorded.text_at)), *decision.text);
        EXPECT_EQ(rest_of(decision.output, recorded.text_at), json::parse(recorded.rest));
        EXPECT_EQ(decision.state.announced, 7U);
    }
}

TEST(HookDialects, WithoutMailThoseWhoInsistOnJsonGetAnEmptyObjectAndOthersNothing) {
    for (const Recorded& recorded : kRecorded) {
        SCOPED_TRACE(label(recorded));
        const auto input = parse_hook_input(recorded.input, recorded.dialect);
        ASSERT_TRUE(input);
        const UnreadMail nothing{"alice", 0, {}, 7, "e1"};
        const Decision decision = decide(*input, recorded.moment, nothing, {});
        const bool json_only =
            recorded.dialect == Dialect::gemini || recorded.dialect == Dialect::cursor;
        EXPECT_EQ(decision.output, json_only ? "{}" : "");
    }
}

TEST(HookDialects, ClientsThatRunTheHooksOfClaudeCodeAreAnsweredInTheirOwnDialect) {
    for (const Recorded& recorded : kRecorded) {
        if (recorded.dialect == Dialect::codex ||
            (recorded.dialect == Dialect::gemini && recorded.moment == Moment::start)) {
            continue;  // their inputs look like Claude Code's, and they read files of their own
        }
        SCOPED_TRACE(label(recorded));
        const auto input = parse_hook_input(recorded.input, Dialect::claude);
        ASSERT_TRUE(input);
        EXPECT_EQ(input->dialect, recorded.dialect);
    }
}

TEST(HookDialects, NamesOfTheCommandLineAreReadBack) {
    for (const Dialect dialect : kDialects) EXPECT_EQ(dialect_named(name_of(dialect)), dialect);
    for (const Moment moment : kMoments) EXPECT_EQ(moment_named(name_of(moment)), moment);
    EXPECT_FALSE(dialect_named("windsurf"));
    EXPECT_FALSE(moment_named("Stop"));
}

TEST(HookInput, WhatIsNoInputOfASessionIsRefused) {
    for (const char* text : {"", "{", "[]", "null", R"({"cwd":"/p"})", R"({"session_id":""})",
                             R"({"session_id":7})", "{\"session_id\":\"\xff\"}"}) {
        EXPECT_FALSE(parse_hook_input(text, Dialect::claude)) << text;
    }
}

TEST(HookInput, ASubagentIsKnownByItsIdAndNotByTheKindOfAgent) {
    const auto inside = parse_hook_input(
        R"({"session_id":"s","agent_id":"a1","agent_type":"Explore"})", Dialect::claude);
    const auto session =
        parse_hook_input(R"({"session_id":"s","agent_type":"reviewer"})", Dialect::claude);
    ASSERT_TRUE(inside && session);
    EXPECT_TRUE(inside->subagent);
    EXPECT_FALSE(session->subagent);
    EXPECT_EQ(decide(*inside, Moment::tool, two_from_bob(), {}).output, "");
    EXPECT_NE(decide(*session, Moment::tool, two_from_bob(), {}).output, "");
}

TEST(HookInput, StopHookActiveMayBeAWord) {
    const auto active =
        parse_hook_input(R"({"session_id":"s","stop_hook_active":"true"})", Dialect::claude);
    const auto first =
        parse_hook_input(R"({"session_id":"s","stop_hook_active":"false"})", Dialect::claude);
    ASSERT_TRUE(active && first);
    EXPECT_EQ(active->continuing, true);
    EXPECT_EQ(first->continuing, false);
}

TEST(HookInput, APromptThatAHookCausedIsNoHuman) {
    const auto echoed = [](const std::string& prompt) {
        const json input = {{"session_id", "s"}, {"prompt", prompt}};
        return parse_hook_input(input.dump(), Dialect::claude)->echoed_prompt;
    };
    EXPECT_TRUE(echoed("<task-notification>x"));
    EXPECT_TRUE(echoed(announcement(two_from_bob())));
    EXPECT_FALSE(echoed("What is AgentCom?"));
}

}  // namespace
}  // namespace agentcom::cli::agents
