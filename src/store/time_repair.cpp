#include "store/time_repair.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/cursor.hpp"
#include "store/keys.hpp"
#include "store/message_log.hpp"
#include "store/rows.hpp"

namespace agentcom::store {
namespace {

constexpr core::Millis kSlack{60'000};

std::optional<StateRow> read_state(const Transaction& txn) {
    return read_or(txn, "the store's own numbers", std::optional<StateRow>(), [&txn] {
        const auto stored = txn.get(txn.tables().meta, kMetaState);
        return stored ? std::optional(StateRow::parse(*stored)) : std::nullopt;
    });
}

/// Goes through all times. With a transaction to write in, puts them right: at what the clock shows
/// or, where an earlier message shows up to a minute more, at that, so that times do not fall from
/// one message to the next.
class TimeRepair {
public:
    TimeRepair(const Transaction& txn, WriteTransaction* out, core::Timestamp now)
        : txn_(txn), out_(out), now_(now), right_{now, now} {}

    FutureTimes run() {
        find_right_times();
        look_at_log();
        look_at_kept();
        look_at_keys();
        look_at_channels();
        look_at_tokens();
        look_at_state();
        return found_;
    }

private:
    using Row = std::pair<std::string, std::string>;

    [[nodiscard]] bool is_future(core::Timestamp time) const noexcept {
        return time.ms > now_.ms + kSlack.count();
    }
    bool mend(core::Timestamp& time, core::Timestamp right) const noexcept {
        if (!is_future(time)) return false;
        time = right;
        return true;
    }
    bool mend(MessageTimes& times) const noexcept {
        const bool shown = mend(times.shown, right_.shown);
        return mend(times.stored, right_.stored) || shown;
    }
    bool mend(RecordView& record) const noexcept {
        MessageTimes times{record.timestamp, record.stored};
        const bool mended = mend(times);
        record.timestamp = times.shown;
        record.stored = times.stored;
        return mended;
    }

    /// Those of the newest messages that are none of the future, unless it is later than they.
    void find_right_times() {
        Cursor log(txn_, txn_.tables().log);
        bool past = false;
        for (bool more = log.last(); more && !past; more = log.previous()) {
            past = look_for_past(core::Seq{read_be64(log.key())}, log.stored_value());
        }
        if (past) return;
        Cursor kept(txn_, txn_.tables().kept);
        for (bool more = kept.last(); more && !past; more = kept.previous()) {
            try {
                past = raise_to(record_times(kept.value()));
            } catch (const DamagedStore&) {
                // look_at_kept reports it.
            }
        }
    }
    /// Whether the block has a message neither of whose times is of the future.
    bool look_for_past(core::Seq first, std::string_view stored) {
        try {
            const BlockView block(first, stored);
            for (std::uint64_t seq = block.last().value + 1; seq-- > first.value;) {
                try {
                    if (raise_to(record_times(block.record(core::Seq{seq})))) return true;
                } catch (const DamagedStore&) {
                    // It stays as it is.
                }
            }
        } catch (const DamagedStore&) {
            // look_at_log reports it.
        }
        return false;
    }
    bool raise_to(const MessageTimes& times) noexcept {
        const bool shown = !is_future(times.shown);
        const bool stored = !is_future(times.stored);
        if (shown) right_.shown = std::max(right_.shown, times.shown);
        if (stored) right_.stored = std::max(right_.stored, times.stored);
        return shown && stored;
    }

    [[nodiscard]] static std::string encode(const RecordView& record, core::Seq seq) {
        std::string out;
        append_record(out, to_message(record, seq, core::Epoch{})->draft,
                      {record.timestamp, record.stored}, record.root, record.channel_seq);
        return out;
    }

    void look_at_log() {
        std::vector<Row> changed;
        {
            Cursor log(txn_, txn_.tables().log);
            // Times never fall: what is of the future lies behind what is not.
            for (bool more = log.last(); more; more = log.previous()) {
                auto block = mended(core::Seq{read_be64(log.key())}, log.stored_value());
                if (!block) break;
                if (!block->empty()) changed.emplace_back(log.key(), std::move(*block));
                if (out_ != nullptr && changed.size() >= 64) {
                    write(txn_.tables().log, changed);
                    if (!log.at_or_after(last_written_)) break;
                }
            }
        }
        write(txn_.tables().log, changed);
    }

    /// The block with its times put right; empty when that cannot be done or is not asked for;
    /// nothing when none of it is of the future.
    std::optional<std::string> mended(core::Seq first, std::string_view stored) {
        std::vector<std::string> records;
        const std::uint64_t before = found_.messages;
        readable_ = 0;
        try {
            const BlockView block(first, stored);
            for (core::Seq seq = first; seq <= block.last(); seq = seq.next()) {
                records.push_back(mended_record(block, seq));
            }
        } catch (const DamagedStore& error) {
            txn_.report_damage(error.what());
            return std::string();
        }
        if (found_.messages == before) {
            return readable_ == 0 ? std::optional(std::string()) : std::nullopt;
        }
        return out_ != nullptr ? make_block(first, records) : std::string();
    }
    std::string mended_record(const BlockView& block, core::Seq seq) {
        try {
            RecordView record = parse_record(block.record(seq));
            ++readable_;
            if (mend(record)) ++found_.messages;
            return sealed_record(seq, encode(record, seq));
        } catch (const DamagedStore&) {
            return std::string(block.stored_record(seq));
        }
    }

    void look_at_kept() {
        each(txn_.tables().kept, [this](std::string_view key, std::string_view value) {
            RecordView record = parse_record(value);
            if (!mend(record)) return std::string();
            ++found_.messages;
            return encode(record, core::Seq{read_be64(key)});
        });
    }

    void look_at_keys() {
        each(txn_.tables().idempotency_keys, [this](std::string_view, std::string_view value) {
            IdempotencyRow row = IdempotencyRow::parse(value);
            MessageTimes times{row.timestamp, row.stored};
            if (!mend(times)) return std::string();
            row.timestamp = times.shown;
            row.stored = times.stored;
            return row.encode();
        });
        each(txn_.tables().idempotency_order, [this](std::string_view, std::string_view value) {
            KeyOrderRow row = KeyOrderRow::parse(value);
            return mend(row.stored, right_.stored) ? row.encode() : std::string();
        });
    }

    void look_at_channels() {
        each(txn_.tables().channels, [this](std::string_view key, std::string_view value) {
            ChannelRow row = ChannelRow::parse(stored_channel_name(key), value);
            const bool made = mend(row.record.created_at, right_.shown);
            return mend(row.idle_since, right_.stored) || made ? row.encode() : std::string();
        });
    }

    void look_at_tokens() {
        each(txn_.tables().tokens, [this](std::string_view, std::string_view value) {
            TokenRecord row = parse_token(value);
            return mend(row.created_at, right_.shown) ? encode_token(row) : std::string();
        });
    }

    void look_at_state() {
        // One that cannot be read is somebody else's to put right.
        auto stored = read_state(txn_);
        if (!stored) return;
        StateRow& state = *stored;
        found_.own = mend(state.last_timestamp, right_.shown);
        ClockAnchor& clock = state.clock;
        if (is_future(clock.stored) || is_future(clock.wall)) {
            found_.own = true;
            clock = ClockAnchor{is_future(clock.stored) ? right_.stored : clock.stored, now_, 0, 0};
        }
        // No message is stored earlier than those before it.
        if (found_.messages != 0 && clock.stored < right_.stored) {
            found_.own = true;
            clock.stored = right_.stored;
        }
        if (out_ != nullptr && found_.own) {
            out_->put(txn_.tables().meta, kMetaState, state.encode());
        }
    }

    /// `change(key, value)` gives the row as it should be, or nothing when it is.
    template <class Change>
    void each(MDB_dbi table, Change&& change) {
        std::vector<Row> changed;
        {
            Cursor cursor(txn_, table);
            for (bool more = cursor.first(); more; more = cursor.next()) {
                std::string row = read_or(txn_, "a row", std::string(),
                                          [&] { return change(cursor.key(), cursor.value()); });
                if (!row.empty()) changed.emplace_back(cursor.key(), std::move(row));
            }
        }
        if (table != txn_.tables().kept) found_.rows += changed.size();
        write(table, changed);
    }

    void write(MDB_dbi table, std::vector<Row>& rows) {
        if (out_ != nullptr) {
            for (const auto& [key, value] : rows) out_->put(table, key, value);
        }
        if (!rows.empty()) last_written_ = rows.back().first;
        rows.clear();
    }

    const Transaction& txn_;
    WriteTransaction* out_;
    core::Timestamp now_;
    MessageTimes right_;  // that those of the future get
    FutureTimes found_;
    std::uint64_t readable_ = 0;  // records of the present block
    std::string last_written_;
};

}  // namespace

FutureTimes find_future_times(const Transaction& txn, core::Timestamp now) {
    return TimeRepair(txn, nullptr, now).run();
}

FutureTimes mend_future_times(WriteTransaction& txn, core::Timestamp now, core::Millis ttl) {
    const FutureTimes mended = TimeRepair(txn, &txn, now).run();
    if (!mended.any()) return mended;
    auto state = read_state(txn);
    if (!state) return mended;
    LogReader log(txn);
    if (log.first_seq()) {
        const core::Timestamp horizon{now.ms - ttl.count()};
        const core::Seq floor{log.first_stored_at_or_after(horizon).value - 1};
        if (floor < state->evicted) {
            state->evicted = floor;
            txn.put(txn.tables().meta, kMetaState, state->encode());
        }
    }
    return mended;
}

}  // namespace agentcom::store
