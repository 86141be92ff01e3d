#include "agentcom/delivery/waiters.hpp"

#include <limits>
#include <variant>

namespace agentcom::delivery {

Waiters::Id Waiters::add(MailboxWaiter waiter) {
    Group& group = group_of(waiter);
    const Question question{waiter.since.value,
                            waiter.limit.value_or(std::numeric_limits<std::uint64_t>::max())};
    const Id id = ++last_id_;
    auto place = group.waiting.end();
    try {
        place = group.waiting.emplace(question, Waiting{id, std::move(waiter.wake)});
        by_id_.emplace(id, Known{&group, place});
    } catch (...) {
        if (place != group.waiting.end()) group.waiting.erase(place);
        if (group.waiting.empty()) take_off(group);
        throw;
    }
    return id;
}

Waiters::Group& Waiters::group_of(const MailboxWaiter& waiter) {
    const auto found = by_agent_.find(waiter.agent);
    if (found != by_agent_.end()) return *found->second;
    auto made = std::make_unique<Group>(Group{waiter.agent, {}, 0, {}});
    all_.reserve(all_.size() + 1);
    Group& group = *by_agent_.emplace(waiter.agent, std::move(made)).first->second;
    all_.add(group);
    try {
        by_channel_.add_all(group, waiter.channels);
    } catch (...) {
        take_off(group);
        throw;
    }
    return group;
}

bool Waiters::remove(Id id) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) return false;
    const auto [group, place] = found->second;
    by_id_.erase(found);
    // Kept until the end: it may own what calls this.
    const auto waiting = group->waiting.extract(place);
    if (!group->waiting.empty()) return true;
    // One that is ready is in the queue and no longer among these.
    const auto listed = by_agent_.find(group->agent);
    if (listed != by_agent_.end() && listed->second.get() == group) take_off(*group);
    return true;
}

std::unique_ptr<Waiters::Group> Waiters::take_off(Group& group) {
    by_channel_.remove_all(group);
    all_.remove(group.place);
    auto node = by_agent_.extract(group.agent);
    return std::move(node.mapped());
}

void Waiters::make_ready(Group& group) {
    // Its place first: once it is off the lists nothing may go wrong.
    Ready& ready = ready_.push_back({});
    ready.group = take_off(group);
}

void Waiters::subscribed(const core::AgentId& agent, const core::ChannelName& channel) {
    const auto found = by_agent_.find(agent);
    if (found != by_agent_.end()) by_channel_.add(*found->second, channel);
}

void Waiters::unsubscribed(const core::AgentId& agent, const core::ChannelName& channel) {
    const auto found = by_agent_.find(agent);
    if (found != by_agent_.end()) by_channel_.remove(*found->second, channel);
}

void Waiters::ready_agent(std::string_view agent) {
    const auto found = by_agent_.find(agent);
    if (found != by_agent_.end()) make_ready(*found->second);
}

void Waiters::begin_pass(const core::Message& message) {
    pass_ = Pass::none;
    if (by_agent_.empty()) return;
    if (const auto* direct = std::get_if<core::ToAgent>(&message.draft.to)) {
        return ready_agent(direct->agent.str());
    }
    passed_over_ = message.draft.from;
    if (const auto* to = std::get_if<core::ToChannel>(&message.draft.to)) {
        if (by_channel_.begin_pass(to->channel)) pass_ = Pass::channel;
    } else {
        all_.begin_pass();
        pass_ = Pass::all;
    }
}

void Waiters::begin_pass_over_all() {
    passed_over_.reset();
    all_.begin_pass();
    pass_ = Pass::all;
}

std::size_t Waiters::continue_pass(std::size_t most) {
    for (std::size_t done = 0; done < most; ++done) {
        if (pass_ == Pass::none) return done;
        Group* group = pass_ == Pass::all ? all_.next() : by_channel_.next();
        if (group == nullptr) {
            pass_ = Pass::none;
            return done;
        }
        if (!passed_over_ || group->agent != *passed_over_) make_ready(*group);
    }
    return most;
}

void Waiters::work(std::size_t most) {
    while (most > 0 && !ready_.empty()) {
        Ready& ready = ready_.front();
        if (ready.group->waiting.empty()) {
            ready_.pop_front();
            continue;
        }
        const auto waiting = ready.group->waiting.extract(ready.group->waiting.begin());
        by_id_.erase(waiting.mapped().id);
        if (std::exchange(ready.question, waiting.key()) != waiting.key()) ready.shared.reset();
        // The queue may grow meanwhile, and `ready` move.
        std::any shared = std::move(ready.shared);
        faults_.guard("long poll", [&] { waiting.mapped().wake(shared); });
        ready_.front().shared = std::move(shared);
        --most;
    }
}

}  // namespace agentcom::delivery
