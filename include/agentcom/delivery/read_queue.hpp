#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "agentcom/delivery/faults.hpp"

namespace agentcom::delivery {

/// Reads of the store on one event loop, each of which may take milliseconds. While a turn has time
/// for them and nobody waits, a read runs at once; others wait, and the owners of those that wait
/// take turns, so that many reads of one owner delay no other's. For the loop's thread.
class ReadQueue {
public:
    /// What all reads together may take of one turn. A single one is never cut short: pages are
    /// bounded elsewhere.
    static constexpr std::chrono::milliseconds kTimeOfTurn{2};

    explicit ReadQueue(Faults& faults) : faults_(faults) {}

    /// A new turn of the loop begins.
    void begin_turn() noexcept { spent_ = {}; }
    [[nodiscard]] bool may_run_now() const noexcept {
        return waiting_ == 0 && spent_ < kTimeOfTurn;
    }
    /// Runs what `may_run_now`, and counts the time it takes.
    template <class Read>
    void run_now(Read&& read) {
        const Stopwatch watch(spent_);
        std::forward<Read>(read)();
    }
    /// Runs the read in a later turn, or later in this one. `failed` is called when it throws.
    void add(std::string_view owner, std::function<void()> read, std::function<void()> failed);
    /// The same for the rest of a read that has begun: it comes before the owner's others, so that
    /// an owner has one half-read page at a time and not as many as it has asked for.
    void go_on(std::string_view owner, std::function<void()> read, std::function<void()> failed);

    [[nodiscard]] bool has_work() const noexcept { return waiting_ > 0; }
    [[nodiscard]] std::size_t size() const noexcept { return waiting_; }
    /// Runs some of those that wait: one at least, and no more than the turn has time for.
    void work() noexcept;

private:
    class Stopwatch {
    public:
        explicit Stopwatch(std::chrono::steady_clock::duration& sum) : sum_(sum) {}
        ~Stopwatch() { sum_ += std::chrono::steady_clock::now() - began_; }
        Stopwatch(const Stopwatch&) = delete;
        Stopwatch& operator=(const Stopwatch&) = delete;

    private:
        std::chrono::steady_clock::duration& sum_;
        std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    };
    struct Read {
        std::function<void()> run;
        std::function<void()> failed;
    };
    struct Owner {
        std::string name;
        std::list<Read> reads;
    };
    using Ring = std::list<Owner>;

    Ring::iterator find(std::string_view owner);
    /// Its last read has begun, or its first one could not be added.
    void drop_if_idle(Ring::iterator owner) noexcept;
    void run_next() noexcept;

    Faults& faults_;
    Ring in_turn_;                                                // whoever comes next in front
    std::unordered_map<std::string_view, Ring::iterator> names_;  // the same by their names
    std::size_t waiting_ = 0;
    std::chrono::steady_clock::duration spent_{};
};

}  // namespace agentcom::delivery
