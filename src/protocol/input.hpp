#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agentcom/core/message.hpp"
#include "agentcom/core/result.hpp"
#include "agentcom/protocol/codec.hpp"
#include "protocol/fields.hpp"

namespace agentcom::protocol {

/// A channel's name, and how it was spelled.
struct NamedChannel {
    core::ChannelName name;
    std::string text;
};

/// What an operation is decoded from: the members of a frame, or a path's argument with the members
/// of a body or the parameters of a query. The one reader of both transports, so that a field has
/// one rule; the transports differ in the code of a missing or wrong field and in how the type of a
/// message is called. Views what it was made from.
class Input {
public:
    explicit Input(const Fields& frame) : members_(frame) {}
    /// `in_query`: what is asked stands in the query; the body is not looked at.
    Input(const Fields& body, const HttpInput& http, bool in_query)
        : members_(body), http_(&http), in_query_(in_query) {}

    [[nodiscard]] bool over_http() const noexcept { return http_ != nullptr; }
    /// The path's argument; empty in a frame.
    [[nodiscard]] std::string argument() const;
    /// Where the hub was reached; empty in a frame.
    [[nodiscard]] std::string base_url() const;

    [[nodiscard]] const JsonValue* find(Key key) const noexcept { return members_.find(key); }
    [[nodiscard]] const JsonValue* find_non_null(Key key) const noexcept {
        return members_.find_non_null(key);
    }
    [[nodiscard]] core::Error missing(Key key) const;
    [[nodiscard]] core::Error wrong(Key key, std::string_view expected) const;

    /// Nothing when absent (or null).
    [[nodiscard]] core::result<std::optional<std::int64_t>> integer(const FieldSpec& spec) const;
    /// The spec's default when absent.
    [[nodiscard]] core::result<std::uint64_t> number(const FieldSpec& spec) const;
    [[nodiscard]] core::result<std::optional<std::string>> text(const FieldSpec& spec) const;
    [[nodiscard]] core::result<bool> flag(const FieldSpec& spec) const;
    [[nodiscard]] std::optional<core::JsonText> any(const FieldSpec& spec) const;

    /// `limit` and `cursor` of a list.
    [[nodiscard]] core::result<ListRange> list_range() const;

    /// A parameter of the query, also where the rest of what is asked stands in a body.
    [[nodiscard]] std::optional<std::string> parameter_text(Key key) const;

    [[nodiscard]] core::result<NamedChannel> channel() const;
    [[nodiscard]] core::result<std::string> message_type() const;
    [[nodiscard]] core::result<std::optional<std::string>> reply_to() const;
    [[nodiscard]] core::result<std::optional<std::string>> idempotency_key() const;
    /// Of the header of that name, which is empty before the first event.
    [[nodiscard]] core::result<std::optional<std::uint64_t>> last_event_id() const;
    [[nodiscard]] core::result<core::Destination> destination() const;
    /// Missing, null and false become {}.
    [[nodiscard]] core::JsonText payload() const;
    /// As `payload`, but it must be an object.
    [[nodiscard]] core::result<core::JsonText> channel_payload() const;

private:
    [[nodiscard]] core::result<std::optional<std::int64_t>> in_bounds(const FieldSpec& spec,
                                                                      std::int64_t value) const;
    [[nodiscard]] const std::string* parameter(Key key) const;
    [[nodiscard]] core::result<std::optional<std::int64_t>> query_integer(
        const FieldSpec& spec) const;

    const Fields& members_;
    const HttpInput* http_ = nullptr;
    bool in_query_ = false;
};

/// An operation's way from its fields to the request.
using Decoder = core::result<Request> (*)(const Input&);
[[nodiscard]] Decoder decoder_of(Operation operation) noexcept;
/// The operation whose frame has this type.
[[nodiscard]] std::optional<Operation> find_frame(std::string_view type) noexcept;

}  // namespace agentcom::protocol
