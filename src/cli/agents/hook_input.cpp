#include "cli/agents/hook_input.hpp"

#include <nlohmann/json.hpp>

namespace agentcom::cli::agents {
namespace {

std::string input_text(const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

Dialect dialect_of(const nlohmann::json& input, Dialect named) {
    if (input.contains("cursor_version")) return Dialect::cursor;
    if (input.contains("hookEventName")) return Dialect::vscode;
    const std::string event = input_text(input, "hook_event_name");
    if (event == "BeforeAgent" || event == "AfterAgent" || event == "AfterTool") {
        return Dialect::gemini;
    }
    if (input.contains("sessionId") && named == Dialect::claude) return Dialect::copilot;
    return named;
}

std::string session_of(const nlohmann::json& input) {
    for (const char* key : {"session_id", "sessionId", "conversation_id"}) {
        std::string session = input_text(input, key);
        if (!session.empty()) return session;
    }
    return "";
}

std::optional<bool> continuing(const nlohmann::json& input) {
    if (const auto active = input.find("stop_hook_active"); active != input.end()) {
        return active->is_boolean() ? active->get<bool>() : *active == "true";
    }
    if (const auto rounds = input.find("loop_count");
        rounds != input.end() && rounds->is_number_integer()) {
        return *rounds > 0;
    }
    return std::nullopt;
}

}  // namespace

std::optional<HookInput> parse_hook_input(std::string_view text, Dialect named) {
    const nlohmann::json input = nlohmann::json::parse(text, nullptr, false);
    if (!input.is_object()) return std::nullopt;
    HookInput found;
    found.dialect = dialect_of(input, named);
    found.session = session_of(input);
    if (found.session.empty()) return std::nullopt;
    found.subagent = !input_text(input, "agent_id").empty();
    found.continuing = continuing(input);
    const std::string status = input_text(input, "status");
    found.aborted = found.dialect == Dialect::cursor && (status == "aborted" || status == "error");
    const std::string prompt = input_text(input, "prompt");
    found.echoed_prompt =
        prompt.starts_with(kAnnouncementPrefix) || prompt.starts_with("<task-notification>");
    return found;
}

}  // namespace agentcom::cli::agents
