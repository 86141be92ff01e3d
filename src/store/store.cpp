#include "agentcom/store/store.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <exception>
#include <future>
#include <new>
#include <string>
#include <utility>

#include "store/body_digest.hpp"
#include "store/channel_access.hpp"
#include "store/commit_pipeline.hpp"
#include "store/history_view.hpp"
#include "store/keys.hpp"
#include "store/list_view.hpp"
#include "store/mailbox_view.hpp"
#include "store/message_log.hpp"
#include "store/read_notes.hpp"
#include "store/replay.hpp"
#include "store/rows.hpp"
#include "store/schema.hpp"
#include "store/tally_view.hpp"
#include "store/visibility.hpp"

namespace agentcom::store {
namespace {

constexpr const char* kTtlSetting = "mailbox_ttl_ms";

/// Keys longer than an id can be have no rows, and LMDB would refuse them.
bool is_possible_agent(std::string_view text) {
    return !text.empty() && text.size() <= core::kMaxAgentIdBytes;
}

std::optional<std::uint64_t> read_setting(const Transaction& txn, std::string_view name) {
    const auto row = txn.get(txn.tables().settings, name);
    if (!row) return std::nullopt;
    return parse_number(*row);
}

}  // namespace

class Store::Impl {
public:
    Impl(StoreOptions opts, const core::Clock& the_clock)
        : options(std::move(opts)),
          clock(the_clock),
          env(options.directory, options.map_size),
          schema(open_schema(env,
                             UpgradeCopy{options.directory, clock.now(), options.on_upgrade_copy})),
          replayed(replay_journal(env, options, schema.epochs, schema.state, stored_ttl(), notes)),
          pipeline(env, options, clock, schema.epochs, replayed.state, stored_ttl(), notes,
                   replayed.next_number) {}

    [[nodiscard]] std::optional<std::uint64_t> stored_ttl() const {
        const ReadTransaction txn(env);
        return read_setting(txn, kTtlSetting);
    }
    /// Reads in a snapshot of its own, in which everything is that has been announced. What is
    /// damaged is counted and logged, and the caller's error.
    template <class Read>
    auto read(Read&& what) const {
        pipeline.show_announced();
        return read_settled(std::forward<Read>(what));
    }
    /// The same for what only operations change that are never deferred: tokens, sessions in
    /// browsers, channels and their members, settings.
    template <class Read>
    auto read_settled(Read&& what) const {
        try {
            const ReadTransaction txn(env);
            return std::forward<Read>(what)(txn);
        } catch (const DamagedStore& error) {
            env.damage().report(error.what());
            throw;
        } catch (const LmdbError& error) {
            env.damage().report(error.what());
            throw;
        }
    }
    [[nodiscard]] StateRow state(const Transaction& txn) const {
        const auto row = txn.get(txn.tables().meta, kMetaState);
        if (!row) throw DamagedStore("the store has lost its own numbers");
        return StateRow::parse(*row);
    }

    /// On the caller's thread: what applying the operation would otherwise have to look up or work
    /// out on the commit thread.
    void prepare(WriteOp& op) const {
        if (auto* append = std::get_if<AppendMessage>(&op)) {
            if (append->idempotency_key) append->body_digest = body_digest(append->draft);
        } else if (auto* trim = std::get_if<Trim>(&op)) {
            trim->bounds = TrimBounds{.history_messages = options.history_messages,
                                      .ttl = pipeline.ttl(),
                                      .max_messages = options.retention_messages,
                                      .max_age = options.retention_age,
                                      .max_bytes = options.retention_bytes,
                                      .channel_history = options.channel_history,
                                      .idempotency_window = options.idempotency_window,
                                      .short_of_room = pipeline.state() == StoreState::full};
        }
    }
    /// Counts what the read has looked at when it is over, whatever comes of it.
    class Walk {
    public:
        Walk(const Impl& impl, core::Budget& budget)
            : impl_(impl), budget_(budget), before_(budget.walked()) {}
        ~Walk() {
            impl_.notes.steps.fetch_add(budget_.walked() - before_, std::memory_order_relaxed);
        }
        Walk(const Walk&) = delete;
        Walk& operator=(const Walk&) = delete;

    private:
        const Impl& impl_;
        core::Budget& budget_;
        std::uint64_t before_;
    };

    const StoreOptions options;
    const core::Clock& clock;
    mutable ReadNotes notes;
    // Transactions begin inside const members; opening one changes nothing a caller could see.
    mutable Environment env;
    const OpenedSchema schema;
    const Replayed replayed;
    CommitPipeline pipeline;
};

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;

std::unique_ptr<Store> Store::open(StoreOptions options, const core::Clock& clock) {
    try {
        return std::unique_ptr<Store>(new Store(std::make_unique<Impl>(std::move(options), clock)));
    } catch (const JournalError& error) {
        throw StoreError("the store's journal cannot be begun: " + std::string(error.what()));
    } catch (const LmdbError& error) {
        throw StoreError("the store cannot be opened: " + std::string(error.what()));
    }
}

void Store::start(CommitListener* listener) { impl_->pipeline.start(listener); }
void Store::stop() { impl_->pipeline.stop(); }

void Store::submit(std::vector<Submission>&& submissions) {
    if (submissions.empty()) return;
    for (Submission& submission : submissions) impl_->prepare(submission.op);
    impl_->pipeline.submit(std::move(submissions));
}
void Store::submit(Submission&& submission) {
    impl_->prepare(submission.op);
    impl_->pipeline.submit(std::move(submission));
}

Store::Burst::Burst(Store& store) : store_(store) { store_.impl_->pipeline.begin_burst(); }
Store::Burst::~Burst() { store_.impl_->pipeline.end_burst(); }

WriteResult Store::submit_and_wait(WriteOp op) {
    std::promise<WriteResult> outcome;
    submit(Submission{std::move(op),
                      [&outcome](const WriteResult& result) {
                          try {
                              outcome.set_value(result);
                          } catch (const std::bad_alloc&) {
                              outcome.set_exception(std::current_exception());
                          }
                      },
                      kNoLoop});
    return outcome.get_future().get();
}

bool Store::lags() const noexcept { return impl_->pipeline.lags(); }
bool Store::saturated() const noexcept { return impl_->pipeline.saturated(); }
void Store::set_quotas(const Quotas& quotas) { impl_->pipeline.set_quotas(quotas); }
core::Epoch Store::epoch() const noexcept { return impl_->schema.epochs.newest(); }
StoreState Store::state() const noexcept { return impl_->pipeline.state(); }
StoreStats Store::stats() const {
    StoreStats stats = impl_->pipeline.stats();
    stats.read_steps = impl_->notes.steps.load(std::memory_order_relaxed);
    stats.max_file_bytes = impl_->options.map_size;
    stats.max_log_bytes = impl_->options.retention_bytes;
    stats.max_messages = impl_->options.retention_messages;
    return stats;
}
JournalFigures Store::journal_figures() const {
    JournalFigures figures = impl_->pipeline.journal_figures();
    figures.replayed = impl_->replayed.records;
    return figures;
}
CommitFigures Store::commit_figures() const { return impl_->pipeline.figures(); }
std::optional<core::SteadyTime> Store::busy_since() const noexcept {
    return impl_->pipeline.busy_since();
}
core::Seq Store::head() const noexcept { return impl_->pipeline.head(); }
core::Timestamp Store::time() const { return impl_->pipeline.time(); }

std::optional<TokenRecord> Store::find_token(const core::TokenDigest& digest) const {
    return impl_->read_settled([&](const Transaction& txn) -> std::optional<TokenRecord> {
        const auto row = txn.get(txn.tables().tokens, digest_key(digest));
        if (!row) return std::nullopt;
        return parse_token(*row);
    });
}

std::optional<WebSessionRecord> Store::find_web_session(const core::TokenDigest& digest) const {
    return impl_->read_settled([&](const Transaction& txn) -> std::optional<WebSessionRecord> {
        const auto row = txn.get(txn.tables().web_sessions, digest_key(digest));
        if (!row) return std::nullopt;
        return parse_web_session(*row);
    });
}

core::result<TokenPage> Store::list_tokens(std::string_view cursor, core::Budget& budget,
                                           const std::optional<std::string_view>& agent) const {
    const Impl::Walk walk(*impl_, budget);
    return impl_->read(
        [&](const Transaction& txn) { return read_tokens(txn, cursor, agent, budget); });
}

bool Store::has_token(std::string_view agent) const {
    if (!is_possible_agent(agent)) return false;
    return impl_->read_settled([&](const Transaction& txn) {
        const std::string prefix = owner_prefix(agent);
        Cursor cursor(txn, txn.tables().tokens_by_agent);
        return cursor.at_or_after(prefix) && cursor.key().starts_with(prefix);
    });
}

std::optional<HolderRecord> Store::find_holder(std::string_view agent, core::Timestamp now) const {
    if (!is_possible_agent(agent)) return std::nullopt;
    return impl_->read([&](const Transaction& txn) { return read_holder(txn, agent, now); });
}

core::Page<HolderRecord> Store::list_holders(std::string_view after, core::Timestamp now,
                                             core::Budget& budget) const {
    if (!after.empty() && !is_possible_agent(after)) return {};
    const Impl::Walk walk(*impl_, budget);
    return impl_->read(
        [&](const Transaction& txn) { return read_holders(txn, after, now, budget); });
}

void Store::read_mailbox(const MailboxQuery& query, core::Budget& budget, MailboxView& view,
                         const MessageVisitor& visit) const {
    const Impl::Walk walk(*impl_, budget);
    impl_->pipeline.show_announced_to(query);
    return impl_->read_settled([&](const Transaction& txn) {
        const StateRow state = impl_->state(txn);
        const core::Timestamp now = impl_->pipeline.time();
        const core::Millis ttl = impl_->pipeline.ttl();
        const MailboxLimits limits{.epochs = impl_->schema.epochs,
                                   .head = state.head,
                                   // What it shows may lag behind what it has told of.
                                   .newest = std::max(state.head, impl_->pipeline.head()),
                                   .first_of_log = state.first,
                                   .evicted = state.evicted,
                                   .oldest_shown = core::Timestamp{now.ms - ttl.count()},
                                   .stored_bytes = state.log_bytes + state.kept_bytes};
        store::read_mailbox(txn, query, limits, impl_->notes, budget, view, visit);
    });
}

core::Seq Store::mailbox_cursor(const core::AgentId& agent) const {
    return impl_->read([&](const Transaction& txn) { return read_agent(txn, agent.str()).cursor; });
}

ConnectionStart Store::connection_start(const core::AgentId& agent) const {
    return impl_->read([&](const Transaction& txn) {
        core::Budget all({.steps = core::kUnbounded});  // their number has a bound of its own
        return ConnectionStart{impl_->state(txn).head, read_agent(txn, agent.str()).cursor,
                               read_subscriptions(txn, agent.str(), {}, all, std::nullopt).entries};
    });
}

std::optional<ChannelRecord> Store::find_channel(const core::ChannelName& name,
                                                 const std::optional<Viewer>& viewer) const {
    return impl_->read_settled([&](const Transaction& txn) -> std::optional<ChannelRecord> {
        const auto row = txn.get(txn.tables().channels, name.str());
        if (!row) return std::nullopt;
        ChannelRecord channel = parse_channel(name, *row);
        if (!may_know(txn, channel, viewer)) return std::nullopt;
        return channel;
    });
}

MemberRights Store::member_rights(const core::ChannelName& name, std::string_view agent) const {
    if (!is_possible_agent(agent)) return 0;
    return impl_->read_settled(
        [&](const Transaction& txn) { return read_member_rights(txn, name.str(), agent); });
}

std::vector<ChannelMember> Store::members(const core::ChannelName& name) const {
    return impl_->read_settled(
        [&](const Transaction& txn) { return read_members(txn, name.str()); });
}

ChannelPage Store::list_channels(std::string_view after, core::Budget& budget,
                                 const std::optional<Viewer>& viewer) const {
    const Impl::Walk walk(*impl_, budget);
    return impl_->read(
        [&](const Transaction& txn) { return read_channels(txn, after, budget, viewer); });
}

core::Page<core::AgentId> Store::subscribers(const core::ChannelName& name, std::string_view after,
                                             core::Budget& budget) const {
    const Impl::Walk walk(*impl_, budget);
    return impl_->read(
        [&](const Transaction& txn) { return read_subscribers(txn, name, after, budget); });
}

ChannelNamePage Store::subscriptions(std::string_view agent, std::string_view after,
                                     core::Budget& budget,
                                     const std::optional<Viewer>& viewer) const {
    if (!is_possible_agent(agent)) return {};
    const Impl::Walk walk(*impl_, budget);
    return impl_->read([&](const Transaction& txn) {
        return read_subscriptions(txn, agent, after, budget, viewer);
    });
}

ChannelHistoryPage Store::channel_history(const ChannelHistoryQuery& query,
                                          core::Budget& budget) const {
    const Impl::Walk walk(*impl_, budget);
    return impl_->read([&](const Transaction& txn) {
        return read_channel_history(txn, query, impl_->options.channel_history,
                                    impl_->schema.epochs, budget);
    });
}

MessagePage Store::history(const HistoryQuery& query, core::Budget& budget) const {
    const Impl::Walk walk(*impl_, budget);
    return impl_->read([&](const Transaction& txn) {
        return read_history(txn, query, impl_->options.history_messages, impl_->schema.epochs,
                            budget);
    });
}

LogWalk Store::walk_log(core::Seq after, core::Budget& budget, const LogVisitor& visit) const {
    const Impl::Walk walk(*impl_, budget);
    return impl_->read([&](const Transaction& txn) {
        return agentcom::store::walk_log(txn, after, budget, visit);
    });
}

core::Seq Store::first_sent_at_or_after(core::Timestamp time) const {
    return impl_->read([&](const Transaction& txn) {
        return agentcom::store::first_sent_at_or_after(txn, time, impl_->state(txn).head);
    });
}

std::optional<core::Timestamp> Store::sent_at(core::Seq seq) const {
    return impl_->read([&](const Transaction& txn) { return agentcom::store::sent_at(txn, seq); });
}

core::Page<core::AgentId> Store::list_unclaimed(std::string_view after,
                                                core::Budget& budget) const {
    if (!after.empty() && !is_possible_agent(after)) return {};
    const Impl::Walk walk(*impl_, budget);
    return impl_->read([&](const Transaction& txn) { return read_unclaimed(txn, after, budget); });
}

DeliveryCounts Store::count_deliveries(std::string_view agent, core::Seq after,
                                       core::Budget& budget) const {
    if (!is_possible_agent(agent)) return {};
    const Impl::Walk walk(*impl_, budget);
    return impl_->read([&](const Transaction& txn) {
        return agentcom::store::count_deliveries(txn, agent, after, budget);
    });
}

core::MessagePtr Store::find_message(core::Seq seq) const {
    return impl_->read([&](const Transaction& txn) {
        LogReader log(txn);
        const auto record = log.find(seq);
        return record ? to_message(*record, seq, impl_->schema.epochs) : nullptr;
    });
}

core::MessagePtr Store::find_message(std::string_view id,
                                     const std::optional<Viewer>& viewer) const {
    std::optional<core::Seq> seq = impl_->schema.epochs.seq_of(id);
    if (!seq) {
        core::Seq number;
        const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number.value);
        if (error == std::errc() && end == id.data() + id.size()) seq = number;
    }
    if (!seq) return nullptr;
    return impl_->read([&](const Transaction& txn) -> core::MessagePtr {
        LogReader log(txn);
        const auto record = log.read(*seq).record;
        core::Budget one({});
        if (!record || !Visibility(txn, viewer).shows(*record, *seq, one)) return nullptr;
        return to_message(*record, *seq, impl_->schema.epochs);
    });
}

std::string Store::thread_root(std::string_view message_id,
                               const std::optional<Viewer>& viewer) const {
    return impl_->read([&](const Transaction& txn) {
        return read_thread_root(txn, message_id, impl_->schema.epochs, viewer);
    });
}

MessagePage Store::thread(std::string_view root, core::Seq cursor, core::Budget& budget,
                          const std::optional<Viewer>& viewer) const {
    const Impl::Walk walk(*impl_, budget);
    return impl_->read([&](const Transaction& txn) {
        return read_thread(txn, root, cursor, impl_->schema.epochs, budget, viewer);
    });
}

MessagePage Store::replies(std::string_view message_id, core::Seq cursor, core::Budget& budget,
                           const std::optional<Viewer>& viewer) const {
    const Impl::Walk walk(*impl_, budget);
    return impl_->read([&](const Transaction& txn) {
        return read_replies(txn, message_id, cursor, impl_->schema.epochs, budget, viewer);
    });
}

core::Millis Store::mailbox_ttl() const noexcept { return impl_->options.mailbox_ttl; }

std::optional<std::uint64_t> Store::setting(std::string_view name) const {
    return impl_->read_settled([&](const Transaction& txn) { return read_setting(txn, name); });
}

}  // namespace agentcom::store
