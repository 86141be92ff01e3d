#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "agentcom/core/guarded.hpp"
#include "agentcom/core/ids.hpp"
#include "agentcom/core/page.hpp"
#include "agentcom/store/store.hpp"

namespace agentcom::services {

/// Mailboxes: the stored view of what is unread, corrected by what has been written to the agent's
/// present connection. A connection without acks reads direct messages and broadcasts by being sent
/// them; how far it has got is a number that the connection publishes and that is stored now and
/// then (a crash shows an agent again what it read since; it never hides what it did not read).
/// Thread-safe.
class Mailbox {
public:
    using ReadPosition = std::shared_ptr<std::atomic<std::uint64_t>>;

    Mailbox(const store::Store& store, std::uint64_t cap) : store_(store), cap_(cap) {}

    /// A connection without acks begins: what lies after `after` reaches it live. The returned
    /// position is advanced by the connection.
    [[nodiscard]] ReadPosition begin_live(const core::AgentId& agent, core::Seq after);
    /// The connection with this position ended. Returns what is to be stored, if it read anything;
    /// `stored` must be called after that has been committed.
    [[nodiscard]] std::optional<store::MarkRead> end_live(const core::AgentId& agent,
                                                          const ReadPosition& position);
    void stored(const core::AgentId& agent);
    /// What connections have read since it was last asked, to be stored.
    [[nodiscard]] std::vector<store::MarkRead> take_unstored();

    /// While what an ended or replaced connection has read is not yet stored, a poll must wait for
    /// it: the operations to submit first. None when a poll may be answered at once.
    [[nodiscard]] std::vector<store::MarkRead> must_store_first(const core::AgentId& agent) const;

    /// A read of a mailbox that may take several turns of the loop; its turns are `go_on`.
    struct Read {
        store::MailboxQuery query;
        core::Budget budget;
        store::MailboxView view{};
    };
    /// The newest `cap` unread messages after `since`; of those the first that the limit takes.
    [[nodiscard]] Read poll(const core::AgentId& agent, core::Seq since,
                            core::PageLimit limit) const;
    /// Where the backlog of a connection with acks begins (the view's position), and whether
    /// something was lost before it. Reads no messages.
    [[nodiscard]] Read backlog_start(const core::AgentId& agent, core::Seq up_to) const;
    /// One turn. Whether the view is complete.
    [[nodiscard]] bool go_on(Read& read) const;
    /// One turn's piece of the backlog: unread after `since` and up to `up_to`, without a cap. The
    /// next begins at the view's position.
    [[nodiscard]] store::MailboxView stretch(const core::AgentId& agent, core::Seq since,
                                             core::Seq up_to, core::PageLimit limit) const;

private:
    struct Live {
        core::Seq after;
        ReadPosition position;
        std::uint64_t stored = 0;  // position that has been handed out for storing
    };
    struct Entry {
        std::optional<Live> live;
        std::vector<Live> replaced;           // a newer connection has begun, this one not ended
        std::vector<store::ReadSpan> ending;  // handed out by end_live, not yet committed
    };
    using State = std::unordered_map<core::AgentId, Entry, core::TextHash, core::TextEqual>;
    static void forget_if_over(State& state, State::iterator entry);

    const store::Store& store_;
    std::uint64_t cap_;
    core::Guarded<State> state_;
};

}  // namespace agentcom::services
