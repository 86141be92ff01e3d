#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agentcom/core/ids.hpp"
#include "agentcom/store/doctor.hpp"
#include "store/bytes.hpp"
#include "store/cursor.hpp"
#include "store/epochs.hpp"
#include "store/keys.hpp"
#include "store/message_log.hpp"
#include "store/rows.hpp"
#include "store/transaction.hpp"

namespace agentcom::store {

/// One look at a whole store, within a transaction that only reads. What it finds may come with a
/// change that puts it right; those are made later, all in one transaction, by `repair`.
class Examiner {
public:
    using Fix = std::function<void(WriteTransaction&)>;
    /// Of one look; what is left is found by the next.
    static constexpr std::size_t kMaxFixes = 100'000;

    explicit Examiner(const Transaction& txn) : txn_(txn) {}

    void look();
    [[nodiscard]] const Examination& found() const noexcept { return found_; }
    /// The changes, to be made in a transaction that begins at the same state.
    [[nodiscard]] const std::vector<Fix>& fixes() const noexcept { return fixes_; }

private:
    struct Channel {
        core::Seq born;
        bool being_removed = false;
        // What its row tells of, and what there is.
        std::uint64_t counted = 0;
        std::uint64_t subscribers = 0;
        std::uint32_t counted_members = 0;
        std::uint32_t members = 0;
    };
    struct Agent {
        bool claimed = false;
        core::Seq born;
    };
    template <class Value>
    using ByName = std::unordered_map<std::string, Value, core::TextHash, core::TextEqual>;
    /// Entries of the lists of one kind: those that the log's messages call for, and those found.
    struct Tally {
        std::uint64_t wanted = 0;
        std::uint64_t found = 0;
    };

    // examine_log.cpp
    void look_at_log();
    void look_at_record(core::Seq seq, std::string_view bytes);
    void look_at_kept();
    void look_at_postings();
    void look_at_entry(Feed feed, std::string_view owner, std::uint64_t place, std::uint64_t entry);
    void look_at_trimmed();
    void compare_lists();
    [[nodiscard]] bool expects_entry(std::string_view channel, core::Seq seq) const;

    // examine_channels.cpp
    void look_at_channels();
    void look_at_subscriptions();
    void look_at_members();
    void compare_channels();
    void compare_usage();

    // examine_rows.cpp
    void look_at_meta();
    void look_at_settings();
    void look_at_agents();
    [[nodiscard]] bool may_be_of(std::string_view agent, core::Seq born) const;
    void look_at_tokens();
    void look_at_web_sessions();
    void look_at_copies();
    void look_at_unclaimed();
    void look_at_idempotency();
    void look_at_endings();
    void compare_state();

    // examiner.cpp
    void look_at_times();
    void find(std::string text);
    void find(std::string text, Fix fix);
    /// A row that cannot be read. Some can be made again from nothing or from their keys.
    void find_damaged(std::string text, MDB_dbi table, std::string_view key);
    /// A row that refers to nothing, to be removed.
    void find_dangling(std::string text, MDB_dbi table, std::string_view key);
    /// Calls `each` with every key and value; what it or the table cannot read is a finding.
    template <class Each>
    void walk(std::string_view name, MDB_dbi table, Each&& each);
    [[nodiscard]] bool knows_channel(std::string_view name) const {
        return channels_.contains(name);
    }

    const Transaction& txn_;
    Examination found_;
    std::vector<Fix> fixes_;

    std::optional<StateRow> stored_state_;
    StateRow state_;  // as it should be, as far as that shows
    std::optional<Epochs> epochs_;
    bool log_is_whole_ = true;  // every block and record could be read
    core::Timestamp newest_;
    std::optional<LogReader> log_;
    std::map<Feed, Tally> tallies_;
    ByName<Channel> channels_;
    ByName<Agent> agents_;
    ByName<UsageRow> usage_;
};

/// What is behind the text of a key that begins with one.
struct PairKey {
    std::string_view owner;
    std::string_view member;
};
[[nodiscard]] inline PairKey parse_pair(std::string_view key) {
    ByteReader reader(key);
    const std::string_view owner = reader.short_text();
    return {owner, reader.rest()};
}

/// Throws DamagedStore unless it holds.
inline void require(bool holds, const char* what) {
    if (!holds) throw DamagedStore(what);
}

/// A key as people can read it: what is not plain text as hexadecimal digits.
[[nodiscard]] std::string shown(std::string_view key);

template <class Each>
void Examiner::walk(std::string_view name, MDB_dbi table, Each&& each) {
    try {
        Cursor cursor(txn_, table);
        for (bool more = cursor.first(); more; more = cursor.next()) {
            ++found_.rows;
            const auto damaged = [&](const DamagedStore& error) {
                return "the row " + shown(cursor.key()) + " of " + std::string(name) +
                       " is damaged: " + error.what();
            };
            std::string_view value;
            try {
                value = cursor.value();
            } catch (const DamagedStore& error) {
                find_damaged(damaged(error), table, cursor.key());
                continue;
            }
            try {
                each(cursor.key(), value);
            } catch (const DamagedStore& error) {
                find(damaged(error));  // perhaps it is another row that it was compared with
            }
        }
    } catch (const LmdbError& error) {
        find("the table " + std::string(name) + " cannot be read to its end: " + error.what());
    }
}

}  // namespace agentcom::store
