#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agentcom/core/page.hpp"
#include "agentcom/store/records.hpp"
#include "store/message_log.hpp"
#include "store/postings.hpp"
#include "store/read_notes.hpp"
#include "store/transaction.hpp"

/// Walks over what an agent may not have read: one list in either direction, or several of them
/// forward as one. Nothing is gathered and nothing is sorted; a walk can stop anywhere and go on
/// from a number.
namespace agentcom::store {

/// What the lists of one read share. Lives within a transaction.
class Reading {
public:
    /// `notes` are added to up to the newest committed message.
    Reading(const Transaction& txn, std::string_view agent, core::Seq first_of_log,
            ReadNotes& notes, core::Seq committed)
        : txn_(txn),
          log_(txn),
          agent_(agent),
          mark_(sender_mark(agent)),
          first_of_log_(first_of_log),
          notes_(notes),
          committed_(committed) {}

    [[nodiscard]] const Transaction& txn() const noexcept { return txn_; }
    [[nodiscard]] LogReader& log() noexcept { return log_; }
    [[nodiscard]] std::string_view agent() const noexcept { return agent_; }
    [[nodiscard]] Entry mark() const noexcept { return mark_; }
    [[nodiscard]] core::Seq first_of_log() const noexcept { return first_of_log_; }
    [[nodiscard]] ReadNotes& notes() noexcept { return notes_; }
    [[nodiscard]] core::Seq committed() const noexcept { return committed_; }
    /// Of an entry with the agent's mark: whether the agent sent it.
    [[nodiscard]] bool is_own(core::Seq seq);

private:
    const Transaction& txn_;
    LogReader log_;
    std::string_view agent_;
    Entry mark_;
    core::Seq first_of_log_;
    ReadNotes& notes_;
    core::Seq committed_;
    std::optional<PostingCursor> sent_;
};

/// One list: entries the agent has read, and long runs of its own, are jumped over. Moves return
/// false at the end of the list.
class UnreadFeed {
public:
    /// `read` (may be null) is what the agent has read live; `others_only`: the list has messages
    /// of its own, which `is_own` tells.
    UnreadFeed(Reading& reading, Feed feed, std::string_view owner, const Spans* read,
               bool others_only);
    /// A plain sorted list, which must outlive this.
    UnreadFeed(Reading& reading, const std::vector<std::uint64_t>& seqs);

    bool first_after(core::Seq after);
    bool last_up_to(core::Seq up_to);
    bool next();
    bool previous();
    [[nodiscard]] core::Seq seq() const {
        return list_ ? list_->seq() : core::Seq{(*plain_)[index_]};
    }
    /// To be called for every entry that is walked past, so that runs are noticed.
    [[nodiscard]] bool is_own();
    /// Notes the run it stands in. Called when the walk is over.
    void finish();

    /// Where a walk may begin and must end; the owner's business.
    core::Seq after;
    core::Seq up_to{core::kMaxSeq};

private:
    [[nodiscard]] const ReadSpan* hole();
    bool settle_forward(bool found);
    bool settle_backward(bool found);
    void extend_run(core::Seq from, core::Seq to, std::uint64_t entries) noexcept;

    Reading* reading_;
    Feed feed_ = Feed::to_agent;
    std::string owner_;
    std::optional<PostingCursor> list_;
    const Spans* read_ = nullptr;
    bool others_only_ = false;
    std::optional<Spans> own_runs_;  // read when the first entry of its own is met
    const std::vector<std::uint64_t>* plain_ = nullptr;
    std::size_t index_ = 0;

    // The run of its own messages it stands in: from..to, `run_` of them walked.
    bool in_run_ = false;
    core::Seq run_from_;
    core::Seq run_to_;
    std::uint64_t run_ = 0;
};

/// Several feeds, each from behind its `after` to its `up_to`, in the order of the messages.
class UnreadMerge {
public:
    explicit UnreadMerge(std::vector<UnreadFeed> feeds);

    enum class Found : std::uint8_t { message, end, out_of_steps };
    /// Goes to the next message that is not the agent's own. The same again until `pass`.
    [[nodiscard]] Found next(core::Budget& budget);
    /// The message that was found, or after out_of_steps the one to go on with.
    [[nodiscard]] core::Seq seq() const { return feeds_[current_].seq(); }
    void pass() { advance(); }
    void finish();

private:
    using Place = std::pair<std::uint64_t, std::size_t>;  // seq, index of the feed
    void advance();
    bool take_smallest();

    std::vector<UnreadFeed> feeds_;
    std::vector<Place> heap_;  // all that are not at their end, but the current
    std::size_t current_ = 0;
    bool standing_ = false;
};

}  // namespace agentcom::store
