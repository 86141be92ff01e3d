// What observers are shown: a stream of what changes, one agent's page, who writes to whom.

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "agentcom/core/token.hpp"
#include "router/impl.hpp"
#include "router/pair_count.hpp"

namespace agentcom::router {

namespace {

constexpr std::int64_t kHourMillis = 3'600'000;
constexpr std::uint64_t kBytesOfRow = 400;  // of a snapshot, about

std::string_view name_of(store::StoreState state) noexcept {
    switch (state) {
        case store::StoreState::ok:
            return "ok";
        case store::StoreState::full:
            return "full";
        case store::StoreState::failed:
            return "failed";
    }
    return "";
}

}  // namespace

void Router::Impl::operate(Context context, protocol::Observe) {
    // There must be something to stream to.
    if (context.session == nullptr || context.session->identity()) {
        return context.reply(core::Error(core::ErrorCode::unknown_message_type));
    }
    delivery::Session& session = *context.session;
    const core::AgentId& agent = *context.caller.agent;
    const auto identity = context.caller.token
                              ? auth_.find(*context.caller.token, context.caller.web_session)
                              : std::nullopt;
    if (!identity || identity->agent != agent) {
        return context.reply(core::Error(core::ErrorCode::unauthorized));
    }
    if (shutting_down) return context.reply(core::Error(core::ErrorCode::shutting_down));
    if (auto error = take_stream(session, context.caller)) return context.reply(std::move(*error));
    session.set_identity({.agent = agent,
                          .role = context.caller.role,
                          .session_id = core::random_u64(),
                          .acks = false,
                          .presence = false,
                          .echo = false,
                          .stream = true,
                          .token = identity->token,
                          .expires_at = identity->expires_at,
                          .web_session = identity->web_session});
    // It stands among the agent's sessions so that it ends with its token, and is told nothing.
    session.replace_messages({});
    session.begins_after = store.head();
    context.loop.registry().add(session, {});
    watch_token(context.loop, session);
    // Two places in one: both are given back when the session ends.
    session.quota_place = std::make_shared<std::pair<std::shared_ptr<void>, std::shared_ptr<void>>>(
        std::move(session.quota_place), feed_->watch(context.loop, session));
    charge(context.caller, feed_->rows_shown() * kBytesOfRow);
    context.reply(protocol::ReplyValue(protocol::ObserverJoined{}));
}

void Router::Impl::operate(Context context, protocol::ObserveAgent request) {
    const auto agent = core::AgentId::parse_issued(request.agent);
    if (!agent) return context.reply(core::Error(core::ErrorCode::invalid_agent_id));
    const core::Timestamp now = clock_.now();
    backlogs_->begin_if_due(context.loop);
    BacklogSweep::Finding unswept;
    const BacklogSweep::Finding* finding = nullptr;
    const auto last = backlogs_->last();
    if (last) {
        const auto found = last->findings->find(agent->str());
        if (found != last->findings->end()) finding = &found->second;
    }
    auto row = observe_agent(agent_sources(), *agent, finding, now);
    if (!row && store.find_holder(agent->str(), now)) {
        // Somebody holds a token for it, and it has not been here yet.
        row = observe_agent(agent_sources(), *agent, &unswept, now);
        row->unread.reset();
    }
    if (!row) {
        return context.reply(
            core::Error(core::ErrorCode::not_found, {}, "nothing is known of this agent"));
    }
    protocol::ObservedAgentPage page{.row = std::move(*row), .hours = {}, .subscriptions = {}};
    for (const services::HourlyActivity& hour : analytics_.hourly(agent->str(), now)) {
        page.hours.push_back({{hour.bucket * kHourMillis}, hour.sent, hour.received});
    }
    core::Budget budget({.count = protocol::ObservedAgentPage::kMostSubscriptions});
    const auto viewer = channel_viewer(context.caller);
    store::ChannelNamePage names = store.subscriptions(agent->str(), {}, budget, viewer);
    page.subscriptions = std::move(names.entries);
    page.more_subscriptions = names.more;
    charge(context.caller, budget);
    context.reply(protocol::ReplyValue(std::move(page)));
}

void Router::Impl::operate(Context context, protocol::ObservePairs request) {
    pairs_->answer(context.loop, request,
                   [reply = std::move(context.reply)](PairCount::Answer pairs) {
                       if (!pairs) return reply(core::Error(core::ErrorCode::internal));
                       reply(protocol::ReplyValue(std::move(pairs)));
                   });
}

AgentSources Router::Impl::agent_sources() const {
    return {analytics_, presence_, roster_, *streams_, *looking_, settings_};
}

protocol::HubOverview Router::Impl::overview(const ObservedRows::Counts& counts) {
    const HubWatch::Last lately = watch_->last();
    const store::StoreStats stats = store.stats();
    protocol::HubOverview made;
    made.agents = {.total = counts.working + counts.idle + counts.polling + counts.offline,
                   .working = counts.working,
                   .idle = counts.idle,
                   .polling = counts.polling,
                   .offline = counts.offline,
                   .left_out = counts.left_out};
    made.counting = recounting_.load();
    made.messages_per_second = lately.messages_per_second;
    made.messages_24h = lately.messages_24h;
    made.commit = lately.commit;
    made.delivery = lately.delivery;
    if (const auto unread = backlogs_->last()) {
        made.unread = {.counted = true,
                       .messages = unread->messages,
                       .agents = unread->mailboxes,
                       .oldest = unread->oldest,
                       .growing = counts.growing};
    }
    for (std::size_t i = 0; i < loops_.size(); ++i) {
        delivery::LoopFigures::ByKind& open = loops_[i].figures().open;
        const auto of = [&](delivery::ConnectionKind kind) {
            return delivery::LoopFigures::of(open, kind).value();
        };
        made.connections.websocket += of(delivery::ConnectionKind::websocket);
        made.connections.http += of(delivery::ConnectionKind::http);
    }
    made.connections.streams = streams_->taken();
    made.connections.long_polls = waiting_polls_.taken();
    made.connections.observers = feed_->observers();
    made.store = {.state = name_of(store.state()),
                  .file_bytes = stats.file_bytes,
                  .room_bytes = stats.room_bytes,
                  .max_bytes = stats.max_file_bytes,
                  .log_bytes = stats.log_bytes,
                  .log_max_bytes = stats.max_log_bytes,
                  .messages = stats.messages,
                  .messages_max = stats.max_messages,
                  .reader_lag = stats.reader_lag};
    made.head_seq = stats.head_seq.value;

    const protocol::HealthState alive = liveness(std::nullopt);
    const services::AlarmFigures figures{
        .store_full = store.state() == store::StoreState::full,
        .store_failed = store.state() == store::StoreState::failed,
        .room_bytes = stats.room_bytes,
        .max_bytes = stats.max_file_bytes,
        .failed_batches = lately.failed_batches,
        .commit_stalled = alive == protocol::HealthState::commit_stalled,
        .loop_stalled = alive == protocol::HealthState::loop_stalled,
        .slow_consumers = lately.slow_consumers,
        .wrong_tokens = lately.wrong_tokens,
        .lost_log_lines = lately.lost_log_lines,
        .not_reading = counts.not_reading,
        .not_reading_count = counts.not_reading_count};
    for (services::Alarm& alarm : alarms_.judge(figures, clock_.now())) {
        made.alarms.push_back({.code = alarm.code,
                               .critical = alarm.critical,
                               .text = std::move(alarm.text),
                               .since = alarm.since,
                               .agents = std::move(alarm.agents)});
    }
    return made;
}

void Router::Impl::watch_hub(delivery::EventLoop& loop) {
    loop.on_tick([this] { watch_->look(); });
    DayRecount::begin(loop, store, clock_, started_at_head_, analytics_, *watch_,
                      [this] { recounting_ = false; });
}

}  // namespace agentcom::router
