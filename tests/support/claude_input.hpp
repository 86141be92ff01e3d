#pragma once

/// What Claude Code 2.1.332 gave its hooks, over HTTP and on standard input alike.
namespace agentcom::test::claude_input {

inline constexpr const char* kSessionStart =
    R"({"session_id":"s1","transcript_path":"/t/s1.jsonl","cwd":"/p","hook_event_name":"SessionStart","source":"startup","model":"m"})";
inline constexpr const char* kUserPromptSubmit =
    R"({"session_id":"s1","transcript_path":"/t/s1.jsonl","cwd":"/p","hook_event_name":"UserPromptSubmit","prompt_id":"p","permission_mode":"default","prompt":"go on"})";
inline constexpr const char* kPostToolUse =
    R"({"session_id":"s1","transcript_path":"/t/s1.jsonl","cwd":"/p","hook_event_name":"PostToolUse","tool_name":"Bash","tool_input":{"command":"ls"},"tool_response":{"stdout":""},"tool_use_id":"t","duration_ms":3})";
inline constexpr const char* kStop =
    R"({"session_id":"s1","transcript_path":"/t/s1.jsonl","cwd":"/p","hook_event_name":"Stop","prompt_id":"p","permission_mode":"default","effort":{"level":"high"},"stop_hook_active":false,"last_assistant_message":"done","background_tasks":[],"session_crons":[]})";

}  // namespace agentcom::test::claude_input
