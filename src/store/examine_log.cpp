// The part of Examiner that looks at messages and at the lists that refer to them.

#include <algorithm>
#include <cstring>

#include "store/examiner.hpp"
#include "store/mailbox_view.hpp"
#include "store/message_log.hpp"
#include "store/postings.hpp"

namespace agentcom::store {
namespace {

constexpr std::array kFeeds{
    std::pair{Feed::to_agent, "messages to agents"},
    std::pair{Feed::from_agent, "messages from agents"},
    std::pair{Feed::broadcasts, "broadcasts"},
    std::pair{Feed::spelled_broadcasts, "spelled broadcasts"},
    std::pair{Feed::channel, "messages of channels"},
    std::pair{Feed::replies, "replies"},
    std::pair{Feed::thread, "threads"},
};

const char* name_of(Feed feed) {
    const auto* found = std::ranges::find(kFeeds, feed, &std::pair<Feed, const char*>::first);
    if (found == kFeeds.end()) throw DamagedStore("its key names no kind of list");
    return found->second;
}

std::string message(core::Seq seq) { return "message " + std::to_string(seq.value); }

bool is_broadcast(const RecordView& record) {
    return record.kind == RecordKind::to_everyone || record.kind == RecordKind::to_everyone_spelled;
}

/// Key of a list's block.
struct ListKey {
    Feed feed = Feed::to_agent;
    std::string_view owner;
    std::uint64_t place = 0;
};
ListKey parse_list_key(std::string_view key) {
    ByteReader reader(key);
    ListKey parsed;
    parsed.feed = static_cast<Feed>(reader.fixed<char>());
    (void)name_of(parsed.feed);
    parsed.owner = reader.short_text();
    if (!reader.empty()) {
        parsed.place = read_be64(reader.rest());
        reader.take(sizeof parsed.place);
    }
    if (!reader.empty()) throw DamagedStore("its key is too long");
    return parsed;
}

}  // namespace

void Examiner::look_at_log() {
    std::optional<core::Seq> expected;
    walk("log", txn_.tables().log, [&](std::string_view key, std::string_view value) {
        const core::Seq first{read_be64(key)};
        if (key.size() != sizeof first.value) throw DamagedStore("its key is too long");
        if (!expected) {
            state_.first = first;
        } else if (first != *expected) {
            log_is_whole_ = false;
            find("the log has a gap before " + message(first) + ": it should go on with " +
                 std::to_string(expected->value));
        }
        // For the case that the block cannot be read.
        expected = first.next();
        state_.head = std::max(state_.head, first);
        const bool was_whole = std::exchange(log_is_whole_, false);
        const BlockView block(first, value);
        log_is_whole_ = was_whole;
        expected = block.last().next();
        state_.head = std::max(state_.head, block.last());
        for (core::Seq seq = first; seq <= block.last(); seq = seq.next()) {
            try {
                look_at_record(seq, block.record(seq));
            } catch (const DamagedStore& error) {
                log_is_whole_ = false;
                find(message(seq) + " is damaged: " + error.what());
            }
        }
    });
}

void Examiner::look_at_record(core::Seq seq, std::string_view bytes) {
    const RecordView record = parse_record(bytes);
    // Makes every value of it, which throws when one cannot be.
    (void)to_message(record, seq, epochs_.value_or(Epochs(core::Epoch{})));
    if (record.root >= seq) throw DamagedStore("it answers a message that came later");
    ++found_.messages;
    state_.log_bytes += bytes.size();
    if (record.timestamp < newest_) find(message(seq) + " is older than the one before it");
    newest_ = std::max(newest_, record.timestamp);
    state_.last_timestamp = newest_;
    state_.clock.stored = std::max(state_.clock.stored, record.stored);
    state_.clock.wall = newest_;

    ++tallies_[Feed::from_agent].wanted;
    if (record.reply_to && !record.reply_to->empty()) ++tallies_[Feed::replies].wanted;
    if (record.root.value != 0) ++tallies_[Feed::thread].wanted;
    if (record.kind == RecordKind::to_agent) ++tallies_[Feed::to_agent].wanted;
    if (is_broadcast(record)) ++tallies_[Feed::broadcasts].wanted;
    if (record.kind == RecordKind::to_everyone_spelled) ++tallies_[Feed::spelled_broadcasts].wanted;
    if (record.kind == RecordKind::to_channel && expects_entry(record.destination, seq)) {
        ++tallies_[Feed::channel].wanted;
    }
}

/// A channel that is deleted loses its list before its messages go.
bool Examiner::expects_entry(std::string_view channel, core::Seq seq) const {
    const auto known = channels_.find(channel);
    return known != channels_.end() && !known->second.being_removed && seq > known->second.born;
}

void Examiner::look_at_kept() {
    const MDB_dbi table = txn_.tables().kept;
    walk("kept", table, [&](std::string_view key, std::string_view value) {
        const core::Seq seq{read_be64(key)};
        ++state_.kept;
        state_.kept_bytes += value.size();
        const RecordView record = parse_record(value);
        (void)to_message(record, seq, epochs_.value_or(Epochs(core::Epoch{})));
        if (record.kind != RecordKind::to_channel) {
            throw DamagedStore("it was not sent to a channel");
        }
        if (!knows_channel(record.destination)) {
            find_dangling(message(seq) + " is kept for " + shown(record.destination) +
                              ", a channel that does not exist",
                          table, key);
        } else if (state_.head.value != 0 && seq >= state_.first) {
            find_dangling(message(seq) + " is kept and in the log as well", table, key);
        }
    });
}

void Examiner::look_at_postings() {
    std::string list;
    std::uint64_t last = 0;        // seq of the list's newest entry
    std::uint64_t next_place = 0;  // of a channel's list
    walk("postings", txn_.tables().postings, [&](std::string_view key, std::string_view value) {
        const ListKey block = parse_list_key(key);
        const std::string_view prefix = key.substr(0, key.size() - sizeof block.place);
        const bool same = prefix == list;
        if (!same) {
            list = prefix;
            last = 0;
        }
        const std::size_t bytes = value.size() - std::min<std::size_t>(value.size(), 1);
        if (bytes == 0 || bytes % sizeof(Entry) != 0) throw DamagedStore("its size is wrong");
        const bool numbered = block.feed == Feed::channel;
        if (numbered && same && block.place != next_place) {
            find("the list of " + shown(block.owner) + " has a gap before " +
                 std::to_string(block.place));
        }
        next_place = block.place + bytes / sizeof(Entry);
        for (std::size_t i = 0; i < bytes / sizeof(Entry); ++i) {
            Entry entry = 0;
            std::memcpy(&entry, value.data() + 1 + i * sizeof entry, sizeof entry);
            if (i == 0 && !numbered && seq_of(entry).value != block.place) {
                throw DamagedStore("it does not begin at its place");
            }
            if (seq_of(entry).value <= last) throw DamagedStore("it is out of order");
            last = seq_of(entry).value;
            look_at_entry(block.feed, block.owner, block.place + i, entry);
        }
    });
}

void Examiner::look_at_entry(Feed feed, std::string_view owner, std::uint64_t place,
                             std::uint64_t entry) {
    const core::Seq seq = seq_of(entry);
    if (state_.head.value == 0 || seq < state_.first) return;  // its message has gone
    const auto wrong = [&](const char* what) {
        find("in the list of " + std::string(name_of(feed)) + " of " + shown(owner) + ", " +
             message(seq) + ' ' + what);
    };
    std::optional<RecordView> record;
    try {
        if (!log_) log_.emplace(txn_);
        record = log_->find(seq);
    } catch (const DamagedStore&) {
        return;  // has been said
    }
    if (!record) return wrong("does not exist");
    bool belongs = false;
    switch (feed) {
        case Feed::to_agent:
            belongs = record->kind == RecordKind::to_agent && record->destination == owner;
            break;
        case Feed::from_agent:
            belongs = record->from == owner;
            break;
        case Feed::broadcasts:
            belongs = is_broadcast(*record) && mark_of(entry) == sender_mark(record->from);
            break;
        case Feed::spelled_broadcasts:
            belongs = record->kind == RecordKind::to_everyone_spelled;
            break;
        case Feed::channel:
            belongs = record->kind == RecordKind::to_channel && record->destination == owner &&
                      mark_of(entry) == sender_mark(record->from);
            if (belongs && record->channel_seq.value != place) return wrong("has another place");
            if (belongs && !expects_entry(owner, seq)) return;
            break;
        case Feed::replies:
            belongs = record->reply_to == owner;
            break;
        case Feed::thread:
            belongs = record->root.value != 0 &&
                      (!epochs_ || epochs_->id_of(record->root).str() == owner);
            break;
    }
    if (!belongs) return wrong("does not belong there");
    ++tallies_[feed].found;
}

void Examiner::look_at_trimmed() {
    const MDB_dbi table = txn_.tables().trimmed;
    walk("trimmed", table, [&](std::string_view key, std::string_view) {
        const ListKey list = parse_list_key(key);
        const TrimmedRow row = TrimmedRow::read(txn_, list.feed, list.owner);
        if (stored_state_ && seq_of(row.newest) > stored_state_->head) {
            throw DamagedStore("it tells of a message that does not exist yet");
        }
        if (list.feed == Feed::channel && !knows_channel(list.owner)) {
            find_dangling(
                "what was trimmed is noted for " + shown(list.owner) + ", which does not exist",
                table, key);
        }
    });
}

void Examiner::compare_lists() {
    if (!log_is_whole_) return;
    for (const auto& [feed, tally] : tallies_) {
        if (tally.found < tally.wanted) {
            find(std::to_string(tally.wanted - tally.found) +
                 " messages of the log are missing in the lists of " + name_of(feed));
        }
    }
}

}  // namespace agentcom::store
