// Connections: identify, status, who is online, the end of a connection.

#include <algorithm>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "router/impl.hpp"

namespace agentcom::router {

namespace {

protocol::AgentInfo to_info(services::PresentAgent agent) {
    return {std::move(agent.agent), std::move(agent.profile.name), std::move(agent.profile.status),
            std::move(agent.profile.capabilities), agent.connected_at};
}

/// What a page of the list that a watcher is given instead of many changes may hold.
constexpr std::size_t kSnapshotAgents = 250;
constexpr std::size_t kSnapshotBytes = std::size_t{32} << 10;

}  // namespace

void Router::Impl::feed_watchers() {
    const std::size_t most_bytes = std::min<std::size_t>(
        kSnapshotBytes, static_cast<std::size_t>(options_.max_frame_bytes) / 2);
    for (std::size_t i = 0; i < loops_.size(); ++i) {
        loops_[i].registry().presence().set_source([this, most_bytes](const std::string& after) {
            services::Presence::Page page = presence_.page(after, kSnapshotAgents, most_bytes);
            std::vector<protocol::AgentInfo> agents;
            agents.reserve(page.agents.size());
            for (services::PresentAgent& agent : page.agents) {
                agents.push_back(to_info(std::move(agent)));
            }
            delivery::PresencePage made{page.version, {}, {}};
            if (page.more) made.next = agents.back().agent.str();
            protocol::encode_agents_snapshot(agents, made.next, made.text);
            return made;
        });
    }
}

template <class Encode>
void Router::Impl::announce(delivery::PresenceChange change, Encode encode) {
    try {
        encode(change.text);
    } catch (const std::exception&) {
        // Without its text the version still comes, and watchers are given the list instead.
        change.text.clear();
    }
    loops_.announce(std::make_shared<const delivery::PresenceChange>(std::move(change)));
}

void Router::Impl::replace_session(const core::AgentId& agent, services::SessionPlace place) {
    delivery::EventLoop& loop = loops_[place.loop];
    loop.post([&loop, agent, id = place.session_id] {
        loop.registry().close(agent, id, protocol::CloseCode::replaced);
    });
}

protocol::Reply Router::Impl::identify(delivery::EventLoop& loop, delivery::Session& session,
                                       const protocol::Identify& request) {
    protocol::Reply reply = try_identify(loop, session, request);
    Answer(nullptr, loop, protocol::Operation::identify, {}).count(reply);
    // The next attempt may be another agent's.
    if (!session.identity()) session.backlog_start = {};
    return reply;
}

protocol::Reply Router::Impl::try_identify(delivery::EventLoop& loop, delivery::Session& session,
                                           const protocol::Identify& request) {
    auto identity = auth_.verify(request.token);
    if (!identity) return core::Error(core::ErrorCode::invalid_token);
    if (identity->agent.str() != request.agent_id) {
        return core::Error(core::ErrorCode::token_agent_mismatch);
    }
    if (session.identity()) return core::Error(core::ErrorCode::already_identified);
    if (shutting_down) return core::Error(core::ErrorCode::shutting_down);
    for (const auto& [field, part] :
         {std::pair("name", &request.name), std::pair("status", &request.status),
          std::pair("capabilities", &request.capabilities)}) {
        if (auto error = refuse_long(field, *part ? &**part : nullptr)) return *error;
    }

    if (!presence_.may_join(identity->agent, clock_.steady())) {
        if (++session.rate_warnings >= rate_warnings_) {
            session.close(protocol::CloseCode::rate_limited);
        }
        return core::Error(core::ErrorCode::rate_limited, {},
                           "connections of this agent replace one another too often");
    }

    const core::Timestamp now = clock_.now();
    // One moment of the log: what is in it waits in the mailbox, what comes later is pushed. This
    // loop may still have batches before that moment to apply; the changes of subscriptions in them
    // are made twice, which comes to the same.
    const store::ConnectionStart start = store.connection_start(identity->agent);
    // Whoever has turns to spare has looked before; a backlog that is found goes no further back.
    while (!find_backlog(session, identity->agent, request.acks, start.head)) {
    }
    services::PresentAgent present{
        identity->agent,
        {request.name.value_or(protocol::json_string(identity->agent.str())),
         request.status.value_or(protocol::json_string("connected")),
         request.capabilities.value_or(core::JsonText{"[]"})},
        now};
    const std::uint64_t session_id = core::random_u64();
    session.set_identity({.agent = identity->agent,
                          .role = identity->role,
                          .session_id = session_id,
                          .acks = request.acks,
                          .presence = request.presence,
                          .echo = request.echo,
                          .token = identity->token,
                          .expires_at = identity->expires_at});
    protocol::Identified identified{.agent = identity->agent,
                                    .epoch = store.epoch(),
                                    .session_id = session_id,
                                    .max_frame_bytes = options_.max_frame_bytes,
                                    .messages_per_second = rates_.per_second()};
    const store::MailboxView& backlog = session.backlog_start;
    session.begins_after = start.head;
    session.backlog_position = request.acks ? backlog.position : start.head;
    session.set_catching_up(request.acks);
    if (request.acks && backlog.truncated) {
        identified.truncated = true;
        identified.last_seq = backlog.position;
    }
    // What was lost without a word is not settled.
    const core::Seq settled = request.acks || !backlog.truncated ? backlog.position : core::Seq{};
    session.set_read_position(
        mailbox_.begin_live(identity->agent, settled, session.backlog_position, !request.acks));
    loop.registry().add(session, start.subscriptions);
    watch_token(loop, session);
    const auto joined = presence_.join(present, {session_id, loop.index()});
    roster_.connected(identity->agent);
    // Of what came before its own joining it is told by list_agents only.
    session.listing.presence_seen = joined.version;
    announce({joined.version, identity->agent, delivery::PresenceChange::Kind::joined, false, {}},
             [&](std::string& text) {
                 protocol::encode_agent_joined(to_info(std::move(present)), text);
             });
    if (joined.replaced) replace_session(identity->agent, *joined.replaced);
    analytics_.connected(identity->agent, now);
    return protocol::ReplyValue(std::move(identified));
}

void Router::Impl::disconnected(delivery::EventLoop& loop, delivery::Session& session) {
    if (!session.identity()) return;
    loop.registry().remove(session);
    forget_token(loop, session);
    session.quota_place.reset();
    const core::AgentId agent = session.identity()->agent;
    if (const auto position = session.take_read_position()) {
        if (auto mark = mailbox_.end_live(agent, position)) {
            loop.submit(std::move(*mark),
                        [this, agent](const store::WriteResult&) { mailbox_.stored(agent); });
        }
    }
    const auto left = presence_.leave(agent, session.identity()->session_id);
    if (!left) return;
    roster_.seen(agent, clock_.now());
    announce({*left, agent, delivery::PresenceChange::Kind::left, false, {}},
             [&](std::string& text) { protocol::encode_agent_left(agent, text); });
    analytics_.disconnected(agent, clock_.now());
}

void Router::Impl::operate(Context context, protocol::Identify) {
    // Transports that have connections call Router::identify; elsewhere there is nothing to
    // identify.
    context.reply(core::Error(core::ErrorCode::unknown_message_type));
}

void Router::Impl::operate(Context context, protocol::Ping) {
    const core::Timestamp now = clock_.now();
    if (context.caller.agent) analytics_.seen(*context.caller.agent, now);
    context.reply(protocol::ReplyValue(protocol::Pong{now}));
}

void Router::Impl::operate(Context context, protocol::SetStatus request) {
    if (auto error = refuse_long("status", &request.status)) {
        return context.reply(std::move(*error));
    }
    const delivery::SessionIdentity& self = *context.session->identity();
    analytics_.seen(self.agent, clock_.now());
    auto changed = presence_.set_status(self.agent, self.session_id, std::move(request.status));
    if (changed) {
        announce(
            {changed->version, self.agent, delivery::PresenceChange::Kind::status, self.echo, {}},
            [&](std::string& text) {
                protocol::encode_status_changed(to_info(std::move(changed->agent)), text);
            });
    }
    context.reply(protocol::ReplyValue(protocol::StatusUpdated{}));
}

std::optional<core::Error> Router::Impl::refuse_long(const char* field,
                                                     const core::JsonText* part) const {
    if (part == nullptr || part->text.size() <= options_.max_profile_bytes) return std::nullopt;
    return core::Error(core::ErrorCode::invalid_field, field, std::string(field) + " is too long");
}

bool Router::Impl::announce_profile(const core::AgentId& agent,
                                    const protocol::SetProfile& profile) {
    auto changed = presence_.set_profile(agent, profile.status, profile.capabilities);
    if (!changed) return false;
    announce({changed->version, agent, delivery::PresenceChange::Kind::status, true, {}},
             [&](std::string& text) {
                 protocol::encode_status_changed(to_info(std::move(changed->agent)), text);
             });
    return true;
}

void Router::Impl::operate(Context context, protocol::ListAgents request) {
    const core::PageLimit limit = page_limit(context, request.range.limit);
    // The bound is on the profiles; names and what the last profile has too much come on top.
    auto page = presence_.page(request.range.cursor, limit.count, limit.bytes / 2);
    protocol::AgentList list;
    if (page.more && !page.agents.empty()) list.next_cursor = page.agents.back().agent.str();
    std::uint64_t bytes = 0;
    for (services::PresentAgent& agent : page.agents) {
        bytes += agent.profile.bytes();
        list.agents.push_back(to_info(std::move(agent)));
    }
    charge(context.caller, bytes);
    context.reply(protocol::ReplyValue(std::move(list)));
}

}  // namespace agentcom::router
