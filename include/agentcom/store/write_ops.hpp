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
#include "agentcom/core/token.hpp"
#include "agentcom/store/records.hpp"

/// Write operations: data, applied in the order of submission by the commit thread, all that has
/// gathered in one synced transaction. An operation that fails (channel_not_found, ...) fails
/// alone.
namespace agentcom::store {

/// Appends to the log and to the feeds that follow from the destination. Errors: channel_not_found,
/// unknown_recipient_limit, storage_full, storage_failed.
/// With a key, the first append of (sender, key) within the idempotency window wins and later ones
/// return its result with `duplicate` set and write nothing.
struct AppendMessage {
    core::Draft draft;
    std::optional<std::string> idempotency_key;
};
struct Appended {
    /// The stored message; for a duplicate the one stored first (only seq, id, channel_seq and
    /// timestamp are filled when its body has been trimmed since).
    core::MessagePtr message;
    bool duplicate = false;
};

/// Moves the acknowledgement cursor forward, never back; beyond the newest message counts as that.
struct AckMailbox {
    core::AgentId agent;
    core::Seq up_to;
};
struct CursorMoved {
    core::Seq cursor;  // where it stands now
};

/// Records that the span was read over a live connection without acks. Spans of one agent are
/// merged; `after` equal to that of the newest stored span extends it.
struct MarkRead {
    core::AgentId agent;
    ReadSpan span;
};

struct CreateToken {
    core::AgentId agent;
    core::TokenDigest digest{};
    std::string prefix;
    core::Role role = core::Role::agent;
};
struct RevokeTokens {
    std::string agent;
};
struct TokensRevoked {
    std::uint64_t count = 0;
};

struct CreateChannel {  // error channel_exists, channel_limit
    core::ChannelName name;
    std::string description;
    core::AgentId created_by;
};
struct Subscribe {  // errors channel_not_found, subscription_limit
    core::ChannelName channel;
    core::AgentId agent;
};
struct Unsubscribe {  // error channel_not_found; not being subscribed is no error
    core::ChannelName channel;
    core::AgentId agent;
};
struct SubscriptionChanged {
    bool changed = false;  // false: it was already so
};

/// Small settings of the hub by name ("heartbeat_interval_ms", "mailbox_ttl_ms").
struct PutSetting {
    std::string name;
    std::uint64_t value = 0;
};

/// Raises the floor under every mailbox to the last message stored before `older_than`.
struct EvictMailboxes {
    core::Timestamp older_than;
};
/// Drops from the log what retention no longer keeps, and idempotency keys that have run out. Does
/// a bounded amount of work; `more` says whether another call would find more.
struct Trim {};
struct Trimmed {
    std::uint64_t messages = 0;
    bool more = false;
};

struct Done {};

using WriteOp =
    std::variant<AppendMessage, AckMailbox, MarkRead, CreateToken, RevokeTokens, CreateChannel,
                 Subscribe, Unsubscribe, PutSetting, EvictMailboxes, Trim>;
using WriteValue =
    std::variant<Done, Appended, CursorMoved, TokensRevoked, SubscriptionChanged, Trimmed>;
using WriteResult = core::result<WriteValue>;

/// Called once with the outcome, after the commit. Where: see CommitListener.
using Completion = std::function<void(const WriteResult&)>;

/// Number of the event loop that submitted; kNoLoop: nobody's, the commit thread completes it.
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
struct CommittedBatch {
    std::vector<Committed> operations;
    core::Seq head;  // newest message committed with or before this batch
};

/// Hears of every batch, in commit order, on the commit thread, after the sync. It must hand over
/// and return. It runs (or forwards) the completions whose origin is a loop; the store itself runs
/// those of kNoLoop before it calls this.
class CommitListener {
public:
    virtual ~CommitListener() = default;
    virtual void on_committed(std::shared_ptr<CommittedBatch> batch) = 0;
};

}  // namespace agentcom::store
