#include "agentcom/store/store.hpp"

#include <algorithm>
#include <future>
#include <string>
#include <tuple>
#include <utility>

#include "store/body_digest.hpp"
#include "store/commit_pipeline.hpp"
#include "store/history_view.hpp"
#include "store/keys.hpp"
#include "store/mailbox_view.hpp"
#include "store/message_log.hpp"
#include "store/rows.hpp"
#include "store/schema.hpp"

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

/// Calls `visit(rest of the key)` for every key that begins with `prefix`.
template <class Visitor>
void for_each_with_prefix(const Transaction& txn, MDB_dbi table, const std::string& prefix,
                          Visitor&& visit) {
    Cursor cursor(txn, table);
    for (bool more = cursor.at_or_after(prefix); more && cursor.key().starts_with(prefix);
         more = cursor.next()) {
        visit(cursor.key().substr(prefix.size()));
    }
}

}  // namespace

class Store::Impl {
public:
    Impl(StoreOptions opts, const core::Clock& the_clock)
        : options(std::move(opts)),
          clock(the_clock),
          env(options.directory, options.map_size, options.durability == Durability::commit),
          schema(open_schema(env)),
          pipeline(env, options, clock, schema.epoch, schema.state, stored_ttl()) {}

    [[nodiscard]] std::optional<std::uint64_t> stored_ttl() const {
        const ReadTransaction txn(env);
        return read_setting(txn, kTtlSetting);
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

    const StoreOptions options;
    const core::Clock& clock;
    // Transactions begin inside const members; opening one changes nothing a caller could see.
    mutable Environment env;
    const OpenedSchema schema;
    CommitPipeline pipeline;
};

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;

std::unique_ptr<Store> Store::open(StoreOptions options, const core::Clock& clock) {
    return std::unique_ptr<Store>(new Store(std::make_unique<Impl>(std::move(options), clock)));
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

WriteResult Store::submit_and_wait(WriteOp op) {
    std::promise<WriteResult> outcome;
    submit(Submission{std::move(op),
                      [&outcome](const WriteResult& result) { outcome.set_value(result); },
                      kNoLoop});
    return outcome.get_future().get();
}

bool Store::saturated() const noexcept { return impl_->pipeline.saturated(); }
core::Epoch Store::epoch() const noexcept { return impl_->schema.epoch; }
StoreState Store::state() const noexcept { return impl_->pipeline.state(); }
StoreStats Store::stats() const { return impl_->pipeline.stats(); }
core::Seq Store::head() const noexcept { return impl_->pipeline.head(); }

std::optional<TokenRecord> Store::find_token(const core::TokenDigest& digest) const {
    const ReadTransaction txn(impl_->env);
    const auto row = txn.get(txn.tables().tokens, digest_key(digest));
    if (!row) return std::nullopt;
    return parse_token(*row);
}

std::vector<TokenRecord> Store::list_tokens() const {
    std::vector<TokenRecord> tokens;
    {
        const ReadTransaction txn(impl_->env);
        Cursor cursor(txn, txn.tables().tokens);
        for (bool more = cursor.first(); more; more = cursor.next()) {
            tokens.push_back(parse_token(cursor.value()));
        }
    }
    std::sort(tokens.begin(), tokens.end(), [](const TokenRecord& a, const TokenRecord& b) {
        return std::tie(a.agent, a.created_at, a.prefix) <
               std::tie(b.agent, b.created_at, b.prefix);
    });
    return tokens;
}

bool Store::has_token(std::string_view agent) const {
    if (!is_possible_agent(agent)) return false;
    const ReadTransaction txn(impl_->env);
    const std::string prefix = owner_prefix(agent);
    Cursor cursor(txn, txn.tables().tokens_by_agent);
    return cursor.at_or_after(prefix) && cursor.key().starts_with(prefix);
}

MailboxView Store::mailbox(const MailboxQuery& query) const {
    const ReadTransaction txn(impl_->env);
    const StateRow state = impl_->state(txn);
    const core::Timestamp now = std::max(impl_->clock.now(), state.last_timestamp);
    const core::Millis ttl = impl_->pipeline.ttl();
    return read_mailbox(txn, query,
                        MailboxLimits{.epoch = epoch(),
                                      .evicted = state.evicted,
                                      .oldest_shown = core::Timestamp{now.ms - ttl.count()},
                                      .anything_trimmed = state.first.value > 1});
}

core::Seq Store::mailbox_cursor(const core::AgentId& agent) const {
    const ReadTransaction txn(impl_->env);
    return read_agent(txn, agent.str()).cursor;
}

std::optional<ChannelRecord> Store::find_channel(const core::ChannelName& name) const {
    const ReadTransaction txn(impl_->env);
    const auto row = txn.get(txn.tables().channels, name.str());
    if (!row) return std::nullopt;
    return parse_channel(name, *row);
}

std::vector<ChannelRecord> Store::list_channels() const {
    std::vector<ChannelRecord> channels;
    const ReadTransaction txn(impl_->env);
    Cursor cursor(txn, txn.tables().channels);
    for (bool more = cursor.first(); more; more = cursor.next()) {
        channels.push_back(parse_channel(stored_channel_name(cursor.key()), cursor.value()));
    }
    return channels;
}

std::vector<core::AgentId> Store::subscribers(const core::ChannelName& name) const {
    std::vector<core::AgentId> agents;
    const ReadTransaction txn(impl_->env);
    for_each_with_prefix(txn, txn.tables().subscribers, owner_prefix(name.str()),
                         [&](std::string_view agent) { agents.push_back(stored_agent_id(agent)); });
    return agents;
}

std::vector<core::ChannelName> Store::subscriptions(std::string_view agent) const {
    std::vector<core::ChannelName> channels;
    if (!is_possible_agent(agent)) return channels;
    const ReadTransaction txn(impl_->env);
    // A deleted channel's subscriptions end one after the other; until then nobody is shown them.
    const bool removing = Cursor(txn, txn.tables().removals).first();
    for_each_with_prefix(txn, txn.tables().subscriptions, owner_prefix(agent),
                         [&](std::string_view name) {
                             if (removing && txn.get(txn.tables().removals, name)) return;
                             channels.push_back(stored_channel_name(name));
                         });
    return channels;
}

std::vector<core::MessagePtr> Store::channel_history(const core::ChannelName& name,
                                                     std::optional<core::ChannelSeq> since,
                                                     std::uint64_t limit) const {
    const ReadTransaction txn(impl_->env);
    return read_channel_history(txn, name, since, limit, impl_->options.channel_history, epoch());
}

std::vector<core::MessagePtr> Store::history(const HistoryQuery& query) const {
    const ReadTransaction txn(impl_->env);
    return read_history(txn, query, impl_->options.history_messages, epoch());
}

core::MessagePtr Store::find_message(core::Seq seq) const {
    const ReadTransaction txn(impl_->env);
    LogReader log(txn);
    const auto record = log.find(seq);
    return record ? to_message(*record, seq, epoch()) : nullptr;
}

std::string Store::thread_root(std::string_view message_id) const {
    const ReadTransaction txn(impl_->env);
    return read_thread_root(txn, message_id, epoch());
}

std::vector<core::MessagePtr> Store::thread(std::string_view root, core::Seq cursor,
                                            std::uint64_t limit) const {
    const ReadTransaction txn(impl_->env);
    return read_thread(txn, root, cursor, limit, epoch());
}

std::vector<core::MessagePtr> Store::replies(std::string_view message_id, core::Seq cursor,
                                             std::uint64_t limit) const {
    const ReadTransaction txn(impl_->env);
    return read_replies(txn, message_id, cursor, limit, epoch());
}

std::optional<std::uint64_t> Store::setting(std::string_view name) const {
    const ReadTransaction txn(impl_->env);
    return read_setting(txn, name);
}

}  // namespace agentcom::store
