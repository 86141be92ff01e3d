#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "agentcom/core/guarded.hpp"
#include "agentcom/core/ids.hpp"
#include "agentcom/core/limits.hpp"
#include "agentcom/core/page.hpp"
#include "agentcom/store/spans.hpp"
#include "agentcom/store/store.hpp"

namespace agentcom::services {

/// What a mailbox shows at most: its newest unread.
struct MailboxBounds {
    std::uint64_t count = 10'000;
    std::uint64_t bytes = std::uint64_t{64} << 20;  // of those messages' payloads
};

/// Mailboxes: the stored view of what is unread, corrected by what has been written to the agent's
/// present connection. A connection without acks reads direct messages and broadcasts by being sent
/// them; how far it has got is a number that the connection publishes and that is stored now and
/// then (a crash shows an agent again what it read since; it never hides what it did not read).
/// Also knows what has been shown to an agent, by polls and connections, because an acknowledgement
/// covers no more than that. Thread-safe.
class Mailbox {
public:
    using ReadPosition = std::shared_ptr<std::atomic<std::uint64_t>>;
    /// Messages of a poll that does not say how many it wants.
    static constexpr std::uint64_t kUsualPage = core::kUsualMailboxPage;
    /// Stretches remembered of an agent; beyond that the oldest are forgotten.
    static constexpr std::size_t kMaxShown = 32;

    Mailbox(const store::Store& store, MailboxBounds bounds) : store_(store), bounds_(bounds) {}

    /// A connection begins: what lies after `after` reaches it live, and up to `settled` nothing is
    /// unread that it had not been told of. The returned position is advanced by the connection.
    /// `reads`: without acks, so that direct messages and broadcasts are read by being sent.
    [[nodiscard]] ReadPosition begin_live(const core::AgentId& agent, core::Seq settled,
                                          core::Seq after, bool reads);
    /// The same for a stream beside it: it reads nothing, and there may be several.
    [[nodiscard]] ReadPosition begin_stream(const core::AgentId& agent, core::Seq settled,
                                            core::Seq after);
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

    /// A poll has shown all of this stretch that was unread. `stored`: what is known of that
    /// already. False when all of it had been shown before.
    bool show(const core::AgentId& agent, store::ReadSpan stretch, const store::Spans& stored);
    /// What has been shown since it was last asked, to be stored; `stored_shown` must be called
    /// after that has been committed.
    [[nodiscard]] std::vector<store::MarkShown> take_shown();
    void stored_shown(const core::AgentId& agent);
    /// An acknowledgement, with what it may cover.
    [[nodiscard]] store::AckMailbox acknowledge(const core::AgentId& agent, core::Seq up_to);

    /// A read of a mailbox that may take several turns of the loop; its turns are `go_on`.
    struct Read {
        store::MailboxQuery query;
        core::Budget budget;
        store::MailboxView view{};
    };
    /// The newest unread messages after `since` that the bounds leave; of those the first that the
    /// limit takes.
    [[nodiscard]] Read poll(const core::AgentId& agent, core::Seq since,
                            core::PageLimit limit) const;
    /// Where the backlog of a connection with acks begins (the view's position), and whether
    /// something was lost before it. Reads no messages.
    [[nodiscard]] Read backlog_start(const core::AgentId& agent, core::Seq up_to) const;
    /// Up to where nothing is unread (the view's position). Reads no messages.
    [[nodiscard]] Read first_unread(const core::AgentId& agent, core::Seq up_to) const;
    /// How many messages are unread, as far as the mailbox shows them, whatever their bytes: see
    /// `counted`. Reads no messages but one.
    [[nodiscard]] Read count_unread(const core::AgentId& agent) const;
    [[nodiscard]] static std::uint64_t counted(const Read& complete) noexcept;
    /// One turn. Whether the view is complete. `visit`: takes the messages, which are then not in
    /// the view; the same in every turn.
    [[nodiscard]] bool go_on(Read& read, const store::MessageVisitor& visit = nullptr) const;
    /// One turn's piece of the backlog: unread after `since` and up to `up_to`, without a cap. The
    /// next begins at the view's position.
    [[nodiscard]] store::MailboxView stretch(const core::AgentId& agent, core::Seq since,
                                             core::Seq up_to, core::PageLimit limit) const;

private:
    struct Live {
        core::Seq settled;
        core::Seq after;
        ReadPosition position;
        bool reads = false;
        std::uint64_t stored = 0;  // position that has been handed out for storing
        core::Seq acked{};         // position that has been acknowledged

        [[nodiscard]] store::ReadSpan written() const noexcept {
            return {after, core::Seq{position->load()}};
        }
    };
    struct Entry {
        std::optional<Live> live;
        std::vector<Live> replaced;           // a newer connection has begun, this one not ended
                                              // yet; and streams
        std::vector<store::ReadSpan> ending;  // handed out by end_live, not yet committed
        store::Spans shown;                   // by polls and ended connections, not yet stored
        store::Spans storing;                 // handed out by take_shown, not yet committed
    };
    using State = std::unordered_map<core::AgentId, Entry, core::TextHash, core::TextEqual>;
    static void forget_if_over(State& state, State::iterator entry);
    static void add_shown(Entry& entry, store::ReadSpan span);
    /// All that the entry knows of; an empty span says where one begins.
    static std::vector<store::ReadSpan> known(const Entry& entry);

    const store::Store& store_;
    MailboxBounds bounds_;
    core::Guarded<State> state_;
};

}  // namespace agentcom::services
