#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agentcom/core/page.hpp"
#include "agentcom/store/records.hpp"
#include "store/epochs.hpp"
#include "store/postings.hpp"
#include "store/read_notes.hpp"
#include "store/rows.hpp"
#include "store/transaction.hpp"

/// A mailbox is nowhere stored as such: it is what is unread of the agent's own feed, of the feeds
/// of its channels, of the broadcasts, and of the copies kept when it unsubscribed. These are
/// walked side by side: backwards from the newest to find what the cap leaves out, which reads no
/// message, and then forward from there, no further than is shown.
namespace agentcom::store {

struct MailboxLimits {
    const Epochs& epochs;
    core::Seq head;                                 // newest message
    core::Seq newest;                               // that anybody has been told of; head or later
    core::Seq first_of_log;                         // head + 1 when the log is empty
    core::Seq evicted;                              // floor under every mailbox
    core::Timestamp oldest_shown;                   // time-to-live
    std::uint64_t stored_bytes = core::kUnbounded;  // of all messages; or more
};

/// Reads on until the budget's steps are used up or the view is complete. Messages go into the
/// view, or to `visit` if there is one.
void read_mailbox(const Transaction& txn, const MailboxQuery& query, const MailboxLimits& limits,
                  ReadNotes& notes, core::Budget& budget, MailboxView& view,
                  const MessageVisitor& visit);

/// The agent's row; a fresh one when it is not known.
[[nodiscard]] AgentRow read_agent(const Transaction& txn, std::string_view agent);

/// For the reads of the commit thread, which do not go on in another turn.
struct ReadingBounds {
    core::Seq first_of_log;
    core::Seq committed;  // newest message that no abort can take back
    std::uint64_t steps = 65'536;
};

struct UnreadOfChannel {
    std::vector<std::uint64_t> newest_first;
    core::Seq not_looked_at;  // everything up to this, when the steps ran out
};
/// The newest `want` messages of the channel after `after` that the agent did not send itself and
/// that are in none of the spans `read`.
[[nodiscard]] UnreadOfChannel unread_of_channel(const Transaction& txn, std::string_view channel,
                                                std::string_view agent, core::Seq after,
                                                const Spans& read, std::size_t want,
                                                ReadingBounds bounds, ReadNotes& notes);

/// Whether the message is one for the agent that its cursor has not passed.
[[nodiscard]] bool is_unacknowledged(const Transaction& txn, std::string_view agent,
                                     const AgentRow& row, core::Seq seq);

/// Whether the stretch holds a direct message to the agent or somebody else's broadcast. When the
/// steps run out, the answer is that it may.
[[nodiscard]] bool anything_between(const Transaction& txn, std::string_view agent,
                                    const AgentRow& row, ReadSpan between, ReadingBounds bounds,
                                    ReadNotes& notes);

/// What retention has removed from a list: its newest removed entry, and the newest by another
/// sender than that one's (0: none). So everyone can tell whether something of others was lost.
struct TrimmedRow {
    Entry newest = 0;
    Entry newest_of_others = 0;

    void add(Entry entry) noexcept;
    /// Newest removed message that the owner of the mark did not send.
    [[nodiscard]] core::Seq newest_not_by(Entry mark) const noexcept;
    [[nodiscard]] static TrimmedRow read(const Transaction& txn, Feed feed, std::string_view owner);
    [[nodiscard]] std::string encode() const;
};

}  // namespace agentcom::store
