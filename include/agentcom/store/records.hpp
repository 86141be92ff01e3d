#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agentcom/core/counter.hpp"
#include "agentcom/core/ids.hpp"
#include "agentcom/core/member.hpp"
#include "agentcom/core/message.hpp"
#include "agentcom/core/page.hpp"
#include "agentcom/core/time.hpp"
#include "agentcom/core/token.hpp"

/// What reads of the store return: values that own their bytes.
namespace agentcom::store {

struct TokenRecord {
    core::AgentId agent;
    core::Role role = core::Role::agent;
    std::string prefix;  // first eight digits, for lists
    core::Timestamp created_at;
    std::string name{};  // for people; at most core::kMaxTokenNameBytes
    std::optional<core::Timestamp> expires_at{};
    std::uint32_t last_used_day = 0;  // days since 1970-01-01, UTC; 0: not used yet

    [[nodiscard]] bool expired(core::Timestamp now) const noexcept {
        return expires_at && *expires_at <= now;
    }
};

/// A person's session in a browser, which lasts no longer than the token it was begun with.
struct WebSessionRecord {
    core::TokenDigest token{};
    core::Timestamp created_at;
    core::Timestamp expires_at;
};

using core::ChannelMember;
using core::kAllRights;
using core::kMayManage;
using core::kMayPublish;
using core::kMayRead;
using core::MemberRights;

struct ChannelRecord {
    core::ChannelName name;
    std::string description;
    core::AgentId created_by;
    core::Timestamp created_at;
    std::uint64_t subscriber_count = 0;
    /// Only members know of it, and read and publish as their rights say.
    bool is_private = false;
    /// Only members with that right publish.
    bool members_publish = false;
    std::uint32_t member_count = 0;
};

/// An agent that somebody holds a token for.
struct HolderRecord {
    core::AgentId agent;
    core::Role role = core::Role::agent;  // the one that may most, if its tokens differ
};

/// A stretch of the log whose direct and broadcast messages an agent has read over a live
/// connection without acks: after < seq <= up_to. Copies from channels are not touched by it.
struct ReadSpan {
    core::Seq after;
    core::Seq up_to;
    bool operator==(const ReadSpan&) const = default;
};

struct MailboxQuery {
    core::AgentId agent;
    core::Seq since{0};              // exclusive; beyond the newest message: see MailboxView::reset
    core::Seq up_to{core::kMaxSeq};  // inclusive
    std::uint64_t cap = 100;         // newest this many of what is unread; kUnbounded: all
    /// Newest of what is unread that takes so many bytes together, as it is stored; one in any
    /// case.
    std::uint64_t max_bytes = core::kUnbounded;
    /// Read over the agent's present connection, not yet stored.
    std::optional<ReadSpan> live = std::nullopt;
    /// Whether the view may be of a moment since which nothing was announced that concerns this
    /// mailbox: then the read waits for no commit.
    bool may_lag = false;
};

/// What is unread of one mailbox, newest `cap` at most, oldest first. A read may take several turns
/// of an event loop: the view is handed to the store again until it is complete.
struct MailboxView {
    std::vector<core::MessagePtr> messages;  // empty when a visitor took them
    core::Seq last_shown;                    // newest of the messages; 0: there is none
    /// True when the cap, the time-to-live or retention took unread messages after `since`, or one
    /// is damaged.
    bool truncated = false;
    core::Seq lost;  // newest of those, as far as the read came; 0: none
    /// The page is full, and other messages follow it.
    bool more = false;
    /// `since` is the number of no message, present or past, and so of another store: the view
    /// begins at the acknowledged position.
    bool reset = false;
    /// Nothing up to this is left to show: `since` of the next page.
    core::Seq position;
    core::Seq after;  // where the view begins: since or the acknowledged position (exclusive)
    /// What had been shown before and is not acknowledged, as far as it is stored.
    std::vector<ReadSpan> shown;

    [[nodiscard]] bool complete() const noexcept { return stage == Stage::complete; }

    /// How far the read has come; the store's business.
    enum class Stage : std::uint8_t { begin, counting, losses, showing, complete };
    Stage stage = Stage::begin;
    core::Seq up_to;            // where it ends, as of its first turn
    std::uint64_t counted = 0;  // unread above `position` while counting
    std::uint64_t counted_bytes = 0;
    core::Seq capped;  // newest unread that the cap leaves out; 0: none
};

/// Takes messages as they lie in the store. Must neither ask the store nor wait: it is called
/// within a read.
using MessageVisitor = std::function<void(const core::MessageParts&)>;

/// What a new connection of an agent begins with, all as of one moment.
struct ConnectionStart {
    core::Seq head;    // newest message: what comes later concerns the connection
    core::Seq cursor;  // acknowledged position
    std::vector<core::ChannelName> subscriptions;
};

/// For whose eyes something is read. A private channel is as if it were not there for who is not a
/// member. Of messages an agent is shown what it sent, what was sent to it, and those of channels
/// it may read, from the time it was made on.
struct Viewer {
    std::optional<core::AgentId> agent;  // empty: nobody in particular
    bool whole_log = false;  // but for private channels, whoever sent it to whom, and whenever
};

struct HistoryQuery {
    std::optional<std::string> from;
    /// An agent id, or "broadcast" for broadcasts whose sender spelled it so.
    std::optional<std::string> to;
    std::optional<core::ChannelName> channel;
    std::optional<core::Timestamp> start_time;  // inclusive
    std::optional<core::Timestamp> end_time;    // inclusive
    core::Seq cursor;                           // exclusive; oldest first only
    std::optional<Viewer> viewer{};             // nobody: everything is shown
    std::optional<std::string> type{};          // of the message, letter by letter
    /// What stands in the payload, the case of ASCII letters aside.
    std::optional<std::string> text{};
    bool newest_first = false;
    core::Seq before{};  // exclusive, newest first only; 0: from the newest on
};

/// Messages in the order of their numbers, or in the other one.
struct MessagePage : core::Page<core::MessagePtr> {
    /// Everything up to this, or newest first down to this, has been looked at: where the next page
    /// begins (exclusive). It may have moved although there are no entries.
    core::Seq cursor;
};

/// Of the newest messages of a channel, oldest first: with `since` the first after it, without it
/// the newest.
struct ChannelHistoryQuery {
    core::ChannelName channel;
    std::optional<core::ChannelSeq> since;   // exclusive
    std::optional<core::ChannelSeq> before;  // exclusive
    std::optional<Viewer> viewer{};          // nobody: everything is shown
};
struct ChannelHistoryPage : core::Page<core::MessagePtr> {
    /// Where the next page begins (exclusive): the next `since`, or without one the next `before`.
    core::ChannelSeq cursor;
};

/// Of a message what it is, and nothing of what it says. The texts are valid during the visit.
struct LogGlance {
    enum class Kind : std::uint8_t { to_agent, to_everyone, to_channel };
    core::Seq seq;
    core::Timestamp timestamp;
    Kind kind = Kind::to_everyone;
    std::string_view from;
    std::string_view to;  // the agent, or the channel
    std::uint64_t payload_bytes = 0;
};
/// Must neither ask the store nor wait: it is called within a read.
using LogVisitor = std::function<void(const LogGlance&)>;
struct LogWalk {
    core::Seq cursor;   // everything up to this has been looked at
    bool more = false;  // the budget's steps ran out before the newest
};

/// How many messages an agent was given as one of many.
struct DeliveryCounts {
    struct OfChannel {
        core::ChannelName channel;
        std::uint64_t messages = 0;  // its own among them
    };
    std::vector<OfChannel> channels;  // those it subscribes to, since it does
    core::Seq broadcasts_after;       // what was sent to everyone up to this is not for it
    bool more = false;                // the budget's steps ran out before all its subscriptions
};

/// Channels in the order of their names.
struct ChannelPage : core::Page<ChannelRecord> {
    /// Everything up to this name has been looked at: where the next page begins. It may have moved
    /// although there are no entries.
    std::string cursor;
};
struct ChannelNamePage : core::Page<core::ChannelName> {
    std::string cursor;  // as above
};

/// In the order of the agents' ids, shorter ids first.
struct TokenPage : core::Page<TokenRecord> {
    std::string cursor;  // opaque, where the next page begins; empty unless there is more
};

/// Numbers for health, dashboards and tests.
struct StoreStats {
    core::Seq first_seq;  // oldest message kept; head + 1 when none is
    core::Seq head_seq;   // newest committed
    std::uint64_t messages = 0;
    std::uint64_t log_bytes = 0;   // payloads and headers of the log's messages
    std::uint64_t kept_bytes = 0;  // the same of what channels keep after it has left the log
    std::uint64_t channels = 0;    // those being deleted included
    std::uint64_t unclaimed_mailboxes = 0;
    std::uint64_t commits = 0;       // since start
    std::uint64_t log_puts = 0;      // messages written since start
    std::uint64_t feed_entries = 0;  // feed and index entries written since start, by entry
    std::uint64_t feed_puts = 0;     // store writes those entries cost
    /// Write operations that wait for their commit, or for a loop to apply them.
    std::uint64_t queue_depth = 0;
    /// How many transactions the oldest reader of the files is behind, and whose process it is. It
    /// is late when that keeps the hub from using room again: see `reader_is_late`.
    std::uint64_t reader_lag = 0;
    std::int64_t reader_pid = 0;
    bool reader_is_late = false;
    /// Values that did not match their checksum or could not be read, each time one was met since
    /// start.
    std::uint64_t damaged = 0;
    std::uint64_t read_steps = 0;  // entries of lists that reads have looked at since start
    std::uint64_t file_bytes = 0;  // of the store's file
    /// What may still be written before sends are refused: of the map, and of the disk as far as
    /// the file would have to grow.
    std::uint64_t room_bytes = 0;
    // As configured; 0: no bound.
    std::uint64_t max_file_bytes = 0;
    std::uint64_t max_log_bytes = 0;
    std::uint64_t max_messages = 0;
};

/// What the commit thread has done since start.
struct CommitFigures {
    core::HistogramReading operations;  // of a batch
    core::HistogramReading duration;    // of a batch, from its beginning to its end, in nanoseconds
    std::uint64_t failed_batches = 0;   // nothing of which was stored, or not surely
};

/// The journal, and the checkpoints that keep it short.
struct JournalFigures {
    std::uint64_t bytes = 0;             // that no checkpoint covers yet
    core::HistogramReading checkpoints;  // how long each took since start, in nanoseconds
    core::SteadyTime last_checkpoint;    // when it was made, by the machine's clock
    /// Batches of operations that were applied again when the store was opened, because it had not
    /// been closed in order.
    std::uint64_t replayed = 0;
};

}  // namespace agentcom::store
