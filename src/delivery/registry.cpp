#include "agentcom/delivery/registry.hpp"

#include <algorithm>
#include <span>
#include <utility>
#include <variant>

namespace agentcom::delivery {

namespace {

template <class Map, class Key, class Entry>
void erase_from(Map& map, const Key& key, Entry* entry) {
    const auto found = map.find(key);
    if (found == map.end()) return;
    std::erase(found->second, entry);
    if (found->second.empty()) map.erase(found);
}

/// The entries under a key; empty when there are none.
template <class Map, class Key>
std::span<const typename Map::mapped_type::value_type> entries(const Map& map, const Key& key) {
    const auto found = map.find(key);
    if (found == map.end()) return {};
    return found->second;
}

/// Sessions and waiters alike have their channels and are found by them.
template <class Map, class Entry>
void subscribe(Map& map, Entry& entry, const core::ChannelName& channel) {
    if (std::ranges::find(entry.channels, channel) != entry.channels.end()) return;
    entry.channels.push_back(channel);
    map[channel].push_back(&entry);
}
template <class Map, class Entry>
void unsubscribe(Map& map, Entry& entry, const core::ChannelName& channel) {
    if (std::erase(entry.channels, channel) > 0) erase_from(map, channel, &entry);
}

/// Lists that remember in each session where it stands, so that leaving costs the same in any list.
void enlist(std::vector<Session*>& list, Session& session, std::size_t Session::*index) {
    session.*index = list.size();
    list.push_back(&session);
}
/// False when it is not in the list.
bool delist(std::vector<Session*>& list, Session& session, std::size_t Session::*index) {
    const std::size_t place = session.*index;
    if (place >= list.size() || list[place] != &session) return false;
    list.back()->*index = place;
    list[place] = list.back();
    list.pop_back();
    return true;
}

SharedBytes make_frame(std::string_view payload) {
    auto frame = std::make_shared<std::string>();
    frame->reserve(payload.size() + 10);
    append_text_frame(*frame, payload);
    return frame;
}

}  // namespace

void Registry::add(Session& session, const std::vector<core::ChannelName>& channels) {
    by_agent_[session.identity()->agent].push_back(&session);
    enlist(sessions_, session, &Session::session_index);
    if (session.identity()->presence) enlist(watchers_, session, &Session::watcher_index);
    for (const core::ChannelName& channel : channels) subscribe(by_channel_, session, channel);
}

void Registry::remove(Session& session) {
    if (!delist(sessions_, session, &Session::session_index)) return;
    delist(watchers_, session, &Session::watcher_index);
    erase_from(by_agent_, session.identity()->agent, &session);
    for (const core::ChannelName& channel : session.channels) {
        erase_from(by_channel_, channel, &session);
    }
    session.channels.clear();
}

Session* Registry::find(const core::AgentId& agent) const {
    const auto sessions = entries(by_agent_, agent);
    return sessions.empty() ? nullptr : sessions.back();
}

void Registry::apply(store::CommittedBatch& batch, store::LoopIndex loop) {
    for (store::Committed& entry : batch.operations) {
        if (entry.origin == loop && entry.completion) {
            // Only this loop may touch its own operations' completions; others read op and result.
            const store::Completion completion = std::move(entry.completion);
            completion(entry.result);
        }
        if (!entry.result) continue;
        if (const auto* appended = std::get_if<store::Appended>(&*entry.result)) {
            if (!appended->duplicate) deliver(*appended->message);
        } else if (const auto* change = std::get_if<store::SubscriptionChanged>(&*entry.result)) {
            if (!change->changed) continue;
            if (const auto* op = std::get_if<store::Subscribe>(&entry.op)) subscribed(*op);
            if (const auto* op = std::get_if<store::Unsubscribe>(&entry.op)) unsubscribed(*op);
        } else if (const auto* deletion = std::get_if<store::DeleteChannel>(&entry.op)) {
            channel_deleted(deletion->channel);
        } else if (const auto* op = std::get_if<store::RevokeTokens>(&entry.op)) {
            revoked(op->agent);
        }
    }
    applied_head_ = std::max(applied_head_, batch.head);
}

void Registry::deliver(const core::Message& message) {
    SharedBytes encoded;
    if (const auto* direct = std::get_if<core::ToAgent>(&message.draft.to)) {
        for (Session* session : entries(by_agent_, direct->agent)) {
            deliver_to(*session, message, encoded);
        }
    } else if (std::holds_alternative<core::ToEveryone>(message.draft.to)) {
        for (Session* session : sessions_) {
            if (!session->identity()->echo && session->identity()->agent == message.draft.from) {
                continue;
            }
            deliver_to(*session, message, encoded);
        }
    } else {
        const auto& channel = std::get<core::ToChannel>(message.draft.to).channel;
        for (Session* session : entries(by_channel_, channel)) {
            if (session->identity()->agent == message.draft.from) continue;
            deliver_to(*session, message, encoded);
        }
    }
    if (!waiters_.empty()) wake_waiters(message);
}

void Registry::deliver_to(Session& session, const core::Message& message, SharedBytes& encoded) {
    if (session.catching_up()) return;
    if (!encoded) {
        scratch_.clear();
        protocol::encode_push(message, scratch_);
        encoded = make_frame(scratch_);
    }
    session.push(encoded, message.seq);
}

void Registry::subscribed(const store::Subscribe& op) {
    if (const auto present = entries(by_channel_, op.channel); !present.empty()) {
        scratch_.clear();
        protocol::encode_channel_agent_joined(op.channel, op.agent, scratch_);
        const SharedBytes frame = make_frame(scratch_);
        for (Session* session : present) {
            if (session->identity()->agent != op.agent) session->push(frame);
        }
    }
    for (Session* session : entries(by_agent_, op.agent)) {
        subscribe(by_channel_, *session, op.channel);
    }
    for (MailboxWaiter* waiter : entries(waiters_by_agent_, op.agent)) {
        subscribe(waiters_by_channel_, *waiter, op.channel);
    }
}

void Registry::unsubscribed(const store::Unsubscribe& op) {
    for (Session* session : entries(by_agent_, op.agent)) {
        unsubscribe(by_channel_, *session, op.channel);
    }
    for (MailboxWaiter* waiter : entries(waiters_by_agent_, op.agent)) {
        unsubscribe(waiters_by_channel_, *waiter, op.channel);
    }
}

void Registry::channel_deleted(const core::ChannelName& channel) {
    if (const auto sessions = by_channel_.extract(channel)) {
        for (Session* session : sessions.mapped()) std::erase(session->channels, channel);
    }
    if (const auto waiters = waiters_by_channel_.extract(channel)) {
        for (MailboxWaiter* waiter : waiters.mapped()) std::erase(waiter->channels, channel);
    }
}

void Registry::revoked(std::string_view agent) {
    // Closing does not remove: a session leaves the registry when its connection ends.
    for (Session* session : entries(by_agent_, agent)) {
        session->close(protocol::CloseCode::token_revoked);
    }
}

void Registry::push_presence(const SharedBytes& frame, const core::AgentId* except) {
    for (Session* session : watchers_) {
        if (except != nullptr && session->identity()->agent == *except) continue;
        session->push(frame);
    }
}

void Registry::for_each(const std::function<void(Session&)>& function) {
    for (Session* session : sessions_) function(*session);
}

Registry::WaiterHandle Registry::add_waiter(MailboxWaiter waiter) {
    const auto handle = waiters_.insert(waiters_.end(), std::move(waiter));
    waiters_by_agent_[handle->agent].push_back(&*handle);
    for (const core::ChannelName& channel : handle->channels) {
        waiters_by_channel_[channel].push_back(&*handle);
    }
    return handle;
}

void Registry::remove_waiter(WaiterHandle handle) {
    erase_from(waiters_by_agent_, handle->agent, &*handle);
    for (const core::ChannelName& channel : handle->channels) {
        erase_from(waiters_by_channel_, channel, &*handle);
    }
    waiters_.erase(handle);
}

void Registry::wake_all_waiters() {
    for (const MailboxWaiter& waiter : waiters_) waiter.wake();
}

void Registry::wake_waiters(const core::Message& message) {
    if (const auto* direct = std::get_if<core::ToAgent>(&message.draft.to)) {
        for (const MailboxWaiter* waiter : entries(waiters_by_agent_, direct->agent)) {
            waiter->wake();
        }
        return;
    }
    const auto wake_other = [&message](const MailboxWaiter& waiter) {
        if (waiter.agent != message.draft.from) waiter.wake();
    };
    if (const auto* to = std::get_if<core::ToChannel>(&message.draft.to)) {
        for (const MailboxWaiter* waiter : entries(waiters_by_channel_, to->channel)) {
            wake_other(*waiter);
        }
    } else {
        for (const MailboxWaiter& waiter : waiters_) wake_other(waiter);
    }
}

}  // namespace agentcom::delivery
