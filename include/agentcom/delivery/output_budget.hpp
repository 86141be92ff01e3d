#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agentcom/core/pieces.hpp"

namespace agentcom::delivery {

class OutputBudget;
class Outbox;

/// Whose output waits in an outbox.
class Debtor {
public:
    virtual ~Debtor() = default;
    /// The hub holds too much unsent output and this is among the largest debts: end the connection
    /// and give its memory back. Called on the loop's thread; may be called again.
    virtual void foreclose() = 0;
};

/// The unsent output of one event loop's connections. For that loop's thread, except what its
/// budget reads. An outbox is listed here by the size of its debt, in powers of two, so that the
/// largest are found without looking at the others.
class OutputAccount {
public:
    /// Debts below this are never called in.
    static constexpr std::size_t kSmallestDebt = std::size_t{4} * 1024;

    explicit OutputAccount(OutputBudget& budget) : budget_(budget) {}
    OutputAccount(const OutputAccount&) = delete;
    OutputAccount& operator=(const OutputAccount&) = delete;

    [[nodiscard]] OutputBudget& budget() noexcept { return budget_; }

    /// Bytes are taken up that nobody else counts.
    void take(std::size_t bytes) noexcept { set_owned(owned() + bytes); }
    void give_back(std::size_t bytes) noexcept { set_owned(owned() - bytes); }
    /// So much has been appended, shared or not: after a stretch of that the budget is looked at.
    void appended(std::size_t bytes) noexcept;
    /// Whether somebody must be foreclosed; then call `relieve` when nothing is in the middle of a
    /// change to an outbox.
    [[nodiscard]] bool overdrawn() const noexcept { return overdrawn_; }
    void relieve();

    /// Forecloses debts of at least this class, the largest first, for as long as the hub's output
    /// is above its low water.
    void call_in(unsigned lowest_class);

    /// For Outbox: the class of a debt, 0 for one too small to be listed.
    [[nodiscard]] static unsigned debt_class(std::size_t bytes) noexcept;
    void reclassify(Outbox& outbox, unsigned from, unsigned to);

private:
    friend class OutputBudget;
    static constexpr unsigned kClasses = 32;

    [[nodiscard]] std::size_t owned() const noexcept {
        return owned_.load(std::memory_order_relaxed);
    }
    void set_owned(std::size_t bytes) noexcept { owned_.store(bytes, std::memory_order_relaxed); }

    OutputBudget& budget_;
    // Written by the loop's thread only, so that no instruction has to be locked.
    std::atomic<std::size_t> owned_{0};
    std::array<std::atomic<std::size_t>, kClasses> debts_{};  // outboxes in each class
    std::array<std::vector<Outbox*>, kClasses> debtors_;
    std::size_t since_check_ = 0;
    bool overdrawn_ = false;
};

/// How much output may wait in the whole hub, and how much does. Past the limit the largest debts
/// are called in on all loops until the sum is well below. Members are for any thread.
class OutputBudget {
public:
    OutputBudget(std::size_t limit, std::size_t loops);

    [[nodiscard]] std::size_t limit() const noexcept { return limit_; }
    /// Where calling in ends.
    [[nodiscard]] std::size_t low_water() const noexcept { return limit_ / 4 * 3; }
    [[nodiscard]] std::size_t used() const noexcept;
    [[nodiscard]] OutputAccount& account(std::size_t loop) noexcept { return *accounts_[loop]; }

    /// How the budget reaches another loop: `ask(loop, lowest_class)` lets that loop's thread call
    /// `call_in`. Set before the loops run; without it only the loop that notices calls in.
    void set_ask(std::function<void(std::size_t, unsigned)> ask) { ask_ = std::move(ask); }

    /// Counts shared bytes once, for as long as it lives.
    class Charge {
    public:
        Charge() = default;
        Charge(OutputBudget& budget, std::size_t bytes);
        ~Charge();
        Charge(Charge&& other) noexcept;
        Charge& operator=(Charge&& other) noexcept;

    private:
        OutputBudget* budget_ = nullptr;
        std::size_t bytes_ = 0;
    };

private:
    friend class OutputAccount;
    /// From which class on debts must be called in to come down to low water.
    [[nodiscard]] unsigned lowest_class_to_call(std::size_t used) const noexcept;
    void ask_others(const OutputAccount& asking, unsigned lowest_class);

    std::size_t limit_;
    std::atomic<std::size_t> shared_{0};
    std::vector<std::unique_ptr<OutputAccount>> accounts_;
    std::function<void(std::size_t, unsigned)> ask_;
};

/// Bytes for many receivers that the budget counts once; without a budget nobody counts them. The
/// budget must outlive them.
[[nodiscard]] core::SharedBytes share(std::string bytes, OutputBudget* budget);
[[nodiscard]] std::shared_ptr<const core::Pieces> share(core::Pieces text, OutputBudget* budget);

}  // namespace agentcom::delivery
