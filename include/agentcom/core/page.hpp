#pragma once

#include <cstdint>
#include <limits>
#include <vector>

/// How much one read may do. Every list that a client can make grow is read in pages, and every
/// page is bounded by the number of its entries, by their bytes, and by the work that finding them
/// may take; what is left out is reached with a cursor.
namespace agentcom::core {

inline constexpr std::uint64_t kUnbounded = std::numeric_limits<std::uint64_t>::max();
/// Work done in one go, between which an event loop serves others: about a millisecond. Looking at
/// an entry is a step; showing it is several more, by its size.
inline constexpr std::uint64_t kStepsPerTurn = 16'384;

/// Bounds of one page, whichever is reached first.
struct PageLimit {
    std::uint64_t count = kUnbounded;     // entries
    std::uint64_t bytes = kUnbounded;     // of the entries, as JSON text or a little less
    std::uint64_t steps = kStepsPerTurn;  // work of one turn
};

/// What is left of a PageLimit. A reader asks before each entry: `step` before it looks at one,
/// `take` before it shows one. A page may be read over several turns of an event loop with one
/// budget. Not thread-safe.
class Budget {
public:
    explicit Budget(const PageLimit& limit) noexcept : limit_(limit) {}

    /// Counts an entry that is looked at. False when the turn's steps are used up; never for the
    /// first of a turn, so that every turn makes progress.
    [[nodiscard]] bool step() noexcept {
        if (steps_ != 0 && steps_ >= limit_.steps) return false;
        ++steps_;
        ++walked_;
        return true;
    }
    /// What is left of the turn; at least one at its beginning.
    [[nodiscard]] std::uint64_t steps_left() const noexcept {
        if (steps_ == 0) return limit_.steps == 0 ? 1 : limit_.steps;
        return steps_ < limit_.steps ? limit_.steps - steps_ : 0;
    }
    /// Counts entries that were looked at within `steps_left`, and work besides.
    void charge(std::uint64_t entries, std::uint64_t other_work) noexcept {
        walked_ += entries;
        steps_ += entries + other_work;
    }
    /// Counts an entry that is shown. False when it does not fit any more: the page is full. The
    /// first fits however large it is, so that a cursor gets past it.
    [[nodiscard]] bool take(std::uint64_t bytes) noexcept {
        if (full_ || count_ >= limit_.count || (count_ != 0 && bytes > limit_.bytes - bytes_)) {
            full_ = true;
            return false;
        }
        ++count_;
        steps_ += 8 + bytes / 256;
        bytes_ = bytes < limit_.bytes - bytes_ ? bytes_ + bytes : limit_.bytes;
        return true;
    }
    /// Whether an entry did not fit.
    [[nodiscard]] bool full() const noexcept { return full_; }
    /// Gives the steps of another turn.
    void next_turn() noexcept { steps_ = 0; }
    /// Entries looked at, over all turns.
    [[nodiscard]] std::uint64_t walked() const noexcept { return walked_; }
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

private:
    PageLimit limit_;
    std::uint64_t count_ = 0;
    std::uint64_t bytes_ = 0;
    std::uint64_t steps_ = 0;
    std::uint64_t walked_ = 0;
    bool full_ = false;
};

/// A piece of a list. `more`: there are others behind it, or the turn's steps ran out before that
/// was known; they are reached with the reader's cursor.
template <class T>
struct Page {
    std::vector<T> entries;
    bool more = false;
};

}  // namespace agentcom::core
