#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "agentcom/core/ids.hpp"
#include "agentcom/core/message.hpp"
#include "agentcom/core/result.hpp"
#include "agentcom/core/time.hpp"
#include "agentcom/core/token.hpp"
#include "agentcom/store/records.hpp"

/// Write operations: data, applied in the order of submission by the commit thread, all that has
/// gathered in one synced transaction. An operation that fails (channel_not_found, ...) fails
/// alone.
namespace agentcom::store {

/// Appends to the log and to the feeds that follow from the destination. Errors: channel_not_found,
/// unknown_recipient_limit, idempotency_conflict, storage_full, storage_failed.
/// With a key, the first append of (sender, key) within the idempotency window wins and later ones
/// return its result with `duplicate` set and write nothing; with another destination, type,
/// payload or reply_to they fail with idempotency_conflict.
struct AppendMessage {
    core::Draft draft;
    std::optional<std::string> idempotency_key;
    std::uint64_t body_digest = 0;  // filled by Store::submit when there is a key
    bool operator==(const AppendMessage&) const = default;
};
struct Appended {
    /// The stored message; for a duplicate the one stored first (only seq, id, channel_seq and
    /// timestamp are filled when its body has been trimmed since).
    core::MessagePtr message;
    bool duplicate = false;
};

/// Acknowledges what was shown to the agent up to and including `up_to`: `shown` (empty spans only
/// say where one begins) and what is stored of it. The number of an unread message of the mailbox
/// that lies in none of those must have been shown by an earlier run of the hub, and so must all
/// before it, back to the nearest of them. What was not shown stays unread.
struct AckMailbox {
    core::AgentId agent;
    core::Seq up_to;
    std::vector<ReadSpan> shown{};
    bool operator==(const AckMailbox&) const = default;
};
struct CursorMoved {
    core::Seq cursor;  // where it stands now
};

/// Records that the span was read over a live connection without acks. Spans of one agent are
/// merged; `after` equal to that of the newest stored span extends it. It counts as shown, too.
struct MarkRead {
    core::AgentId agent;
    ReadSpan span;
    bool operator==(const MarkRead&) const = default;
};
/// Records that all of these stretches was shown to the agent, for acknowledgements after a
/// restart.
struct MarkShown {
    core::AgentId agent;
    std::vector<ReadSpan> spans;
    bool operator==(const MarkShown&) const = default;
};

struct CreateToken {
    core::AgentId agent;
    core::TokenDigest digest{};
    std::string prefix;
    core::Role role = core::Role::agent;
    std::string name{};  // at most core::kMaxTokenNameBytes
    std::optional<core::Timestamp> expires_at{};
    bool operator==(const CreateToken&) const = default;
};
/// All of an agent's tokens, or those that begin with these digits.
struct RevokeTokens {
    std::string agent;
    std::string prefix{};  // empty: all
    bool operator==(const RevokeTokens&) const = default;
};
struct TokensRevoked {
    std::uint64_t count = 0;
};
/// Makes a token with the role, the name and the lifetime of the agent's newest one, unless others
/// are given, and lets all that it has expire at `old_until` at the latest. Error not_found when
/// the agent has no token.
struct RotateToken {
    core::AgentId agent;
    core::TokenDigest digest{};
    std::string prefix;
    core::Timestamp now;        // by the clock that tokens expire by
    core::Timestamp old_until;  // not later than `now`: the old ones are revoked
    std::optional<std::string> name{};
    std::optional<core::Timestamp> expires_at{};
    bool operator==(const RotateToken&) const = default;
};
struct TokenRotated {
    core::Role role = core::Role::agent;
    std::string name;
    std::optional<core::Timestamp> expires_at;
};
/// Notes that these tokens were used on this day, as TokenRecord counts days.
struct NoteTokenUse {
    std::vector<core::TokenDigest> tokens;
    std::uint32_t day = 0;
    bool operator==(const NoteTokenUse&) const = default;
};
/// Removes tokens and sessions in browsers that expired before that time, the oldest first and a
/// bounded number; `Trimmed` says how many, and whether there are more.
struct DropExpiredTokens {
    core::Timestamp before;
    bool operator==(const DropExpiredTokens&) const = default;
};

/// Begins a session in a browser, known by this digest, for whoever holds the token. When the token
/// has as many as it may (Quotas::max_web_sessions_per_token), its oldest end. Errors unauthorized
/// when the token has gone, storage_full.
struct CreateWebSession {
    core::TokenDigest digest{};
    core::TokenDigest token{};
    core::Timestamp expires_at;  // by the clock that tokens expire by
    bool operator==(const CreateWebSession&) const = default;
};
/// Not being there is no error.
struct EndWebSession {
    core::TokenDigest digest{};
    bool operator==(const EndWebSession&) const = default;
};

/// Ends an agent: its tokens, its mailbox, its subscriptions, its memberships. An agent that gets
/// its name later has nothing of it. The first two are gone with this commit, the others a bounded
/// piece at a time, until which the name cannot have a token (agent_ending). Error not_found when
/// nothing is known of it.
struct EndAgent {
    std::string agent;
    bool operator==(const EndAgent&) const = default;
};
/// A bounded piece of what ended agents have left behind.
struct RemoveEndedAgents {
    bool operator==(const RemoveEndedAgents&) const = default;
};
struct AgentEnded {
    bool more = false;  // RemoveEndedAgents would find more to do
};

/// Whoever makes it is a member with all rights. Errors channel_exists (also while one of this name
/// is being deleted), channel_limit, member_limit.
struct CreateChannel {
    core::ChannelName name;
    std::string description;
    core::AgentId created_by;
    bool is_private = false;
    bool members_publish = false;
    std::vector<ChannelMember> members{};
    /// By which it is asked for: refused (unauthorized) when it has gone meanwhile.
    std::optional<core::TokenDigest> token{};
    bool operator==(const CreateChannel&) const = default;
};
/// Gives a member these rights instead of those it had; none: it is no member any more. A
/// subscription that it may not have then ends, and leaves nothing in the mailbox. Errors
/// channel_not_found (also to whom the channel is invisible), forbidden unless `by` may manage the
/// channel or is an administrator, member_limit.
struct SetMember {
    core::ChannelName channel;
    core::AgentId by;
    bool by_admin = false;
    core::AgentId agent;
    MemberRights rights = 0;
    bool operator==(const SetMember&) const = default;
};
struct MemberSet {
    bool unsubscribed = false;
};
/// Errors channel_not_found; forbidden unless `by` may manage the channel or is an administrator.
/// From then on the channel does not exist for anybody. Its subscribers keep what they had not
/// read; that and the removal of its lists go on in bounded pieces, until which the name is not
/// free.
struct DeleteChannel {
    core::ChannelName channel;
    core::AgentId by;
    bool by_admin = false;
    bool operator==(const DeleteChannel&) const = default;
};
struct ChannelDeleted {
    bool more = false;  // RemoveDeletedChannels would find more to do
};
/// A bounded piece of what deleted channels have left behind.
struct RemoveDeletedChannels {
    bool operator==(const RemoveDeletedChannels&) const = default;
};
struct ChannelsRemoved {
    bool more = false;
};
/// Deletes channels that have no subscriber and have had no message since `idle_before`, by the
/// store's own time. Looks at a
/// bounded number of channels whose names come after `after`.
struct ExpireChannels {
    std::string after;
    core::Timestamp idle_before;
    bool operator==(const ExpireChannels&) const = default;
};
struct ChannelsExpired {
    std::uint64_t count = 0;
    std::optional<std::string> next;  // where to go on; nothing: that was the last
};
/// Errors channel_not_found (also to whom the channel is invisible), forbidden for a member that
/// may not read, subscription_limit. `reads_everything`: an administrator or observer.
struct Subscribe {
    core::ChannelName channel;
    core::AgentId agent;
    bool reads_everything = false;
    std::optional<core::TokenDigest> token{};  // as above
    bool operator==(const Subscribe&) const = default;
};
struct Unsubscribe {  // error channel_not_found; not being subscribed is no error
    core::ChannelName channel;
    core::AgentId agent;
    bool operator==(const Unsubscribe&) const = default;
};
struct SubscriptionChanged {
    bool changed = false;  // false: it was already so
};

/// Small settings of the hub by name ("heartbeat_interval_ms", "mailbox_ttl_ms").
struct PutSetting {
    std::string name;
    std::uint64_t value = 0;
    bool operator==(const PutSetting&) const = default;
};

/// Raises the floor under every mailbox to the last message stored before `older_than`, by the
/// store's own time.
struct EvictMailboxes {
    core::Timestamp older_than;
    bool operator==(const EvictMailboxes&) const = default;
};
/// What a Trim may take and must leave. The configuration's, and what the setting of the
/// time-to-live says; they travel with the operation, so that applying it needs nothing else.
struct TrimBounds {
    std::uint64_t history_messages = 0;  // newest that stay, unless a bound below is passed
    core::Millis ttl{0};                 // younger ones stay, unless a bound below is passed
    /// Bounds of the log and of what channels keep, together; of that at most a quarter for the
    /// latter, oldest go first. 0: no bound.
    std::uint64_t max_messages = 0;
    core::Millis max_age{0};
    std::uint64_t max_bytes = 0;
    std::uint64_t channel_history = 0;  // newest of each channel that stay, within those bounds
    core::Millis idempotency_window{0};
    /// The map is short of room: what channels keep goes before anything else.
    bool short_of_room = false;
    bool operator==(const TrimBounds&) const = default;
};
/// Drops from the log what retention no longer keeps, idempotency keys that have run out, unclaimed
/// mailboxes that have run empty, and what deleted channels have left behind. Does a bounded amount
/// of work; `more` says whether another call would find more.
struct Trim {
    TrimBounds bounds{};  // filled by Store::submit
    bool operator==(const Trim&) const = default;
};
struct Trimmed {
    std::uint64_t messages = 0;
    bool more = false;
};

struct Done {};

/// An operation's place here is its number in the journal (operation_codec.hpp): new ones come at
/// the end, and none is taken away.
using WriteOp =
    std::variant<AppendMessage, AckMailbox, MarkRead, MarkShown, CreateToken, RevokeTokens,
                 CreateChannel, Subscribe, Unsubscribe, PutSetting, EvictMailboxes, Trim,
                 DeleteChannel, RemoveDeletedChannels, ExpireChannels, RotateToken, NoteTokenUse,
                 DropExpiredTokens, SetMember, EndAgent, RemoveEndedAgents, CreateWebSession,
                 EndWebSession>;
using WriteValue = std::variant<Done, Appended, CursorMoved, TokensRevoked, SubscriptionChanged,
                                Trimmed, ChannelDeleted, ChannelsRemoved, ChannelsExpired,
                                TokenRotated, MemberSet, AgentEnded>;
using WriteResult = core::result<WriteValue>;

/// Called once with the outcome, after the commit. Where: see CommitListener.
using Completion = std::function<void(const WriteResult&)>;

/// Number of the event loop that submitted; kNoLoop: nobody's, a thread of the store's completes
/// it, with the same duties as a CommitListener.
using LoopIndex = std::uint32_t;
inline constexpr LoopIndex kNoLoop = 0xffff'ffff;

struct Submission {
    WriteOp op;
    Completion completion;  // may be empty
    LoopIndex origin = kNoLoop;
};

/// One operation of a batch that has been decided: committed, or failed with an error.
struct Committed {
    WriteOp op;  // an AppendMessage's draft has moved into its Appended::message
    WriteResult result;
    Completion completion;
    LoopIndex origin = kNoLoop;
};
/// In commit order. Shared by all event loops; each runs only the completions of its own origin.
/// Its operations count as queued until the last loop lets go of it, so a loop that is slow to
/// apply batches holds senders back instead of taking memory.
struct CommittedBatch {
    std::vector<Committed> operations;
    core::Seq head;          // newest message committed with or before this batch
    core::Timestamp time{};  // that its operations show; never earlier than the last one
};

/// Hears of every batch, in commit order, on a thread of the store's, one at a time, after the
/// sync. It must hand over and return, and not read the store. It runs (or forwards) the
/// completions whose origin is a loop; the store itself runs those of kNoLoop before it calls this.
class CommitListener {
public:
    virtual ~CommitListener() = default;
    virtual void on_committed(std::shared_ptr<CommittedBatch> batch) = 0;
    /// The store was saturated and is not any more. On whichever thread let go of the batch that
    /// made the difference; must not block.
    virtual void on_room() {}
};

}  // namespace agentcom::store
