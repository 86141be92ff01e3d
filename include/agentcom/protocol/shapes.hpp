#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

/// The shapes of what the hub answers and pushes, each stated once: descriptions, and the tables of
/// docs/protocol.md, are made of them, and a test compares them with what a hub answers. Constant,
/// so any thread may read them.
namespace agentcom::protocol {

struct Structure;

enum class ValueKind : std::uint8_t {
    text,
    integer,
    number,
    flag,
    any,       // any JSON value
    object,    // any JSON object
    time,      // Unix milliseconds
    date,      // "2026-01-31"
    constant,  // the text `words`
    choice,    // one of `words`, which blanks separate
    truth,     // true: otherwise the member is left out
    texts,     // a list of texts
    structure,
    list,  // of structures
};

struct Member {
    std::string_view name;
    ValueKind kind = ValueKind::text;
    std::string_view about{};
    bool optional = false;  // may be left out
    bool nullable = false;
    std::string_view words{};
    const Structure* of = nullptr;  // of `structure` and `list`
};

/// A JSON object.
struct Structure {
    std::string_view name;  // unique
    std::string_view about;
    std::span<const Member> members;
};

/// A frame that the hub sends: `type`, these members, and the `ref` of what it answers.
struct FrameShape {
    std::string_view type;
    const Structure* body;
    std::string_view when{};  // of what is pushed
};

/// What the hub sends unasked; the last is `error`.
[[nodiscard]] std::span<const FrameShape> pushed_frames() noexcept;

/// What an event of a stream holds, besides `message`, whose data are a pushed frame.
struct EventShape {
    std::string_view event;
    const Structure* data;
    std::string_view when;
};
[[nodiscard]] std::span<const EventShape> stream_events() noexcept;
/// The same of a stream for observers, which has no messages.
[[nodiscard]] std::span<const EventShape> observer_events() noexcept;

/// The body of every error over HTTP.
[[nodiscard]] const Structure& error_shape() noexcept;

struct CloseInfo {
    std::uint16_t code;
    std::string_view reason;  // what the close frame says
    std::string_view when;
    std::string_view remedy;
};
[[nodiscard]] std::span<const CloseInfo> close_catalogue() noexcept;

}  // namespace agentcom::protocol
