#pragma once

#include <any>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agentcom/core/ids.hpp"
#include "agentcom/core/message.hpp"
#include "agentcom/delivery/faults.hpp"
#include "agentcom/delivery/fifo.hpp"
#include "agentcom/delivery/sliced_list.hpp"

namespace agentcom::delivery {

/// A long poll that waits for something new in an agent's mailbox.
struct MailboxWaiter {
    core::AgentId agent;
    /// The agent's subscriptions; not looked at when others of the agent wait already.
    std::vector<core::ChannelName> channels;
    /// What is asked for. Those of one agent that ask the same are woken one after the other.
    core::Seq since;
    std::optional<std::uint64_t> limit;
    /// Called once on the loop's thread; the waiter has been removed by then. `shared` is empty for
    /// the first of those who ask the same; what it leaves there is given to the others.
    std::function<void(std::any& shared)> wake;
};

/// The long polls of one event loop. Those of one agent form a group, which is found by the agent's
/// name and channels; so adding and removing a waiter costs the same however many wait. Something
/// new makes a whole group ready; `work` wakes a bounded number. For the loop's thread.
class Waiters {
public:
    /// Names a waiter, also after it has gone.
    using Id = std::uint64_t;

    explicit Waiters(Faults& faults) : faults_(faults) {}

    [[nodiscard]] Id add(MailboxWaiter waiter);
    /// False when it has been woken or removed before.
    bool remove(Id id);
    [[nodiscard]] std::size_t size() const noexcept { return by_id_.size(); }
    /// Whether the agent has waiters for which nothing has come yet.
    [[nodiscard]] bool is_waiting(const core::AgentId& agent) const {
        return by_agent_.contains(agent);
    }

    void subscribed(const core::AgentId& agent, const core::ChannelName& channel);
    void unsubscribed(const core::AgentId& agent, const core::ChannelName& channel);

    /// All of this agent's become ready.
    void ready_agent(std::string_view agent);
    /// Begins to make all ready whom the message concerns; `continue_pass` goes on. One at a time.
    void begin_pass(const core::Message& message);
    /// The same for everybody.
    void begin_pass_over_all();
    /// Looks at up to `most` groups; returns how many. Fewer than `most`: the pass is over.
    std::size_t continue_pass(std::size_t most);

    [[nodiscard]] bool has_ready() const noexcept { return !ready_.empty(); }
    /// Wakes up to so many of those that are ready.
    void work(std::size_t most);

private:
    using Question = std::pair<std::uint64_t, std::uint64_t>;  // since; limit, or its absence
    struct Waiting {
        Id id;
        std::function<void(std::any&)> wake;
    };
    using WaitingByQuestion = std::multimap<Question, Waiting>;

public:
    /// The waiters of one agent. Public for its lists only.
    struct Group {
        core::AgentId agent;
        std::vector<ListedChannel> channels;
        std::uint32_t place = 0;
        WaitingByQuestion waiting;
    };

private:
    struct Place {
        static void set(Group& group, std::uint32_t, std::uint32_t index) { group.place = index; }
    };
    struct Known {
        Group* group;
        WaitingByQuestion::iterator place;
    };
    struct Ready {
        std::unique_ptr<Group> group;
        Question question;  // that `shared` answers
        std::any shared;
    };

    Group& group_of(const MailboxWaiter& waiter);
    /// Takes it off all lists; whoever is added from now on begins a new group.
    std::unique_ptr<Group> take_off(Group& group);
    void make_ready(Group& group);

    Faults& faults_;
    std::unordered_map<core::AgentId, std::unique_ptr<Group>, core::TextHash, core::TextEqual>
        by_agent_;
    ChannelIndex<Group> by_channel_;
    SlicedList<Group, Place> all_;
    std::unordered_map<Id, Known> by_id_;
    Fifo<Ready, 64> ready_;
    Id last_id_ = 0;

    enum class Pass : std::uint8_t { none, channel, all };
    Pass pass_ = Pass::none;
    std::optional<core::AgentId> passed_over_;  // whose own message the pass is about
};

}  // namespace agentcom::delivery
