#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What coding agents ("clients") expect of the programs that they run, or the hubs that they ask,
/// at certain moments of a session ("hooks"). Pure functions, no state.
namespace agentcom::hooks {

/// Whose input is read and whose output is written.
enum class Dialect { claude, codex, gemini, cursor, vscode, copilot, opencode };

/// The moments of a session at which a hook runs. `wait` is our own: a process that lives beside
/// the session until there is mail.
enum class Moment { start, prompt, tool, stop, wait, end };

inline constexpr std::array kDialects = {Dialect::claude,  Dialect::codex,  Dialect::gemini,
                                         Dialect::cursor,  Dialect::vscode, Dialect::copilot,
                                         Dialect::opencode};
inline constexpr std::array kMoments = {Moment::start, Moment::prompt, Moment::tool,
                                        Moment::stop,  Moment::wait,   Moment::end};

/// The words of the command line: "claude"; "session-start", "prompt", "tool", "stop", "wait",
/// "end".
[[nodiscard]] std::string_view name_of(Dialect dialect) noexcept;
[[nodiscard]] std::string_view name_of(Moment moment) noexcept;
/// Those of all, for parsers, and in a sentence: "claude, codex, ... or opencode".
[[nodiscard]] std::vector<std::string> dialect_names();
[[nodiscard]] std::vector<std::string> moment_names();
[[nodiscard]] std::string dialect_list();
[[nodiscard]] std::string moment_list();
[[nodiscard]] std::optional<Dialect> dialect_named(std::string_view name) noexcept;
[[nodiscard]] std::optional<Moment> moment_named(std::string_view name) noexcept;

/// A moment at which a client runs hooks, and its own name of it.
struct HookEvent {
    Moment moment;
    std::string_view name;
};
/// Those to which our hooks are put, in the order of a session; none for OpenCode, which has a
/// plugin instead.
[[nodiscard]] std::span<const HookEvent> hook_events(Dialect dialect) noexcept;
/// The client's own name of the moment, which inputs give and outputs repeat. A waiter begins with
/// the end of a turn. Empty when no hook of ours runs at this moment.
[[nodiscard]] std::string_view event_name(Dialect dialect, Moment moment) noexcept;

/// What is answered when there is nothing to say: nothing, or an empty object for those
/// that insist on JSON.
[[nodiscard]] std::string_view silence(Dialect dialect) noexcept;

/// The output that puts the text before the model, or at the end of a turn makes it go on. Nothing
/// when this client takes nothing from a hook at this moment; `wait` has no output in any dialect.
[[nodiscard]] std::optional<std::string> speak(Dialect dialect, Moment moment,
                                               std::string_view text);

}  // namespace agentcom::hooks
