#pragma once

#include <optional>
#include <string_view>

#include "agentcom/store/records.hpp"
#include "store/postings.hpp"
#include "store/rows.hpp"
#include "store/transaction.hpp"

/// A mailbox is nowhere stored as such: it is what is unread of the agent's own feed, of the feeds
/// of its channels, of the broadcasts, and of the copies kept when it unsubscribed. Each of these
/// is walked from its newest entry backwards, never further than the mailbox shows, so a poll costs
/// what it returns.
namespace agentcom::store {

struct MailboxLimits {
    core::Epoch epoch;
    core::Seq evicted;             // floor under every mailbox
    core::Timestamp oldest_shown;  // time-to-live
    bool anything_trimmed = false;
};

[[nodiscard]] MailboxView read_mailbox(const Transaction& txn, const MailboxQuery& query,
                                       const MailboxLimits& limits);

/// The agent's row; a fresh one when it is not known.
[[nodiscard]] AgentRow read_agent(const Transaction& txn, std::string_view agent);

/// The newest `want` messages of the channel after `after` that the agent did not send itself,
/// newest first.
[[nodiscard]] std::vector<std::uint64_t> unread_of_channel(const Transaction& txn,
                                                           std::string_view channel,
                                                           std::string_view agent, core::Seq after,
                                                           std::size_t want);

/// Whether after < seq <= up_to holds a direct message to the agent or somebody else's broadcast.
[[nodiscard]] bool anything_between(const Transaction& txn, std::string_view agent,
                                    const AgentRow& row, core::Seq after, core::Seq up_to);

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
