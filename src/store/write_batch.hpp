#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "agentcom/store/operation_codec.hpp"
#include "agentcom/store/store.hpp"
#include "agentcom/store/write_ops.hpp"
#include "store/epochs.hpp"
#include "store/mailbox_view.hpp"
#include "store/message_log.hpp"
#include "store/postings.hpp"
#include "store/retention.hpp"
#include "store/rows.hpp"
#include "store/store_clock.hpp"
#include "store/transaction.hpp"

namespace agentcom::store {

/// The setting mailbox_ttl_ms as a duration that is safe to subtract from a time.
[[nodiscard]] core::Millis ttl_of(std::uint64_t setting);

/// Takes the cost of a step from what one call may do, in units of about a microsecond. False when
/// nothing was left before.
[[nodiscard]] inline bool spend(std::uint64_t& work, std::uint64_t cost) noexcept {
    if (work == 0) return false;
    work -= cost < work ? cost : work;
    return true;
}

/// Room in the map that a change of one row or setting is taken to need: a page.
inline constexpr std::uint64_t kRoomOfRow = 4'096;

/// An operation cannot be finished nor taken back alone.
class HalfDone : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Applies write operations to one transaction at a time. An operation checks everything before it
/// writes anything, so one that fails leaves no trace; an LmdbError ends the whole batch. Messages
/// and feed entries are gathered and written at the end, sorted; operations that must see them
/// write them earlier.
class WriteBatch {
public:
    WriteBatch(Environment& env, const StoreOptions& options, Epochs epochs, StateRow state,
               std::optional<std::uint64_t> stored_ttl, ReadNotes& notes);

    /// Between transactions.
    void set_quotas(const Quotas& quotas) noexcept { rules_.quotas = quotas; }
    void set_rules(const ApplyRules& rules) noexcept { rules_ = rules; }
    [[nodiscard]] const ApplyRules& rules() const noexcept { return rules_; }
    /// What is applied again has found its room before. What was measured stays as it was.
    void take_room_for_granted(bool granted = true) noexcept { has_room_ = granted; }
    /// Called when there is no room, before anybody is told: makes what room it can, and gives
    /// whether it made any.
    void on_no_room(std::function<bool()> make_room) { make_room_ = std::move(make_room); }
    /// Begins a transaction, or goes on in the one that is kept open; its messages are stored at
    /// this time.
    void begin(const StoreClock::Reading& now);
    /// An append's draft moves into its result. An operation that meets damage fails alone, with
    /// `internal`. Throws LmdbError, and HalfDone when one met damage after it had changed
    /// something: then the batch must be aborted and done again without it.
    [[nodiscard]] WriteResult apply(WriteOp& op);
    /// Everything that the transaction has to hold is in it; only `commit` may follow, or an end
    /// without one. Throws LmdbError.
    void complete();
    /// Throws LmdbError; then, as after `abort`, nothing has happened.
    void commit();
    /// In place of `commit`: the next batch goes into the same transaction. All but that is as
    /// after a commit, so that blocks are cut as they would be then.
    void keep_open() noexcept;
    [[nodiscard]] bool is_open() const noexcept { return txn_.has_value(); }
    /// Everything since the last commit is undone, also what was kept open.
    void abort() noexcept;
    /// Ends a transaction in which nothing has come of any operation.
    void drop() noexcept;

    /// Newest message of the present transaction, or of the last one.
    [[nodiscard]] core::Seq head() const noexcept { return state_.head; }
    /// As of the last batch that was committed or kept.
    [[nodiscard]] const StateRow& committed() const noexcept { return committed_; }
    [[nodiscard]] core::Millis ttl() const noexcept { return committed_ttl_; }
    /// What a batch of the present transaction needs to be applied again.
    [[nodiscard]] BatchTime batch_time() const noexcept {
        const ClockAnchor& clock = state_.clock;
        return {now_, stored_, clock.wall, clock.elapsed_ms, clock.boot};
    }
    /// When the operations of the present or last transaction count as applied.
    [[nodiscard]] core::Timestamp time() const noexcept { return now_; }
    /// Whether an operation of this batch was refused, or the next would be, for lack of room.
    [[nodiscard]] bool short_of_room() const noexcept { return short_of_room_; }
    /// Looks how much room there is, as every batch does when it begins.
    void measure_room();
    /// Bytes above the reserve.
    [[nodiscard]] std::uint64_t room() const noexcept {
        return room_ > reserve_ ? room_ - reserve_ : 0;
    }
    /// More than a little of that. A store that is full stays so until there is as much: while a
    /// large message is refused, a small one that still fits is no recovery.
    [[nodiscard]] std::uint64_t ample_room() const noexcept {
        constexpr std::uint64_t kAmple = std::uint64_t{1} << 20;
        return std::min(kAmple, reserve_ / 4);
    }
    [[nodiscard]] const PostingWriter& postings() const noexcept { return postings_; }

private:
    /// A message of the present transaction, which the log may not have yet.
    struct Recent {
        core::MessagePtr message;
        core::Seq root;  // its own when it answers nothing
    };
    using Texts = std::unordered_set<std::string, core::TextHash, core::TextEqual>;
    /// What publishing to a channel has to know of it.
    struct PublishedChannel {
        std::uint64_t seq = 0;  // newest given out
        bool is_private = false;
        bool members_publish = false;
    };
    using PublishedChannels =
        std::unordered_map<std::string, PublishedChannel, core::TextHash, core::TextEqual>;

    WriteResult run(AppendMessage& op);
    WriteResult run(const EndAgent& op);
    WriteResult run(const RemoveEndedAgents& op);
    WriteResult run(const AckMailbox& op);
    WriteResult run(const MarkRead& op);
    WriteResult run(const MarkShown& op);
    WriteResult run(const CreateToken& op);
    WriteResult run(const RevokeTokens& op);
    WriteResult run(const RotateToken& op);
    WriteResult run(const NoteTokenUse& op);
    WriteResult run(const DropExpiredTokens& op);
    WriteResult run(const CreateWebSession& op);
    WriteResult run(const EndWebSession& op);
    WriteResult run(const CreateChannel& op);
    WriteResult run(const SetMember& op);
    WriteResult run(const Subscribe& op);
    WriteResult run(const Unsubscribe& op);
    WriteResult run(const PutSetting& op);
    WriteResult run(const EvictMailboxes& op);
    WriteResult run(const Trim& op);
    WriteResult run(const DeleteChannel& op);
    WriteResult run(const RemoveDeletedChannels& op);
    WriteResult run(const ExpireChannels& op);

    [[nodiscard]] WriteTransaction& txn() { return *txn_; }
    void flush();
    void set_time(const StoreClock::Reading& now);
    /// What the batch has changed is what the next one begins with.
    void remember() noexcept;
    /// Grows whenever an operation changes something.
    [[nodiscard]] std::uint64_t changes() const noexcept;

    // Appending.
    [[nodiscard]] std::optional<core::Error> refuse(const AppendMessage& op);
    [[nodiscard]] std::optional<IdempotencyRow> find_key(std::string_view agent,
                                                         std::string_view key);
    [[nodiscard]] WriteResult duplicate_of(const IdempotencyRow& row, AppendMessage& op);
    [[nodiscard]] std::optional<core::Error> reach_recipient(const core::AgentId& sender,
                                                             const core::AgentId& agent);
    [[nodiscard]] core::Seq root_of(const std::optional<std::string>& reply_to);
    void index(const core::Message& message, core::Seq root);
    /// Puts the message, whose draft was taken from `draft`, among those of the transaction. When
    /// that throws, the draft is where it was.
    [[nodiscard]] core::MessagePtr keep_recent(core::Message&& message, core::Seq root,
                                               core::Draft& draft);
    [[nodiscard]] PublishedChannel* published_channel(std::string_view channel);
    [[nodiscard]] std::optional<core::Error> refuse_publication(const core::AgentId& sender,
                                                                std::string_view channel);
    [[nodiscard]] bool take_room(std::uint64_t bytes);

    // Agents.
    [[nodiscard]] std::optional<AgentRow> find_agent(std::string_view agent);
    void put_agent(std::string_view agent, const AgentRow& row);
    /// One that has nothing of an earlier agent of its name.
    [[nodiscard]] AgentRow new_agent() const;
    /// The row, made as an unclaimed mailbox when the agent is known by its subscriptions alone.
    /// None for one that has nothing to read: it was ended while it was connected, and its last
    /// words must not bring it back.
    [[nodiscard]] std::optional<AgentRow> reading_agent(std::string_view agent);
    [[nodiscard]] CopiesRow copies_of(std::string_view agent);
    /// What the acknowledgement may cover, as far as that is known.
    [[nodiscard]] Spans shown_up_to(const AckMailbox& op, const AgentRow& row, core::Seq wanted);
    void drop_copies(std::string_view agent, const AgentRow& row);
    void keep_copies(std::string_view agent, const UnreadOfChannel& unread);
    [[nodiscard]] ReadingBounds reading_bounds() const noexcept {
        return {.first_of_log = state_.first, .committed = committed_.head};
    }
    void remember_known(std::string_view agent);
    void forget_known(std::string_view agent);

    // Tokens (write_tokens.cpp).
    void put_token(std::string_view digest, const TokenRecord& token);
    /// One of an agent's. Of a damaged one there is no record.
    struct HeldToken {
        std::string digest;
        std::optional<TokenRecord> record;
    };
    void erase_token(std::string_view agent, std::string_view digest,
                     std::optional<core::Timestamp> expires_at);
    /// And whatever was begun with it.
    void erase_token(std::string_view agent, const HeldToken& token);
    [[nodiscard]] std::optional<TokenRecord> find_token(std::string_view digest);
    /// As `find_token`; one that is damaged is as if it were not there.
    [[nodiscard]] std::optional<TokenRecord> find_token_or_none(std::string_view digest);
    [[nodiscard]] std::vector<HeldToken> tokens_of(std::string_view agent);
    /// Whether the token, if there is one, is still there.
    [[nodiscard]] bool stands(const std::optional<core::TokenDigest>& token);
    /// From now on somebody holds a token for the agent.
    void claim(const core::AgentId& agent);

    // Sessions in browsers (write_web_sessions.cpp).
    [[nodiscard]] std::optional<WebSessionRecord> find_web_session_or_none(std::string_view digest);
    void erase_web_session(std::string_view digest, const std::optional<WebSessionRecord>& session);
    /// Leaves at most `most` sessions of the token, the newest.
    void end_web_sessions(std::string_view token, std::size_t most);
    [[nodiscard]] Trimmed drop_expired_web_sessions(core::Timestamp before);

    // Ended agents (write_endings.cpp). Each takes what it does from `work`; false when that did
    // not suffice.
    [[nodiscard]] bool is_ending(std::string_view agent);
    [[nodiscard]] bool remove_ended(std::uint64_t& work);
    [[nodiscard]] bool end_subscriptions(std::string_view agent, std::uint64_t& work);
    [[nodiscard]] bool end_memberships(std::string_view agent, std::uint64_t& work);
    [[nodiscard]] bool forget_keys(std::string_view agent, std::uint64_t& work);

    // Quotas.
    /// What one agent may take of a hub-wide quota.
    [[nodiscard]] std::uint64_t share_of(std::uint64_t quota) const noexcept;
    [[nodiscard]] UsageRow usage_of(std::string_view agent);
    void put_usage(std::string_view agent, const UsageRow& usage);
    /// Whether what was made under the name when `made` was the newest message is the present
    /// agent's.
    [[nodiscard]] bool counts_against(std::string_view agent, core::Seq made);
    /// What was made when `made` was the newest message is gone: whoever made it, if it is there
    /// still, gets its place in the quota back.
    void give_back(std::string_view maker, core::Seq made, std::uint64_t UsageRow::*quota);
    /// One mailbox is claimed or forgotten.
    void give_back_mailbox(const AgentRow& row);
    [[nodiscard]] bool forget_empty_mailboxes();
    void forget_if_empty(const std::string& agent, core::Seq floor);

    // Channels.
    [[nodiscard]] std::optional<ChannelRow> find_channel(const core::ChannelName& name);
    /// As `find_channel`, by a stored key; one that is damaged is as if it were not there.
    [[nodiscard]] std::optional<ChannelRow> find_channel_or_none(std::string_view name);
    void put_channel(const ChannelRow& channel);
    /// Whether this agent, by its own rights, may change and delete the channel.
    [[nodiscard]] bool may_manage(const ChannelRow& channel, const core::AgentId& agent);
    void put_member(ChannelRow& channel, const core::AgentId& agent, MemberRights rights);
    void leave(const core::ChannelName& channel, std::string_view agent, core::Seq subscribed);
    /// What the channel tells of its subscribers when one has gone.
    void lose_subscriber(ChannelRow& channel) const;
    /// Ends a subscription and keeps nothing of it.
    void drop_subscription(std::string_view channel, std::string_view agent);
    void begin_removal(const ChannelRow& channel);
    /// Each takes what it does from `work`; false when that did not suffice.
    [[nodiscard]] bool remove_deleted(std::uint64_t& work);
    [[nodiscard]] bool remove_subscribers(const core::ChannelName& name, std::uint64_t& work);
    [[nodiscard]] bool remove_members(const core::ChannelName& name, std::uint64_t& work);
    [[nodiscard]] bool remove_postings(const core::ChannelName& name, std::uint64_t& work);
    [[nodiscard]] bool is_idle(ChannelRow& channel, core::Timestamp before);

    Environment& env_;
    const std::uint64_t enough_room_;
    ApplyRules rules_;
    bool has_room_ = false;
    std::function<bool()> make_room_;
    const Epochs epochs_;
    ReadNotes& notes_;
    StateRow committed_;
    core::Millis committed_ttl_;

    // As of the last commit, while a transaction is open.
    StateRow state_before_;
    core::Millis ttl_before_{0};

    // Of the present transaction.
    std::optional<WriteTransaction> txn_;
    StateRow state_;
    core::Millis ttl_;
    core::Timestamp now_;     // that messages show
    core::Timestamp stored_;  // by the store's own time
    std::uint64_t room_ = 0;
    std::uint64_t reserve_ = 0;  // bytes that only operations which free room may use
    bool short_of_room_ = false;
    core::Seq first_recent_;
    std::vector<Recent> recent_;
    Texts published_;  // channels
    LogWriter log_;
    PostingWriter postings_;
    std::string row_;  // scratch

    // True as long as no transaction is aborted; bounded, and emptied when full.
    Texts known_agents_;
    PublishedChannels published_channels_;
};

}  // namespace agentcom::store
