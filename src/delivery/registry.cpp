#include "agentcom/delivery/registry.hpp"

#include <algorithm>
#include <span>
#include <utility>
#include <variant>

namespace agentcom::delivery {

namespace {

/// Encoding and sharing so many bytes counts as a step.
constexpr std::size_t kBytesOfStep = std::size_t{4} << 10;

template <class Map, class Key>
std::span<Session* const> entries(const Map& map, const Key& key) {
    const auto found = map.find(key);
    if (found == map.end()) return {};
    return found->second;
}

/// The message that the operation appended; null when it did not, or had done so before.
const core::Message* appended(const store::Committed& entry) {
    if (!entry.result) return nullptr;
    const auto* appended = std::get_if<store::Appended>(&*entry.result);
    return appended != nullptr && !appended->duplicate ? appended->message.get() : nullptr;
}

/// The operation if it changed a subscription.
template <class Op>
const Op* changed(const store::Committed& entry) {
    if (!entry.result) return nullptr;
    const auto* change = std::get_if<store::SubscriptionChanged>(&*entry.result);
    return change != nullptr && change->changed ? std::get_if<Op>(&entry.op) : nullptr;
}

}  // namespace

void Registry::add(Session& session, const std::vector<core::ChannelName>& channels,
                   std::uint64_t presence_version) {
    // First, so that `remove` takes back whatever came of the rest.
    sessions_.add(session);
    by_agent_[session.identity()->agent].push_back(&session);
    by_channel_.add_all(session, channels);
    if (session.identity()->presence) presence_.watch(session, presence_version);
}

void Registry::remove(Session& session) {
    if (!sessions_.holds(session, session.listing.session_place)) return;
    sessions_.remove(session.listing.session_place);
    presence_.unwatch(session);
    by_channel_.remove_all(session);
    const auto found = by_agent_.find(session.identity()->agent);
    if (found == by_agent_.end()) return;
    std::erase(found->second, &session);
    if (found->second.empty()) by_agent_.erase(found);
}

Session* Registry::find(const core::AgentId& agent, std::uint64_t session_id) const {
    for (Session* session : entries(by_agent_, agent)) {
        if (session->identity()->session_id == session_id) return session;
    }
    return nullptr;
}

std::vector<Session*> Registry::of_agent(const core::AgentId& agent) const {
    const auto sessions = entries(by_agent_, agent);
    return {sessions.begin(), sessions.end()};
}

void Registry::close(const core::AgentId& agent, std::uint64_t session_id,
                     protocol::CloseCode code) {
    if (Session* session = find(agent, session_id)) session->close(code);
}

bool Registry::concerns_others(const store::Committed& entry) noexcept {
    return entry.result && !std::holds_alternative<store::AckMailbox>(entry.op) &&
           !std::holds_alternative<store::MarkRead>(entry.op) &&
           !std::holds_alternative<store::MarkShown>(entry.op) &&
           !std::holds_alternative<store::NoteTokenUse>(entry.op);
}

// ---- The queue ----------------------------------------------------------------------------------

void Registry::enqueue(std::shared_ptr<store::CommittedBatch> batch) {
    jobs_.push_back(Job{std::move(batch), nullptr, false});
}

void Registry::for_each(std::function<void(Session&)> function) {
    jobs_.push_back(Job{nullptr, std::move(function), false});
}

void Registry::wake_all_waiters() { jobs_.push_back(Job{nullptr, nullptr, true}); }

void Registry::finish_job() {
    progress_ = {};
    event_.clear();
    jobs_.pop_front();
}

std::size_t Registry::work(std::size_t steps) {
    std::size_t taken = 0;
    while (taken < steps && !jobs_.empty()) {
        // What runs here may queue more, and so move the front.
        Job& job = jobs_.front();
        if (job.batch) {
            const std::shared_ptr<store::CommittedBatch> batch = job.batch;
            taken += apply(*batch, steps - taken);
        } else if (job.visit) {
            const std::function<void(Session&)> visit = job.visit;
            taken += visit_sessions(visit, steps - taken);
        } else {
            if (std::exchange(progress_.stage, Stage::waiters) == Stage::begin) {
                waiters_.begin_pass_over_all();
            }
            const std::size_t most = steps - taken;
            const std::size_t done = waiters_.continue_pass(most);
            taken += done;
            if (done < most) finish_job();
        }
    }
    return taken;
}

std::size_t Registry::visit_sessions(const std::function<void(Session&)>& function,
                                     std::size_t steps) {
    if (std::exchange(progress_.stage, Stage::sessions) == Stage::begin) sessions_.begin_pass();
    for (std::size_t taken = 0; taken < steps; ++taken) {
        Session* session = sessions_.next();
        if (session == nullptr) {
            finish_job();
            return taken;
        }
        if (!faults_.guard("visit of a session", [&] { function(*session); })) fail(*session);
    }
    return steps;
}

std::size_t Registry::apply(store::CommittedBatch& batch, std::size_t steps) {
    std::size_t taken = 0;
    while (progress_.operation < batch.operations.size()) {
        if (taken >= steps) return taken;
        store::Committed& entry = batch.operations[progress_.operation];
        if (progress_.stage == Stage::begin) {
            progress_.stage = Stage::sessions;
            taken += begin(entry);
        }
        if (progress_.stage == Stage::sessions) {
            while (progress_.reach != Reach::nobody) {
                if (taken >= steps) return taken;
                taken += continue_sessions(entry, steps - taken);
            }
            progress_.stage = Stage::waiters;
            finish_sessions(entry);
        }
        while (true) {
            const std::size_t most = steps > taken ? steps - taken : 1;
            const std::size_t done = waiters_.continue_pass(most);
            taken += done;
            if (done < most) break;
            if (taken >= steps) return taken;
        }
        const std::size_t next = progress_.operation + 1;
        progress_ = {};
        event_.clear();
        progress_.operation = next;
    }
    applied_head_ = std::max(applied_head_, batch.head);
    finish_job();
    return std::max<std::size_t>(taken, 1);
}

// ---- One operation ------------------------------------------------------------------------------

std::size_t Registry::begin(store::Committed& entry) {
    if (entry.origin == loop_ && entry.completion) {
        // Only this loop may touch its own operations' completions; others read op and result.
        const store::Completion completion = std::move(entry.completion);
        faults_.guard("completion", [&] { completion(entry.result); });
    }
    std::size_t taken = 1;
    faults_.guard("delivery", [&] { taken += begin_sessions(entry); });
    return taken;
}

std::size_t Registry::begin_sessions(const store::Committed& entry) {
    if (const auto* op = changed<store::Subscribe>(entry)) {
        if (by_channel_.begin_pass(op->channel)) progress_.reach = Reach::channel;
        return 0;
    }
    const core::Message* message = appended(entry);
    if (message == nullptr) return 0;
    applied_head_ = std::max(applied_head_, message->seq);
    if (const auto* direct = std::get_if<core::ToAgent>(&message->draft.to)) {
        std::size_t taken = 0;
        for (Session* session : entries(by_agent_, direct->agent)) {
            taken += deliver_to(*session, *message);
        }
        return taken;
    }
    if (const auto* to = std::get_if<core::ToChannel>(&message->draft.to)) {
        if (by_channel_.begin_pass(to->channel)) progress_.reach = Reach::channel;
    } else {
        sessions_.begin_pass();
        progress_.reach = Reach::everyone;
    }
    return 0;
}

Session* Registry::next_session() {
    return progress_.reach == Reach::everyone ? sessions_.next() : by_channel_.next();
}

std::size_t Registry::continue_sessions(const store::Committed& entry, std::size_t steps) {
    const core::Message* message = appended(entry);
    const auto* subscribe = std::get_if<store::Subscribe>(&entry.op);
    std::size_t taken = 0;
    while (taken < steps) {
        Session* session = next_session();
        if (session == nullptr) {
            progress_.reach = Reach::nobody;
            break;
        }
        if (message == nullptr) {
            taken += announce_to(*session, *subscribe);
            continue;
        }
        // Its own message comes back only from a broadcast, and only if it wants that.
        const bool own = session->identity()->agent == message->draft.from;
        const bool unwanted = progress_.reach == Reach::channel || !session->identity()->echo;
        taken += own && unwanted ? 1 : deliver_to(*session, *message);
    }
    return taken;
}

void Registry::finish_sessions(const store::Committed& entry) {
    faults_.guard("delivery", [&] {
        if (const core::Message* message = appended(entry)) {
            waiters_.begin_pass(*message);
        } else if (const auto* op = changed<store::Subscribe>(entry)) {
            for (Session* session : entries(by_agent_, op->agent)) {
                by_channel_.add(*session, op->channel);
            }
            waiters_.subscribed(op->agent, op->channel);
        } else if (const auto* left = changed<store::Unsubscribe>(entry)) {
            for (Session* session : entries(by_agent_, left->agent)) {
                by_channel_.remove(*session, left->channel);
            }
            waiters_.unsubscribed(left->agent, left->channel);
        } else if (const auto* member = std::get_if<store::SetMember>(&entry.op);
                   member != nullptr && entry.result &&
                   std::get<store::MemberSet>(*entry.result).unsubscribed) {
            for (Session* session : entries(by_agent_, member->agent)) {
                by_channel_.remove(*session, member->channel);
            }
            waiters_.unsubscribed(member->agent, member->channel);
        } else if (const auto* deleted = std::get_if<store::DeleteChannel>(&entry.op);
                   deleted != nullptr && entry.result) {
            by_channel_.remove_channel(deleted->channel);
            waiters_.channel_deleted(deleted->channel);
        } else if (const auto* revoke = std::get_if<store::RevokeTokens>(&entry.op);
                   revoke != nullptr && entry.result && revoke->prefix.empty()) {
            revoked(revoke->agent);
        } else if (const auto* ended = std::get_if<store::EndAgent>(&entry.op);
                   ended != nullptr && entry.result) {
            revoked(ended->agent);
        }
    });
}

void Registry::revoked(std::string_view agent) {
    // Closing does not remove: a session leaves the registry when its connection ends.
    for (Session* session : entries(by_agent_, agent)) {
        if (!faults_.guard("closing of a session",
                           [&] { session->close(protocol::CloseCode::token_revoked); })) {
            fail(*session);
        }
    }
    waiters_.ready_agent(agent);
}

// ---- One session --------------------------------------------------------------------------------

template <class Encode>
void Registry::push(Session& session, core::Seq seq, Encode encode) {
    const FramedBytes& bytes =
        event_.in(session.framing(), seq, budget_, [&]() -> std::string_view {
            scratch_.clear();
            encode();
            return scratch_;
        });
    presence_.catch_up(session);
    if (seq.value > 0) return session.push_message(bytes, seq);
    session.push(bytes);
}

std::size_t Registry::deliver_to(Session& session, const core::Message& message) noexcept {
    // A backlog reader pushes what it finds stored, up to where deliveries have begun.
    if (session.catching_up() || message.seq <= session.backlog_position) return 1;
    std::size_t steps = 1;
    const bool well = faults_.guard("push", [&] {
        push(session, message.seq, [&] {
            protocol::encode_push(message, scratch_);
            steps += scratch_.size() / kBytesOfStep;
        });
    });
    if (!well) fail(session);
    return steps;
}

std::size_t Registry::announce_to(Session& session, const store::Subscribe& op) noexcept {
    if (session.identity()->agent == op.agent || session.identity()->stream) return 1;
    const bool well = faults_.guard("push", [&] {
        push(session, {},
             [&] { protocol::encode_channel_agent_joined(op.channel, op.agent, scratch_); });
    });
    if (!well) fail(session);
    return 1;
}

void Registry::fail(Session& session) noexcept {
    faults_.guard("closing of a session",
                  [&] { session.close(protocol::CloseCode::internal_error); });
}

}  // namespace agentcom::delivery
