#include "agentcom/hooks/hook_input.hpp"

#include <algorithm>
#include <initializer_list>

namespace agentcom::hooks {
namespace {

std::string input_text(const InputMembers& members, std::string_view name) {
    const auto value = members(name);
    const auto* text = value ? std::get_if<std::string>(&*value) : nullptr;
    return text != nullptr ? *text : "";
}

std::string first_text(const InputMembers& members, std::initializer_list<const char*> names) {
    for (const char* name : names) {
        std::string text = input_text(members, name);
        if (!text.empty()) return text;
    }
    return "";
}

bool has_event(Dialect dialect, std::string_view name) {
    const auto events = hook_events(dialect);
    return std::any_of(events.begin(), events.end(),
                       [name](const HookEvent& event) { return event.name == name; });
}

Dialect dialect_of(const InputMembers& members, const std::string& event, Dialect named) {
    if (members("cursor_version")) return Dialect::cursor;
    if (members("hookEventName")) return Dialect::vscode;
    if (has_event(Dialect::gemini, event) && !has_event(Dialect::claude, event)) {
        return Dialect::gemini;
    }
    if (members("sessionId") && named == Dialect::claude) return Dialect::copilot;
    return named;
}

std::optional<bool> continuing(const InputMembers& members) {
    if (const auto active = members("stop_hook_active")) {
        const auto* truth = std::get_if<bool>(&*active);
        return truth != nullptr ? *truth : *active == InputValue("true");
    }
    const auto rounds = members("loop_count");
    const auto* number = rounds ? std::get_if<std::int64_t>(&*rounds) : nullptr;
    return number != nullptr ? std::optional(*number > 0) : std::nullopt;
}

}  // namespace

HookInput read_hook_input(const InputMembers& members, Dialect named) {
    HookInput found;
    found.event = first_text(members, {"hook_event_name", "hookEventName"});
    found.dialect = dialect_of(members, found.event, named);
    found.session = first_text(members, {"session_id", "sessionId", "conversation_id"});
    found.subagent = !input_text(members, "agent_id").empty();
    found.continuing = continuing(members);
    const std::string status = input_text(members, "status");
    found.aborted = found.dialect == Dialect::cursor && (status == "aborted" || status == "error");
    const std::string prompt = input_text(members, "prompt");
    found.echoed_prompt =
        prompt.starts_with(kAnnouncementPrefix) || prompt.starts_with("<task-notification>");
    return found;
}

}  // namespace agentcom::hooks
