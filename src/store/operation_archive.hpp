#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agentcom/store/operation_codec.hpp"
#include "store/bytes.hpp"
#include "store/rows.hpp"

/// How single values stand in an encoded operation. The two archives have the same members, so that
/// a type's fields are walked through by one function; `Of` makes what the writing one is given
/// constant. DO NOT CHANGE without another kOperationCodecVersion.
namespace agentcom::store::operation_codec {

/// Appends to a buffer.
class Writer {
public:
    template <class T>
    using Of = const T;

    explicit Writer(std::string& out) noexcept : out_(out) {}

    void number(const std::uint64_t& value) { append_varint(out_, value); }
    void small(const std::uint32_t& value) { append_varint(out_, value); }
    /// Small numbers of either sign are short.
    void signed_number(const std::int64_t& value) {
        append_varint(out_, (static_cast<std::uint64_t>(value) << 1U) ^
                                static_cast<std::uint64_t>(value >> 63));
    }
    void flag(const bool& value) { append_fixed(out_, static_cast<std::uint8_t>(value)); }
    void byte(const std::uint8_t& value) { append_fixed(out_, value); }
    void fixed(const std::uint64_t& value) { append_fixed(out_, value); }
    void text(const std::string& value) {
        append_varint(out_, value.size());
        out_.append(value);
    }
    void agent(const core::AgentId& value) { append_short_text(out_, value.str()); }
    void channel(const core::ChannelName& value) { append_short_text(out_, value.str()); }
    void digest(const core::TokenDigest& value) {
        out_.append(reinterpret_cast<const char*>(value.data()), value.size());
    }
    template <class Value, class Each>
    void optional(const std::optional<Value>& value, Each&& each) {
        flag(value.has_value());
        if (value) each(*value);
    }
    template <class Value, class Each>
    void list(const std::vector<Value>& values, Each&& each) {
        append_varint(out_, values.size());
        for (const Value& value : values) each(value);
    }

private:
    std::string& out_;
};

/// A value that a decoder then fills; names have none that is empty.
template <class Value>
Value blank() {
    return Value{};
}
template <>
inline core::AgentId blank() {
    return core::AgentId::parse("x").value();
}
template <>
inline core::ChannelName blank() {
    return core::ChannelName::parse("x").value();
}
template <>
inline ChannelMember blank() {
    return ChannelMember{blank<core::AgentId>(), 0};
}

/// Takes from bytes what a Writer has put there. Throws UnknownOperation and DamagedStore.
class Reader {
public:
    template <class T>
    using Of = T;

    explicit Reader(ByteReader& in) noexcept : in_(in) {}

    void number(std::uint64_t& value) { value = in_.varint(); }
    void small(std::uint32_t& value) {
        const std::uint64_t read = in_.varint();
        if (read > 0xffff'ffffU) throw UnknownOperation("a number of an operation is too large");
        value = static_cast<std::uint32_t>(read);
    }
    void signed_number(std::int64_t& value) {
        const std::uint64_t read = in_.varint();
        value = static_cast<std::int64_t>(read >> 1U) ^ -static_cast<std::int64_t>(read & 1U);
    }
    void flag(bool& value) {
        const auto read = in_.fixed<std::uint8_t>();
        if (read > 1) throw UnknownOperation("a flag of an operation is neither set nor clear");
        value = read == 1;
    }
    void byte(std::uint8_t& value) { value = in_.fixed<std::uint8_t>(); }
    void fixed(std::uint64_t& value) { value = in_.fixed<std::uint64_t>(); }
    void text(std::string& value) { value = in_.take(in_.varint()); }
    void agent(core::AgentId& value) { value = stored_agent_id(in_.short_text()); }
    void channel(core::ChannelName& value) { value = stored_channel_name(in_.short_text()); }
    void digest(core::TokenDigest& value) {
        const std::string_view bytes = in_.take(value.size());
        std::memcpy(value.data(), bytes.data(), bytes.size());
    }
    template <class Value, class Each>
    void optional(std::optional<Value>& value, Each&& each) {
        bool present = false;
        flag(present);
        if (present) each(value.emplace(blank<Value>()));
    }
    template <class Value, class Each>
    void list(std::vector<Value>& values, Each&& each) {
        for (std::uint64_t left = in_.varint(); left > 0; --left) {
            // Each takes a byte at least, so that a wrong count ends with the bytes.
            each(values.emplace_back(blank<Value>()));
        }
    }

private:
    ByteReader& in_;
};

}  // namespace agentcom::store::operation_codec
