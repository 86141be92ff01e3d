#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "agentcom/store/store.hpp"

namespace agentcom::store {

/// Write operations of every kind, one after the other, for a few agents and channels, so that most
/// of them meet what earlier ones have made, and some are refused.
class RandomOperations {
public:
    /// `trims`: whether Trim is among them. What it may take it takes by blocks of the log, which
    /// are others when batches are gathered in another way.
    explicit RandomOperations(std::uint64_t seed, bool trims = true)
        : engine_(seed), trims_(trims) {}

    std::uint64_t next() { return engine_(); }
    std::uint64_t below(std::uint64_t n) { return engine_() % n; }
    bool one_in(std::uint64_t n) { return below(n) == 0; }

    /// What of earlier operations later ones may refer to.
    void note(const WriteResult& result) {
        if (!result) return;
        if (const auto* appended = std::get_if<Appended>(&*result)) {
            head_ = std::max(head_, appended->message->seq.value);
            ids_.push_back(appended->message->id.str());
        }
    }
    void set_now(core::Timestamp now) { now_ = now; }

    WriteOp operation() {
        switch (below(40)) {
            case 0:
                return CreateToken{one_in(3) ? core::AgentId::parse(kMortal).value() : agent(),
                                   digest(),
                                   "01234567",
                                   static_cast<core::Role>(below(3)),
                                   some("laptop"),
                                   expiry()};
            case 1:
                return RevokeTokens{agent().str(), one_in(2) ? "" : "01234567"};
            case 2:
                return RotateToken{
                    agent(),
                    digest(),
                    "89abcdef",
                    now_,
                    core::Timestamp{now_.ms + static_cast<std::int64_t>(below(2) * 60'000)},
                    one_in(2) ? std::optional<std::string>("new") : std::nullopt,
                    expiry()};
            case 3:
                return NoteTokenUse{{known_digest(), known_digest()},
                                    static_cast<std::uint32_t>(20'000 + below(3))};
            case 4:
                if (one_in(3)) return DropExpiredTokens{now_};
                if (one_in(3)) return EndWebSession{known_digest()};
                return CreateWebSession{
                    digest(), known_digest(),
                    core::Timestamp{now_.ms + static_cast<std::int64_t>(below(200'000))}};
            case 5:
                if (!one_in(3)) return MarkRead{agent(), span()};
                return EndAgent{kMortal};
            case 6:
                return RemoveEndedAgents{};
            case 7:
            case 8: {
                CreateChannel op{channel(), some("about it"), agent(), one_in(4), one_in(4)};
                for (std::uint64_t n = below(3); n > 0; --n) {
                    op.members.push_back({agent(), static_cast<MemberRights>(1 + below(7))});
                }
                if (one_in(4)) op.token = known_digest();
                return op;
            }
            case 9:
                return SetMember{channel(), agent(), one_in(2), agent(),
                                 static_cast<MemberRights>(below(8))};
            case 10:
                if (!one_in(2)) return ExpireChannels{"", core::Timestamp{now_.ms - 30'000}};
                return DeleteChannel{channel(), agent(), true};
            case 11:
                return RemoveDeletedChannels{};
            case 12:
            case 13:
                return Subscribe{channel(), agent(), one_in(2),
                                 one_in(5) ? std::optional(known_digest()) : std::nullopt};
            case 14:
                return Unsubscribe{channel(), agent()};
            case 15:
                if (one_in(2)) return PutSetting{"mailbox_ttl_ms", 60'000 + below(600'000)};
                return PutSetting{"heartbeat_interval_ms", below(60'000)};
            case 16:
                return EvictMailboxes{core::Timestamp{now_.ms - 120'000}};
            case 17:
                if (!trims_) return message();
                return Trim{};
            case 18:
            case 19:
                return MarkShown{agent(), {span(), span()}};
            case 20:
                return MarkRead{agent(), span()};
            case 21:
            case 22: {
                AckMailbox op{agent(), core::Seq{below(head_ + 2)}};
                if (!one_in(3)) op.shown.push_back({core::Seq{0}, core::Seq{head_}});
                return op;
            }
            default:
                return message();
        }
    }

    /// What the others take for granted: who makes channels has a token.
    std::vector<WriteOp> beginning() {
        std::vector<WriteOp> all;
        for (const char* name : kAgents) {
            all.emplace_back(CreateToken{core::AgentId::parse(name).value(), digest(), "01234567"});
        }
        return all;
    }

private:
    static constexpr std::array kAgents{"alice", "bob", "carol", "dave", "eve-1", "f"};
    /// One that is ended again and again.
    static constexpr const char* kMortal = "mortal";

    core::AgentId agent() { return core::AgentId::parse(kAgents[below(kAgents.size())]).value(); }
    core::ChannelName channel() {
        constexpr std::array kNames{"ops", "dev", "all", "quiet"};
        return core::ChannelName::parse(kNames[below(kNames.size())]).value();
    }
    std::string some(const char* text) { return one_in(2) ? text : ""; }
    std::optional<core::Timestamp> expiry() {
        if (one_in(2)) return std::nullopt;
        return core::Timestamp{now_.ms + static_cast<std::int64_t>(below(200'000))};
    }
    core::TokenDigest digest() {
        core::TokenDigest out{};
        for (auto& byte : out) byte = static_cast<std::uint8_t>(next());
        digests_.push_back(out);
        return out;
    }
    core::TokenDigest known_digest() {
        return digests_.empty() ? digest() : digests_[below(digests_.size())];
    }
    ReadSpan span() {
        const std::uint64_t after = below(head_ + 1);
        return {core::Seq{after}, core::Seq{after + below(head_ + 1 - after)}};
    }
    WriteOp message() {
        core::Destination to = core::ToEveryone{one_in(2)};
        if (const std::uint64_t way = below(5); way < 2) {
            to = core::ToAgent{
                one_in(12) ? core::AgentId::parse(one_in(4) ? std::string(kMortal)
                                                            : "new-" + std::to_string(below(30)))
                                 .value()
                           : agent()};
        } else if (way < 4) {
            to = core::ToChannel{channel()};
        }
        const std::size_t size = one_in(40) ? 30'000 : below(400);
        AppendMessage op{
            core::Draft{agent(), std::move(to), one_in(3) ? "" : "chat",
                        core::JsonText{'"' + std::string(size, 'x') + '"'}, std::nullopt},
            std::nullopt};
        if (!ids_.empty() && one_in(3)) {
            op.draft.reply_to =
                one_in(5) ? "no id"
                          : ids_[ids_.size() - 1 - below(std::min<std::size_t>(ids_.size(), 30))];
        }
        if (one_in(4)) op.idempotency_key = "key-" + std::to_string(below(200));
        return op;
    }

    std::mt19937_64 engine_;
    bool trims_;
    std::uint64_t head_ = 0;
    core::Timestamp now_;
    std::vector<std::string> ids_;
    std::vector<core::TokenDigest> digests_;
};

}  // namespace agentcom::store
