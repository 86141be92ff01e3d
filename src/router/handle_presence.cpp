// Connections: identify, status, who is online, the end of a connection.

#include <memory>
#include <utility>

#include "router/impl.hpp"

namespace agentcom::router {

namespace {

protocol::AgentInfo to_info(services::PresentAgent agent) {
    return {std::move(agent.agent), std::move(agent.profile.name), std::move(agent.profile.status),
            std::move(agent.profile.capabilities), agent.connected_at};
}

delivery::SharedBytes to_frame(std::string_view text) {
    auto frame = std::make_shared<std::string>();
    delivery::append_text_frame(*frame, text);
    return frame;
}

}  // namespace

void Router::Impl::announce(const core::AgentId& agent, std::string_view text) {
    loops_.post_all([agent, frame = to_frame(text)](delivery::EventLoop& loop) {
        loop.registry().push_presence(frame, &agent);
    });
}

void Router::Impl::replace_session(const core::AgentId& agent, services::SessionPlace place) {
    delivery::EventLoop& loop = loops_[place.loop];
    loop.post([&loop, agent, id = place.session_id] {
        loop.registry().for_each([&](delivery::Session& session) {
            if (session.identity()->session_id == id && session.identity()->agent == agent) {
                session.close(protocol::CloseCode::replaced);
            }
        });
    });
}

protocol::Reply Router::Impl::identify(delivery::EventLoop& loop, delivery::Session& session,
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
        if (*part && (*part)->text.size() > options_.max_profile_bytes) {
            return core::Error(core::ErrorCode::invalid_field, field,
                               std::string(field) + " is too long");
        }
    }

    const core::Timestamp now = clock_.now();
    services::PresentAgent present{
        identity->agent,
        {request.name.value_or(protocol::json_string(identity->agent.str())),
         request.status.value_or(protocol::json_string("connected")),
         request.capabilities.value_or(core::JsonText{"[]"})},
        now};
    const std::uint64_t session_id = core::random_u64();
    session.set_identity({identity->agent, identity->role, session_id, request.acks,
                          request.presence, request.echo});
    const core::Seq head = loop.registry().applied_head();
    protocol::Identified identified{.agent = identity->agent,
                                    .epoch = store.epoch(),
                                    .session_id = session_id,
                                    .max_frame_bytes = options_.max_frame_bytes,
                                    .messages_per_second = options_.messages_per_second};
    if (request.acks) {
        session.set_catching_up(true);
        session.backlog_position = store.mailbox_cursor(identity->agent);
        session.backlog_first_end = head;
        identified.truncated =
            mailbox_.stretch(identity->agent, session.backlog_position, head, 1, true).truncated;
    } else {
        session.set_read_position(mailbox_.begin_live(identity->agent, head));
    }
    const auto previous = presence_.join(present, {session_id, loop.index()});
    loop.registry().add(session, channels_.subscriptions(identity->agent.str()));
    if (previous) {
        replace_session(identity->agent, *previous);
    }
    analytics_.connected(identity->agent, now);
    std::string joined;
    protocol::encode_agent_joined(to_info(std::move(present)), joined);
    announce(identity->agent, joined);
    return protocol::ReplyValue(std::move(identified));
}

void Router::Impl::disconnected(delivery::EventLoop& loop, delivery::Session& session) {
    if (!session.identity()) return;
    loop.registry().remove(session);
    const core::AgentId agent = session.identity()->agent;
    if (const auto position = session.take_read_position()) {
        if (auto mark = mailbox_.end_live(agent, position)) {
            loop.submit(std::move(*mark),
                        [this, agent](const store::WriteResult&) { mailbox_.stored(agent); });
        }
    }
    if (!presence_.leave(agent, session.identity()->session_id)) return;
    analytics_.disconnected(agent, clock_.now());
    std::string left;
    protocol::encode_agent_left(agent, left);
    announce(agent, left);
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
    if (request.status.text.size() > options_.max_profile_bytes) {
        return context.reply(
            core::Error(core::ErrorCode::invalid_field, "status", "status is too long"));
    }
    const delivery::SessionIdentity& self = *context.session->identity();
    analytics_.seen(self.agent, clock_.now());
    auto changed = presence_.set_status(self.agent, self.session_id, std::move(request.status));
    context.reply(protocol::ReplyValue(protocol::StatusUpdated{}));
    if (!changed) return;
    std::string text;
    protocol::encode_status_changed(to_info(std::move(*changed)), text);
    if (self.echo) {
        loops_.post_all([frame = to_frame(text)](delivery::EventLoop& loop) {
            loop.registry().push_presence(frame, nullptr);
        });
    } else {
        announce(self.agent, text);
    }
}

void Router::Impl::operate(Context context, protocol::ListAgents) {
    protocol::AgentList list;
    for (services::PresentAgent& agent : presence_.list()) {
        list.agents.push_back(to_info(std::move(agent)));
    }
    context.reply(protocol::ReplyValue(std::move(list)));
}

void Router::Impl::operate(Context context, protocol::Health) {
    protocol::HealthReport report{.agents_connected = presence_.count()};
    if (store.state() == store::StoreState::full) {
        report.state = protocol::HealthState::storage_full;
    } else if (store.state() == store::StoreState::failed) {
        report.state = protocol::HealthState::storage_failed;
    }
    if (const store::StoreStats stats = store.stats(); stats.reader_is_late) {
        report.reader_lag = stats.reader_lag;
    }
    if (shutting_down) report.state = protocol::HealthState::shutting_down;
    context.reply(protocol::ReplyValue(report));
}

}  // namespace agentcom::router
