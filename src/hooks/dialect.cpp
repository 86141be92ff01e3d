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

}  // namespace

std::string_view name_of(Dialect dialect) noexcept {
    return kDialectNames[static_cast<std::size_t>(dialect)];
}
std::string_view name_of(Moment moment) noexcept {
    return kMomentNames[static_cast<std::size_t>(moment)];
}
std::vector<std::string> dialect_names() {
    std::vector<std::string> names;
    for (const Dialect dialect : kDialects) names.emplace_back(name_of(dialect));
    return names;
}
std::string dialect_list() {
    std::string list;
    for (const Dialect dialect : kDialects) {
        if (!list.empty()) list += dialect == kDialects.back() ? " or " : ", ";
        list += name_of(dialect);
    }
    return list;
}
std::optional<Dialect> dialect_named(std::string_view name) noexcept {
    return find_name<Dialect>(kDialectNames, name);
}
std::optional<Moment> moment_named(std::string_view name) noexcept {
    return find_name<Moment>(kMomentNames, name);
}

std::string_view event_name(Dialect dialect, Moment moment) noexcept {
    const bool gemini = dialect == Dialect::gemini;
    switch (moment) {
        case Moment::start:
            return "SessionStart";
        case Moment::prompt:
            return gemini ? "BeforeAgent" : "UserPromptSubmit";
        case Moment::tool:
            return gemini ? "AfterTool" : "PostToolUse";
        case Moment::end:
            return "SessionEnd";
        default:
            return gemini ? "AfterAgent" : "Stop";
    }
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
            return specific_output(
                object({{"hookEventName", "Stop"}, {"decision", "block"}, {"reason", text}}));
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
