#include "agentcom/hooks/dialect.hpp"

#include <initializer_list>
#include <utility>

#include "agentcom/core/json_string.hpp"

namespace agentcom::hooks {
namespace {

constexpr std::array<std::string_view, 7> kDialectNames = {"claude", "codex",   "gemini",  "cursor",
                                                           "vscode", "copilot", "opencode"};
constexpr std::array<std::string_view, 6> kMomentNames = {"session-start", "prompt", "tool",
                                                          "stop",          "wait",   "end"};

// The one table of what clients call the moments.
constexpr std::array<HookEvent, 5> kClaudeEvents{{{Moment::start, "SessionStart"},
                                                  {Moment::prompt, "UserPromptSubmit"},
                                                  {Moment::tool, "PostToolUse"},
                                                  {Moment::stop, "Stop"},
                                                  {Moment::end, "SessionEnd"}}};
constexpr std::array<HookEvent, 4> kGeminiEvents{{{Moment::start, "SessionStart"},
                                                  {Moment::prompt, "BeforeAgent"},
                                                  {Moment::tool, "AfterTool"},
                                                  {Moment::stop, "AfterAgent"}}};
constexpr std::array<HookEvent, 4> kCursorEvents{{{Moment::start, "sessionStart"},
                                                  {Moment::prompt, "beforeSubmitPrompt"},
                                                  {Moment::tool, "postToolUse"},
                                                  {Moment::stop, "stop"}}};
// A prompt's hook cannot say anything there.
constexpr std::array<HookEvent, 3> kVsCodeEvents{
    {{Moment::start, "SessionStart"}, {Moment::tool, "PostToolUse"}, {Moment::stop, "Stop"}}};
// Nor here; but by it a new turn is known.
constexpr std::array<HookEvent, 3> kCopilotEvents{{{Moment::prompt, "userPromptSubmitted"},
                                                   {Moment::tool, "postToolUse"},
                                                   {Moment::stop, "agentStop"}}};

/// A JSON object of texts.
std::string object(std::initializer_list<std::pair<std::string_view, std::string_view>> members) {
    std::string json = "{";
    for (const auto& [key, text] : members) {
        if (json.size() > 1) json += ',';
        core::append_json_string(json, key);
        json += ':';
        core::append_json_string(json, text);
    }
    return json + '}';
}

std::string specific_output(const std::string& inner) {
    return R"({"hookSpecificOutput":)" + inner + '}';
}

std::string added_context(Dialect dialect, Moment moment, std::string_view text) {
    return specific_output(
        object({{"hookEventName", event_name(dialect, moment)}, {"additionalContext", text}}));
}

std::string cursor_output(Moment moment, std::string_view text) {
    if (moment == Moment::stop) return object({{"followup_message", text}});
    std::string output = object({{"additional_context", text}});
    if (moment == Moment::prompt) output.insert(output.size() - 1, R"(,"continue":true)");
    return output;
}

std::string block(std::string_view text) {
    return object({{"decision", "block"}, {"reason", text}});
}

template <class Enum, std::size_t N>
std::optional<Enum> find_name(const std::array<std::string_view, N>& names, std::string_view name) {
    for (std::size_t i = 0; i < N; ++i) {
        if (names[i] == name) return static_cast<Enum>(i);
    }
    return std::nullopt;
}

std::vector<std::string> texts_of(std::span<const std::string_view> names) {
    return {names.begin(), names.end()};
}

std::string sentence_of(std::span<const std::string_view> names) {
    std::string list;
    for (const std::string_view name : names) {
        if (!list.empty()) list += name == names.back() ? " or " : ", ";
        list += name;
    }
    return list;
}

}  // namespace

std::string_view name_of(Dialect dialect) noexcept {
    return kDialectNames[static_cast<std::size_t>(dialect)];
}
std::string_view name_of(Moment moment) noexcept {
    return kMomentNames[static_cast<std::size_t>(moment)];
}
std::vector<std::string> dialect_names() { return texts_of(kDialectNames); }
std::vector<std::string> moment_names() { return texts_of(kMomentNames); }
std::string dialect_list() { return sentence_of(kDialectNames); }
std::string moment_list() { return sentence_of(kMomentNames); }
std::optional<Dialect> dialect_named(std::string_view name) noexcept {
    return find_name<Dialect>(kDialectNames, name);
}
std::optional<Moment> moment_named(std::string_view name) noexcept {
    return find_name<Moment>(kMomentNames, name);
}

std::span<const HookEvent> hook_events(Dialect dialect) noexcept {
    switch (dialect) {
        case Dialect::claude:
        case Dialect::codex:
            return kClaudeEvents;
        case Dialect::gemini:
            return kGeminiEvents;
        case Dialect::cursor:
            return kCursorEvents;
        case Dialect::vscode:
            return kVsCodeEvents;
        case Dialect::copilot:
            return kCopilotEvents;
        case Dialect::opencode:
            break;
    }
    return {};
}

std::string_view event_name(Dialect dialect, Moment moment) noexcept {
    const Moment begun = moment == Moment::wait ? Moment::stop : moment;
    for (const HookEvent& event : hook_events(dialect)) {
        if (event.moment == begun) return event.name;
    }
    return {};
}

std::string_view silence(Dialect dialect) noexcept {
    return dialect == Dialect::gemini || dialect == Dialect::cursor ? "{}" : "";
}

std::optional<std::string> speak(Dialect dialect, Moment moment, std::string_view text) {
    if (moment == Moment::wait || moment == Moment::end) return std::nullopt;
    const bool stop = moment == Moment::stop;
    switch (dialect) {
        case Dialect::claude:
        case Dialect::codex:
            return stop ? block(text) : added_context(dialect, moment, text);
        case Dialect::gemini:
            if (stop) return object({{"decision", "deny"}, {"reason", text}});
            return added_context(dialect, moment, text);
        case Dialect::cursor:
            return cursor_output(moment, text);
        case Dialect::vscode:
            if (moment == Moment::prompt) return std::nullopt;
            if (!stop) return added_context(dialect, moment, text);
            return specific_output(object({{"hookEventName", event_name(dialect, moment)},
                                           {"decision", "block"},
                                           {"reason", text}}));
        case Dialect::copilot:
            if (stop) return block(text);
            if (moment == Moment::tool) return object({{"additionalContext", text}});
            return std::nullopt;
        case Dialect::opencode:
            break;
    }
    return std::nullopt;
}

}  // namespace agentcom::hooks
