#include "agentcom/store/operation_codec.hpp"

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "store/operation_archive.hpp"

namespace agentcom::store {
namespace operation_codec {
namespace {

// Each type's fields are listed once, and an archive that writes or one that reads walks through
// them.

template <class Archive, class Value>
using Of = typename Archive::template Of<Value>;

template <class Archive>
void seq(Archive& a, Of<Archive, core::Seq>& value) {
    a.number(value.value);
}
template <class Archive>
void time(Archive& a, Of<Archive, core::Timestamp>& value) {
    a.signed_number(value.ms);
}
template <class Archive>
void time(Archive& a, Of<Archive, std::optional<core::Timestamp>>& value) {
    a.optional(value, [&](auto& given) { time(a, given); });
}
template <class Archive>
void digest(Archive& a, Of<Archive, std::optional<core::TokenDigest>>& value) {
    a.optional(value, [&](auto& given) { a.digest(given); });
}
template <class Archive>
void spans(Archive& a, Of<Archive, std::vector<ReadSpan>>& values) {
    a.list(values, [&](auto& span) {
        seq(a, span.after);
        seq(a, span.up_to);
    });
}

void duration(Writer& a, const core::Millis& value) { a.signed_number(value.count()); }
void duration(Reader& a, core::Millis& value) {
    std::int64_t ms = 0;
    a.signed_number(ms);
    value = core::Millis(ms);
}

void role(Writer& a, const core::Role& value) { a.byte(static_cast<std::uint8_t>(value)); }
void role(Reader& a, core::Role& value) {
    std::uint8_t read = 0;
    a.byte(read);
    if (read > static_cast<std::uint8_t>(core::Role::observer)) {
        throw UnknownOperation("an operation names a role that is not known");
    }
    value = static_cast<core::Role>(read);
}

void destination(Writer& a, const core::Destination& value) {
    a.byte(static_cast<std::uint8_t>(value.index()));
    if (const auto* agent = std::get_if<core::ToAgent>(&value)) {
        a.agent(agent->agent);
    } else if (const auto* channel = std::get_if<core::ToChannel>(&value)) {
        a.channel(channel->channel);
    } else {
        a.flag(std::get<core::ToEveryone>(value).spelled);
    }
}
void destination(Reader& a, core::Destination& value) {
    std::uint8_t kind = 0;
    a.byte(kind);
    if (kind == 0) {
        a.agent(value.emplace<core::ToAgent>(core::ToAgent{blank<core::AgentId>()}).agent);
    } else if (kind == 1) {
        a.flag(value.emplace<core::ToEveryone>().spelled);
    } else if (kind == 2) {
        core::ToChannel to{blank<core::ChannelName>()};
        a.channel(value.emplace<core::ToChannel>(std::move(to)).channel);
    } else {
        throw UnknownOperation("a message's destination is of a kind that is not known");
    }
}

template <class Archive>
void fields(Archive& a, Of<Archive, core::Draft>& draft) {
    a.agent(draft.from);
    destination(a, draft.to);
    a.text(draft.type);
    a.text(draft.payload.text);
    a.optional(draft.reply_to, [&](auto& text) { a.text(text); });
}
template <class Archive>
void key(Archive& a, Of<Archive, AppendMessage>& op) {
    a.optional(op.idempotency_key, [&](auto& text) {
        a.text(text);
        a.fixed(op.body_digest);
    });
}
template <class Archive>
void fields(Archive& a, Of<Archive, AppendMessage>& op) {
    fields(a, op.draft);
    key(a, op);
}
template <class Archive>
void fields(Archive& a, Of<Archive, AckMailbox>& op) {
    a.agent(op.agent);
    seq(a, op.up_to);
    spans(a, op.shown);
}
template <class Archive>
void fields(Archive& a, Of<Archive, MarkRead>& op) {
    a.agent(op.agent);
    seq(a, op.span.after);
    seq(a, op.span.up_to);
}
template <class Archive>
void fields(Archive& a, Of<Archive, MarkShown>& op) {
    a.agent(op.agent);
    spans(a, op.spans);
}
template <class Archive>
void fields(Archive& a, Of<Archive, CreateToken>& op) {
    a.agent(op.agent);
    a.digest(op.digest);
    a.text(op.prefix);
    role(a, op.role);
    a.text(op.name);
    time(a, op.expires_at);
}
template <class Archive>
void fields(Archive& a, Of<Archive, RevokeTokens>& op) {
    a.text(op.agent);
    a.text(op.prefix);
}
template <class Archive>
void fields(Archive& a, Of<Archive, RotateToken>& op) {
    a.agent(op.agent);
    a.digest(op.digest);
    a.text(op.prefix);
    time(a, op.now);
    time(a, op.old_until);
    a.optional(op.name, [&](auto& text) { a.text(text); });
    time(a, op.expires_at);
}
template <class Archive>
void fields(Archive& a, Of<Archive, NoteTokenUse>& op) {
    a.list(op.tokens, [&](auto& token) { a.digest(token); });
    a.small(op.day);
}
template <class Archive>
void fields(Archive& a, Of<Archive, DropExpiredTokens>& op) {
    time(a, op.before);
}
template <class Archive>
void fields(Archive& a, Of<Archive, EndAgent>& op) {
    a.text(op.agent);
}
template <class Archive>
void fields(Archive&, Of<Archive, RemoveEndedAgents>&) {}
template <class Archive>
void fields(Archive& a, Of<Archive, CreateChannel>& op) {
    a.channel(op.name);
    a.text(op.description);
    a.agent(op.created_by);
    a.flag(op.is_private);
    a.flag(op.members_publish);
    a.list(op.members, [&](auto& member) {
        a.agent(member.agent);
        a.byte(member.rights);
    });
    digest(a, op.token);
}
template <class Archive>
void fields(Archive& a, Of<Archive, SetMember>& op) {
    a.channel(op.channel);
    a.agent(op.by);
    a.flag(op.by_admin);
    a.agent(op.agent);
    a.byte(op.rights);
}
template <class Archive>
void fields(Archive& a, Of<Archive, DeleteChannel>& op) {
    a.channel(op.channel);
    a.agent(op.by);
    a.flag(op.by_admin);
}
template <class Archive>
void fields(Archive&, Of<Archive, RemoveDeletedChannels>&) {}
template <class Archive>
void fields(Archive& a, Of<Archive, ExpireChannels>& op) {
    a.text(op.after);
    time(a, op.idle_before);
}
template <class Archive>
void fields(Archive& a, Of<Archive, Subscribe>& op) {
    a.channel(op.channel);
    a.agent(op.agent);
    a.flag(op.reads_everything);
    digest(a, op.token);
}
template <class Archive>
void fields(Archive& a, Of<Archive, Unsubscribe>& op) {
    a.channel(op.channel);
    a.agent(op.agent);
}
template <class Archive>
void fields(Archive& a, Of<Archive, PutSetting>& op) {
    a.text(op.name);
    a.number(op.value);
}
template <class Archive>
void fields(Archive& a, Of<Archive, EvictMailboxes>& op) {
    time(a, op.older_than);
}
template <class Archive>
void fields(Archive& a, Of<Archive, Trim>& op) {
    auto& bounds = op.bounds;
    a.number(bounds.history_messages);
    duration(a, bounds.ttl);
    a.number(bounds.max_messages);
    duration(a, bounds.max_age);
    a.number(bounds.max_bytes);
    a.number(bounds.channel_history);
    duration(a, bounds.idempotency_window);
    a.flag(bounds.short_of_room);
}
template <class Archive>
void fields(Archive& a, Of<Archive, CreateWebSession>& op) {
    a.digest(op.digest);
    a.digest(op.token);
    time(a, op.expires_at);
}
template <class Archive>
void fields(Archive& a, Of<Archive, EndWebSession>& op) {
    a.digest(op.digest);
}
template <class Archive>
void fields(Archive& a, Of<Archive, BatchTime>& value) {
    time(a, value.shown);
    time(a, value.stored);
    time(a, value.wall);
    a.signed_number(value.elapsed_ms);
    a.fixed(value.boot);
}
template <class Archive>
void fields(Archive& a, Of<Archive, ApplyRules>& rules) {
    a.number(rules.quotas.max_unclaimed_mailboxes);
    a.number(rules.quotas.max_channels);
    a.number(rules.quotas.max_subscriptions_per_agent);
    a.number(rules.quotas.max_members_per_channel);
    a.number(rules.quotas.share_percent);
    a.number(rules.quotas.max_web_sessions_per_token);
    duration(a, rules.idempotency_window);
    a.number(rules.max_idempotency_keys);
    a.number(rules.channel_history);
}

/// An operation to be filled.
template <class Op>
Op blank_operation() {
    return Op{};
}
const core::AgentId& some_agent() {
    static const core::AgentId kAgent = blank<core::AgentId>();
    return kAgent;
}
const core::ChannelName& some_channel() {
    static const core::ChannelName kChannel = blank<core::ChannelName>();
    return kChannel;
}
template <>
AppendMessage blank_operation() {
    return {core::Draft{some_agent(), core::ToEveryone{}, {}, {}, std::nullopt}, std::nullopt};
}
template <>
AckMailbox blank_operation() {
    return {some_agent(), {}};
}
template <>
MarkRead blank_operation() {
    return {some_agent(), {}};
}
template <>
MarkShown blank_operation() {
    return {some_agent(), {}};
}
template <>
CreateToken blank_operation() {
    return {some_agent(), {}, {}};
}
template <>
RotateToken blank_operation() {
    return {some_agent(), {}, {}, {}, {}};
}
template <>
CreateChannel blank_operation() {
    return {some_channel(), {}, some_agent()};
}
template <>
SetMember blank_operation() {
    return {some_channel(), some_agent(), false, some_agent()};
}
template <>
DeleteChannel blank_operation() {
    return {some_channel(), some_agent()};
}
template <>
Subscribe blank_operation() {
    return {some_channel(), some_agent()};
}
template <>
Unsubscribe blank_operation() {
    return {some_channel(), some_agent()};
}

// An operation's kind is its place in WriteOp, to which new ones are added at the end.

using ReadOperation = WriteOp (*)(Reader&);

template <std::size_t... kKinds>
constexpr auto make_readers(std::index_sequence<kKinds...>) {
    return std::array<ReadOperation, sizeof...(kKinds)>{+[](Reader& a) -> WriteOp {
        using Op = std::variant_alternative_t<kKinds, WriteOp>;
        Op op = blank_operation<Op>();
        fields(a, op);
        return op;
    }...};
}
constexpr auto kReaders = make_readers(std::make_index_sequence<std::variant_size_v<WriteOp>>());

void put_kind(std::string& out, const WriteOp& op) {
    append_fixed(out, static_cast<std::uint8_t>(op.index()));
}

}  // namespace
}  // namespace operation_codec

using namespace operation_codec;

void BatchEncoder::begin(std::uint64_t origin, const BatchTime& time, const ApplyRules& rules,
                         core::Seq head) {
    bytes_.clear();
    count_ = 0;
    append_fixed(bytes_, kOperationCodecVersion);
    Writer a(bytes_);
    a.number(origin);
    fields(a, time);
    fields(a, rules);
    seq(a, head);
}

void BatchEncoder::add(const WriteOp& op) {
    put_kind(bytes_, op);
    Writer a(bytes_);
    std::visit([&](const auto& operation) { fields(a, operation); }, op);
    ++count_;
}

void BatchEncoder::add(const AppendMessage& op, const core::Draft& draft) {
    append_fixed(bytes_, std::uint8_t{0});
    Writer a(bytes_);
    fields(a, draft);
    key(a, op);
    ++count_;
}

OperationBatch decode_batch(std::string_view bytes) {
    static_assert(std::is_same_v<std::variant_alternative_t<0, WriteOp>, AppendMessage>);
    try {
        ByteReader in(bytes);
        Reader a(in);
        std::uint8_t version = 0;
        a.byte(version);
        if (version != kOperationCodecVersion) {
            throw UnknownOperation("operations are written in version " + std::to_string(version) +
                                   ", and this program knows version " +
                                   std::to_string(kOperationCodecVersion));
        }
        OperationBatch batch;
        a.number(batch.origin);
        fields(a, batch.time);
        fields(a, batch.rules);
        seq(a, batch.head);
        while (!in.empty()) {
            std::uint8_t kind = 0;
            a.byte(kind);
            if (kind >= kReaders.size()) {
                throw UnknownOperation("an operation is of kind " + std::to_string(kind) +
                                       ", which this program does not know");
            }
            batch.operations.push_back(kReaders[kind](a));
        }
        return batch;
    } catch (const DamagedStore& error) {
        throw UnknownOperation(std::string("an operation cannot be read: ") + error.what());
    }
}

}  // namespace agentcom::store
