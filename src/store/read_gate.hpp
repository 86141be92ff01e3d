#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string_view>

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
    /// `patience`: how long a reader waits for it.
    explicit ReadGate(std::function<void()> ask,
                      std::chrono::milliseconds patience = std::chrono::milliseconds(250))
        : ask_(std::move(ask)), patience_(patience) {}

    /// For readers, before they begin: returns when all that had been announced is shown, or the
    /// writer is stuck.
    void pass() {
        passed_.fetch_add(1, std::memory_order_relaxed);
        if (is_stuck()) return;
        const std::uint64_t wanted = announced();
        if (shown_.load(std::memory_order_acquire) < wanted) wait_for(wanted);
    }

    /// For readers of one agent's mailbox alone: as `pass` when anything that concerns it may have
    /// been announced and is not shown.
    void pass_to_mailbox(std::string_view agent) {
        if (shown_.load(std::memory_order_acquire) >= announced()) return;
        if (all_touched_.load(std::memory_order_acquire) || is_touched(agent)) pass();
    }

    /// How many have come so far.
    [[nodiscard]] std::uint64_t passed() const noexcept {
        return passed_.load(std::memory_order_relaxed);
    }
    /// A reader has waited for too long: until the writer shows or announces something, nobody
    /// waits, and what was announced last may be missing.
    [[nodiscard]] bool is_stuck() const noexcept { return stuck_.load(std::memory_order_acquire); }
    /// Somebody waits, or has given up waiting.
    [[nodiscard]] bool is_wanted() const noexcept {
        return waiting_.load(std::memory_order_acquire) > 0 || is_stuck();
    }
    /// How many deferred batches have been announced so far.
    [[nodiscard]] std::uint64_t announced() const noexcept {
        return announced_.load(std::memory_order_acquire);
    }
    /// For the writer, before it announces what concerns this mailbox, or any.
    void touch_mailbox(std::string_view agent) noexcept {
        const std::size_t place = place_of(agent);
        touched_[place / 64].fetch_or(std::uint64_t{1} << place % 64, std::memory_order_release);
    }
    void touch_all() noexcept { all_touched_.store(true, std::memory_order_release); }
    /// For the writer, when all that has concerned any is shown.
    void forget_touched() noexcept;
    /// For the writer, before anybody is told of the next deferred batch.
    void announce() noexcept {
        announced_.fetch_add(1, std::memory_order_release);
        // It goes on, so that who is told of this may wait for it.
        stuck_.store(false, std::memory_order_release);
    }
    /// For the writer: so many of the announced batches are in what readers see.
    void show(std::uint64_t batches);
    /// Nobody waits until something is shown or announced: it takes longer than anybody can wait.
    void open();

private:
    static constexpr std::size_t kPlaces = 4'096;

    void wait_for(std::uint64_t wanted);
    static std::size_t place_of(std::string_view agent) noexcept {
        return std::hash<std::string_view>{}(agent) % kPlaces;
    }
    [[nodiscard]] bool is_touched(std::string_view agent) const noexcept {
        const std::size_t place = place_of(agent);
        return (touched_[place / 64].load(std::memory_order_acquire) >> place % 64 & 1) != 0;
    }

    const std::function<void()> ask_;
    const std::chrono::milliseconds patience_;
    std::atomic<bool> stuck_{false};
    std::atomic<std::uint64_t> passed_{0};
    std::atomic<std::uint64_t> announced_{0};
    std::atomic<std::uint64_t> shown_{0};
    std::atomic<std::uint64_t> waiting_{0};
    // Mailboxes by a hash of their agent: one that shares its place waits in vain.
    std::array<std::atomic<std::uint64_t>, kPlaces / 64> touched_{};
    std::atomic<bool> all_touched_{false};
    std::mutex mutex_;
    std::condition_variable changed_;
};

}  // namespace agentcom::store
