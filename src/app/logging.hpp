#pragma once

#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "app/config.hpp"

namespace spdlog::details {
class thread_pool;
}

namespace agentcom::app {

/// While it lives, spdlog's default logger writes to standard error (or `descriptor`, which stays
/// the caller's), one line an entry: "text" for people, "json" as one object with time, level,
/// message and the line's fields (core/log_fields.hpp). Where the descriptor is the journal, it has
/// the time and the level by itself: lines begin with their priority instead, as "<6>".
///
/// Who logs never waits: lines go through a bounded queue to a thread of their own. When that is
/// full, since nobody reads standard error, the oldest give way, and once it is read again a line
/// tells how many. One at a time; make it before other threads start and after signals are blocked,
/// which its thread inherits; destroy it when no other thread logs any more.
class Logging {
public:
    Logging(LogLevel level, LogFormat format, int descriptor = STDERR_FILENO);
    /// Writes what waits, for a second at most; the rest is lost.
    ~Logging();
    Logging(const Logging&) = delete;
    Logging& operator=(const Logging&) = delete;

    /// From now on the least important lines are of this level. Any thread.
    static void set_level(LogLevel level);
    /// A line for whoever waits for it, whatever the level. One thread at a time.
    static void announce(LogLevel as, std::string_view line);
    /// Lines lost so far. Any thread.
    [[nodiscard]] std::uint64_t dropped() const;

private:
    class Sink;
    std::shared_ptr<Sink> sink_;
    std::shared_ptr<spdlog::details::thread_pool> pool_;
};

/// Until a Logging is made: what a command logs goes to standard error as its sentences do, since
/// standard output is what the command was asked for.
void log_as_command();

/// Whether the descriptor leads to the journal, as systemd's variable JOURNAL_STREAM
/// ("device:inode"; may be null) tells.
[[nodiscard]] bool is_journal(int descriptor, const char* journal_stream) noexcept;

/// Quotes, backslashes, control characters and what deceives the eye (core/utf8.hpp) escaped as in
/// JSON, and U+FFFD for bytes that are no UTF-8, so that whatever a peer sent stays within its
/// line, and the line is JSON.
void append_escaped(std::string& out, std::string_view text);

}  // namespace agentcom::app
