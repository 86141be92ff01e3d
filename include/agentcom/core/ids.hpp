#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "agentcom/core/result.hpp"

namespace agentcom::core {

/// Longest agent id and channel name, in bytes. An id is part of store keys, which LMDB limits to
/// 511 bytes, so these limits are also what keeps every key valid.
inline constexpr std::size_t kMaxAgentIdBytes = 128;
inline constexpr std::size_t kMaxChannelNameBytes = 64;
/// Longest free-text reference to another message (`reply_to`); our own ids have 16 characters.
inline constexpr std::size_t kMaxReplyToBytes = 128;
/// Longest type of a message ("chat", "request", ...), which is free text otherwise.
inline constexpr std::size_t kMaxMessageTypeBytes = 128;

/// The name of an agent. A value that exists is valid and at most kMaxAgentIdBytes long.
class AgentId {
public:
    /// The grammar of new ids: 1-128 characters of `A-Z a-z 0-9 . _ - : @`; "broadcast" is
    /// reserved.
    [[nodiscard]] static result<AgentId> parse(std::string_view text);
    /// What an administrator may still issue a token for, because sites that move from the original
    /// hub have such names: 1-128 bytes of valid UTF-8 without control characters, not "broadcast".
    [[nodiscard]] static result<AgentId> parse_issued(std::string_view text);
    /// Whether the id fits the grammar of `parse`. Only such ids may be written to before anybody
    /// holds a token for them.
    [[nodiscard]] bool is_plain() const noexcept;

    [[nodiscard]] const std::string& str() const noexcept { return text_; }
    auto operator<=>(const AgentId&) const = default;

private:
    explicit AgentId(std::string_view text) : text_(text) {}
    std::string text_;
};

/// A channel's normalised name: leading '#'s dropped, lower case, only `a-z 0-9 - _`, 1-64 long.
class ChannelName {
public:
    /// Normalises; error invalid_channel_name when nothing, or too much, remains.
    [[nodiscard]] static result<ChannelName> parse(std::string_view text);
    [[nodiscard]] const std::string& str() const noexcept { return text_; }
    auto operator<=>(const ChannelName&) const = default;

private:
    explicit ChannelName(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

/// Hash and equality that accept the type itself, std::string and std::string_view alike.
struct TextHash {
    using is_transparent = void;
    // Not noexcept, though nothing throws: libstdc++ keeps the hash beside the key only then
    // (__cache_default in bits/hashtable.h). Without it a look-up hashes each key on its way anew.
    std::size_t operator()(std::string_view text) const {
        return std::hash<std::string_view>{}(text);
    }
    std::size_t operator()(const AgentId& id) const { return (*this)(std::string_view(id.str())); }
    std::size_t operator()(const ChannelName& name) const {
        return (*this)(std::string_view(name.str()));
    }
};
struct TextEqual {
    using is_transparent = void;
    static std::string_view view(std::string_view text) noexcept { return text; }
    static std::string_view view(const AgentId& id) noexcept { return id.str(); }
    static std::string_view view(const ChannelName& name) noexcept { return name.str(); }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const noexcept {
        return view(a) == view(b);
    }
};

}  // namespace agentcom::core
