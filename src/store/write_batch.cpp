#include "store/write_batch.hpp"

#include <algorithm>
#include <utility>

#include "store/channel_access.hpp"
#include "store/history_view.hpp"
#include "store/keys.hpp"
#include "store/retention.hpp"

namespace agentcom::store {
namespace {

constexpr std::uint64_t kMaxReserve = std::uint64_t{8} << 20;
// An idempotency key with its place in their order, and what all of them may take of the map.
constexpr std::uint64_t kBytesOfKey = 512;
constexpr std::uint64_t kPartOfMapForKeys = 8;
constexpr std::uint64_t kRoomOfEntries = 256;  // header and feed entries of a message
constexpr std::size_t kMaxCached = 100'000;
/// Of one operation, about.
constexpr std::uint64_t kLargest = std::uint64_t{1} << 20;

}  // namespace

core::Millis ttl_of(std::uint64_t setting) {
    constexpr std::uint64_t kLongestTtlMs = std::uint64_t{1} << 50;  // forever; safe to subtract
    return core::Millis(std::min(setting, kLongestTtlMs));
}

WriteBatch::WriteBatch(Environment& env, const StoreOptions& options, Epochs epochs, StateRow state,
                       std::optional<std::uint64_t> stored_ttl, ReadNotes& notes)
    : env_(env),
      enough_room_(kMaxReserve + options.max_queued_bytes * 2),
      rules_{.quotas = options.quotas,
             .idempotency_window = options.idempotency_window,
             .max_idempotency_keys = std::min<std::uint64_t>(
                 options.max_idempotency_keys, options.map_size / kPartOfMapForKeys / kBytesOfKey),
             .channel_history = options.channel_history},
      epochs_(std::move(epochs)),
      notes_(notes),
      committed_(state),
      committed_ttl_(stored_ttl ? ttl_of(*stored_ttl) : options.mailbox_ttl),
      state_(state),
      ttl_(committed_ttl_) {}

void WriteBatch::begin(const StoreClock::Reading& now) {
    state_ = committed_;
    ttl_ = committed_ttl_;
    set_time(now);
    first_recent_ = state_.head.next();
    recent_.clear();
    published_.clear();
    log_.restart(first_recent_);
    postings_.clear();
    // What is kept open takes its room from what there was when it began.
    if (txn_) return;
    measure_room();
    state_before_ = committed_;
    ttl_before_ = committed_ttl_;
    txn_.emplace(env_);
}

void WriteBatch::remember() noexcept {
    committed_ = state_;
    committed_ttl_ = ttl_;
    recent_.clear();
}

void WriteBatch::set_time(const StoreClock::Reading& now) {
    now_ = std::max(now.shown, state_.last_timestamp);
    stored_ = std::max(now.anchor.stored, state_.clock.stored);
    state_.clock = now.anchor;
    state_.clock.stored = stored_;
}

void WriteBatch::measure_room() {
    if (has_room_) return;
    const auto measure = [this] {
        const Room room = env_.room(enough_room_);
        room_ = room.left;
        reserve_ = std::min(kMaxReserve, room.total / 4);
        short_of_room_ = room_ < reserve_ + kRoomOfRow;
    };
    measure();
    // Before anybody is told that there is no room, for a large message neither: what only the dead
    // still see is free, and what a checkpoint pins is so after the next one.
    const auto is_scarce = [this] { return room_ < reserve_ + kLargest; };
    if (is_scarce() && env_.clear_dead_readers() > 0) measure();
    if (is_scarce() && make_room_ && make_room_()) measure();
}

WriteResult WriteBatch::apply(WriteOp& op) {
    const std::uint64_t before = changes();
    try {
        return std::visit([this](auto& operation) { return run(operation); }, op);
    } catch (const DamagedStore& error) {
        txn().report_damage(error.what());
        if (changes() != before) throw HalfDone(error.what());
        return core::Error(core::ErrorCode::internal, {}, "a part of the store is damaged");
    } catch (const LmdbError& error) {
        if (error.is_damage()) throw HalfDone(error.what());
        throw;
    }
}

std::uint64_t WriteBatch::changes() const noexcept {
    // Appending gives out a number first; everything else writes.
    return txn_->changes() + state_.head.value;
}

void WriteBatch::flush() {
    log_.flush(txn());
    postings_.flush(txn());
}

void WriteBatch::complete() {
    flush();
    if (state_.first.value > 1) {
        for (const std::string& channel : published_) {
            prune_channel(txn(), state_, channel, rules_.channel_history);
        }
    }
    txn().put(txn().tables().meta, kMetaState, state_.encode());
}

void WriteBatch::commit() {
    std::move(*txn_).commit();
    txn_.reset();
    remember();
}

void WriteBatch::keep_open() noexcept { remember(); }

void WriteBatch::abort() noexcept {
    if (txn_) {
        txn_.reset();
        committed_ = state_before_;
        committed_ttl_ = ttl_before_;
    }
    recent_.clear();
    known_agents_.clear();
    published_channels_.clear();
}

void WriteBatch::drop() noexcept {
    txn_.reset();
    recent_.clear();
}

bool WriteBatch::take_room(std::uint64_t bytes) {
    if (has_room_) return true;
    if (room_ < reserve_ + bytes) {
        short_of_room_ = true;
        return false;
    }
    room_ -= bytes;
    return true;
}

// Appending.

WriteResult WriteBatch::run(AppendMessage& op) {
    core::Draft& draft = op.draft;
    if (op.idempotency_key) {
        if (op.idempotency_key->size() > kMaxIdempotencyKeyBytes) {
            return core::Error(core::ErrorCode::invalid_idempotency_key);
        }
        if (const auto earlier = find_key(draft.from.str(), *op.idempotency_key)) {
            if (earlier->digest && *earlier->digest != op.body_digest) {
                return core::Error(core::ErrorCode::idempotency_conflict);
            }
            return duplicate_of(*earlier, op);
        }
    }
    if (auto error = refuse(op)) return std::move(*error);

    const core::Seq seq = state_.head.next();
    core::ChannelSeq place;
    if (const auto* to = std::get_if<core::ToChannel>(&draft.to)) {
        place.value = ++published_channel(to->channel.str())->seq;
        if (state_.first.value > 1) published_.insert(to->channel.str());
    }
    const core::Seq root = root_of(draft.reply_to);
    state_.log_bytes += log_.add(txn(), draft, {now_, stored_}, root, place);
    state_.head = seq;
    state_.last_timestamp = now_;
    if (op.idempotency_key) {
        const KeyOrderRow order{stored_, pair_key(draft.from.str(), *op.idempotency_key)};
        txn().put(txn().tables().idempotency_keys, order.key,
                  IdempotencyRow{seq, place, now_, stored_, op.body_digest}.encode());
        txn().append(txn().tables().idempotency_order, be64_key(seq.value), order.encode());
        // Two for each that comes, so that a bound that was lowered is reached, too.
        for (int i = 0;
             i < 2 && txn().entries(txn().tables().idempotency_order) > rules_.max_idempotency_keys;
             ++i) {
            forget_oldest_key(txn());
        }
    }
    auto message = keep_recent(
        core::Message{seq, epochs_.id_of(seq), place, now_, std::move(draft)}, root, draft);
    return WriteValue(Appended{std::move(message), false});
}

core::MessagePtr WriteBatch::keep_recent(core::Message&& message, core::Seq root,
                                         core::Draft& draft) {
    std::shared_ptr<core::Message> kept;
    try {
        kept = std::make_shared<core::Message>(std::move(message));
        index(*kept, root);
        recent_.push_back(Recent{kept, root.value != 0 ? root : kept->seq});
        return kept;
    } catch (...) {
        // Without memory. Who does the batch again must find the operation as it was.
        draft = std::move(kept ? kept->draft : message.draft);
        throw;
    }
}

std::optional<core::Error> WriteBatch::refuse(const AppendMessage& op) {
    const core::Draft& draft = op.draft;
    if (draft.reply_to && draft.reply_to->size() > core::kMaxReplyToBytes) {
        return core::Error(core::ErrorCode::invalid_field, "reply_to");
    }
    if (const auto* to = std::get_if<core::ToChannel>(&draft.to)) {
        if (auto error = refuse_publication(draft.from, to->channel.str())) return error;
    }
    const std::uint64_t size = draft.payload.text.size() + draft.type.size() + kRoomOfEntries;
    if (state_.head.value >= core::kMaxSeq || !take_room(size)) {
        return core::Error(core::ErrorCode::storage_full);
    }
    if (const auto* to = std::get_if<core::ToAgent>(&draft.to)) {
        return reach_recipient(draft.from, to->agent);
    }
    return std::nullopt;
}

std::optional<core::Error> WriteBatch::reach_recipient(const core::AgentId& sender,
                                                       const core::AgentId& agent) {
    if (known_agents_.contains(std::string_view(agent.str()))) return std::nullopt;
    // One whose row is damaged is there all the same.
    const bool known = read_or(txn(), "an agent", true, [&] {
        return txn().get(txn().tables().agents, agent.str()).has_value();
    });
    if (!known) {
        if (!agent.is_plain()) return core::Error(core::ErrorCode::invalid_recipient);
        if (state_.unclaimed_mailboxes >= rules_.quotas.max_unclaimed_mailboxes) {
            return core::Error(core::ErrorCode::unknown_recipient_limit);
        }
        UsageRow usage = usage_of(sender.str());
        if (usage.unclaimed_mailboxes >= share_of(rules_.quotas.max_unclaimed_mailboxes)) {
            return core::Error(core::ErrorCode::unknown_recipient_limit, {},
                               "as many mailboxes as one agent's share allows wait for recipients "
                               "of yours that hold no token; check the recipient's name");
        }
        AgentRow row = new_agent();
        row.creator = sender.str();
        put_agent(agent.str(), row);
        txn().put(txn().tables().unclaimed, unclaimed_key(state_.head.next(), agent.str()), "");
        ++state_.unclaimed_mailboxes;
        ++usage.unclaimed_mailboxes;
        put_usage(sender.str(), usage);
    }
    remember_known(agent.str());
    return std::nullopt;
}

std::optional<IdempotencyRow> WriteBatch::find_key(std::string_view agent, std::string_view key) {
    const auto bytes = txn().get(txn().tables().idempotency_keys, pair_key(agent, key));
    if (!bytes) return std::nullopt;
    const IdempotencyRow found = IdempotencyRow::parse(*bytes);
    if (found.stored.ms <= stored_.ms - rules_.idempotency_window.count()) return std::nullopt;
    return found;
}

WriteResult WriteBatch::duplicate_of(const IdempotencyRow& row, AppendMessage& op) {
    core::MessagePtr message;
    if (row.seq >= first_recent_) {
        message = recent_[row.seq.value - first_recent_.value].message;
    } else {
        LogReader log(txn());
        if (const auto record = log.read(row.seq).record) {
            message = to_message(*record, row.seq, epochs_);
        } else {
            core::Draft rest{op.draft.from, op.draft.to, {}, {}, std::nullopt};
            message = std::make_shared<const core::Message>(core::Message{
                row.seq, epochs_.id_of(row.seq), row.channel_seq, row.timestamp, std::move(rest)});
        }
    }
    return WriteValue(Appended{std::move(message), true});
}

core::Seq WriteBatch::root_of(const std::optional<std::string>& reply_to) {
    if (!reply_to) return {};
    const auto parent = epochs_.seq_of(*reply_to);
    if (!parent || *parent > state_.head) return {};
    // Roots are found once and stored, so that no chain is ever followed.
    if (*parent >= first_recent_) return recent_[parent->value - first_recent_.value].root;
    LogReader log(txn());
    const auto [record, damaged] = log.read(*parent);
    if (damaged) return *parent;  // of its thread nothing is known any more
    if (!record) return {};
    return record->root.value != 0 ? record->root : *parent;
}

void WriteBatch::index(const core::Message& message, core::Seq root) {
    const core::Draft& draft = message.draft;
    const std::uint64_t seq = message.seq.value;
    postings_.add(Feed::from_agent, draft.from.str(), seq);
    if (const auto* agent = std::get_if<core::ToAgent>(&draft.to)) {
        postings_.add(Feed::to_agent, agent->agent.str(), seq);
    } else {
        const Entry entry = seq | sender_mark(draft.from.str());
        if (const auto* channel = std::get_if<core::ToChannel>(&draft.to)) {
            postings_.add(Feed::channel, channel->channel.str(), entry, message.channel_seq.value);
        } else {
            postings_.add(Feed::broadcasts, "", entry);
            if (std::get<core::ToEveryone>(draft.to).spelled) {
                postings_.add(Feed::spelled_broadcasts, "", seq);
            }
        }
    }
    if (draft.reply_to && !draft.reply_to->empty()) {
        postings_.add(Feed::replies, *draft.reply_to, seq);
    }
    if (root.value != 0) {
        postings_.add(Feed::thread, epochs_.id_of(root).str(), seq);
    }
}

std::optional<core::Error> WriteBatch::refuse_publication(const core::AgentId& sender,
                                                          std::string_view channel) {
    const PublishedChannel* known = published_channel(channel);
    if (known == nullptr) return core::Error(core::ErrorCode::channel_not_found);
    if (!known->is_private && !known->members_publish) return std::nullopt;
    const MemberRights rights = read_member_rights(txn(), channel, sender.str());
    if (known->is_private && rights == 0) {
        return core::Error(core::ErrorCode::channel_not_found);
    }
    if ((rights & kMayPublish) == 0) {
        return core::Error(core::ErrorCode::forbidden, {},
                           "only members with the right to publish may publish here");
    }
    return std::nullopt;
}

WriteBatch::PublishedChannel* WriteBatch::published_channel(std::string_view channel) {
    const auto cached = published_channels_.find(channel);
    if (cached != published_channels_.end()) return &cached->second;
    const auto row = txn().get(txn().tables().channels, channel);
    if (!row) return nullptr;
    const ChannelRecord record = parse_channel(stored_channel_name(channel), *row);
    if (published_channels_.size() >= kMaxCached) {
        // What this transaction has given out is not in the lists yet.
        flush();
        published_channels_.clear();
    }
    const std::uint64_t last = last_channel_seq(txn(), channel).value;
    return &published_channels_
                .emplace(std::string(channel),
                         PublishedChannel{last, record.is_private, record.members_publish})
                .first->second;
}

}  // namespace agentcom::store
