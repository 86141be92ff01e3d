#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "agentcom/core/ids.hpp"
#include "agentcom/core/message.hpp"
#include "agentcom/delivery/session.hpp"
#include "agentcom/store/write_ops.hpp"

namespace agentcom::delivery {

/// A long poll that waits for something new in an agent's mailbox.
struct MailboxWaiter {
    core::AgentId agent;
    std::vector<core::ChannelName> channels;  // the agent's subscriptions, kept up to date
    std::function<void()> wake;  // called on the loop's thread; must not add or remove a waiter
};

/// Who is connected to one event loop, and the fan-out to them. Lives on that loop's thread: no
/// locks. A message is encoded at most once per loop, whatever the number of its receivers.
class Registry {
public:
    /// `budget` counts the frames that many sessions share; without one nobody does.
    explicit Registry(OutputBudget* budget = nullptr) : budget_(budget) {}

    /// Adds an identified session under these channel subscriptions.
    void add(Session& session, const std::vector<core::ChannelName>& channels);
    void remove(Session& session);
    [[nodiscard]] Session* find(const core::AgentId& agent) const;
    [[nodiscard]] std::size_t size() const noexcept { return sessions_.size(); }

    /// Applies the committed facts in order: runs the completions of this loop's own operations,
    /// each before the deliveries that follow from it, then pushes to the sessions concerned.
    void apply(store::CommittedBatch& batch, store::LoopIndex loop);
    /// Newest message that `apply` has seen: everything up to it has been offered to the sessions
    /// that were registered at the time.
    [[nodiscard]] core::Seq applied_head() const noexcept { return applied_head_; }
    void set_applied_head(core::Seq head) noexcept { applied_head_ = head; }

    /// Sends a presence frame to every session that wants them, except this agent's (if given).
    void push_presence(const SharedBytes& frame, const core::AgentId* except);
    /// Calls the function with every session; it may close but not add or remove sessions.
    void for_each(const std::function<void(Session&)>& function);

    using WaiterHandle = std::list<MailboxWaiter>::iterator;
    [[nodiscard]] WaiterHandle add_waiter(MailboxWaiter waiter);
    void remove_waiter(WaiterHandle handle);
    void wake_all_waiters();

private:
    [[nodiscard]] SharedBytes make_frame(std::string_view payload) const;
    void deliver(const core::Message& message);
    void deliver_to(Session& session, const core::Message& message, SharedBytes& encoded);
    void subscribed(const store::Subscribe& op);
    void unsubscribed(const store::Unsubscribe& op);
    void channel_deleted(const core::ChannelName& channel);
    void revoked(std::string_view agent);
    void wake_waiters(const core::Message& message);

    template <class Key, class Entry>
    using Index = std::unordered_map<Key, std::vector<Entry*>, core::TextHash, core::TextEqual>;

    // At most a few sessions per agent: the present one and, for a moment, one being replaced.
    Index<core::AgentId, Session> by_agent_;
    Index<core::ChannelName, Session> by_channel_;
    std::vector<Session*> sessions_;
    std::vector<Session*> watchers_;  // those that want presence frames
    std::list<MailboxWaiter> waiters_;
    Index<core::AgentId, MailboxWaiter> waiters_by_agent_;
    Index<core::ChannelName, MailboxWaiter> waiters_by_channel_;
    core::Seq applied_head_;
    OutputBudget* budget_;
    std::string scratch_;
};

}  // namespace agentcom::delivery
