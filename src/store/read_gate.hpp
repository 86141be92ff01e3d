#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>

namespace agentcom::store {

/// How long a transaction is kept open for further batches. Who reads the file past the gate, from
/// another process, may lack what was announced so shortly before.
inline constexpr std::chrono::milliseconds kLongestOpen{100};

/// Between readers and batches whose commit is deferred: these are announced as soon as the journal
/// has them, and whoever begins to read afterwards waits here until LMDB shows them. Where nothing
/// is deferred, nobody waits. Thread-safe.
class ReadGate {
public:
    /// `ask` is called by a reader that has to wait, on its thread and with no lock held; it makes
    /// the writer look at `is_wanted`.
    explicit ReadGate(std::function<void()> ask) : ask_(std::move(ask)) {}

    /// For readers, before they begin: returns when all that had been announced is shown.
    void pass() {
        passed_.fetch_add(1, std::memory_order_relaxed);
        const std::uint64_t wanted = announced();
        if (shown_.load(std::memory_order_acquire) < wanted) wait_for(wanted);
    }

    /// How many have come so far.
    [[nodiscard]] std::uint64_t passed() const noexcept {
        return passed_.load(std::memory_order_relaxed);
    }
    /// Somebody waits.
    [[nodiscard]] bool is_wanted() const noexcept {
        return waiting_.load(std::memory_order_acquire) > 0;
    }
    /// How many deferred batches have been announced so far.
    [[nodiscard]] std::uint64_t announced() const noexcept {
        return announced_.load(std::memory_order_acquire);
    }
    /// For the writer, before anybody is told of the next deferred batch.
    void announce() noexcept { announced_.fetch_add(1, std::memory_order_release); }
    /// For the writer: so many of the announced batches are in what readers see.
    void show(std::uint64_t batches);
    /// Nobody waits any more, whatever is announced.
    void open() { show(std::numeric_limits<std::uint64_t>::max()); }

private:
    void wait_for(std::uint64_t wanted);

    const std::function<void()> ask_;
    std::atomic<std::uint64_t> passed_{0};
    std::atomic<std::uint64_t> announced_{0};
    std::atomic<std::uint64_t> shown_{0};
    std::atomic<std::uint64_t> waiting_{0};
    std::mutex mutex_;
    std::condition_variable changed_;
};

}  // namespace agentcom::store
