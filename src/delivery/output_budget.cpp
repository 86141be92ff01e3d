#include "agentcom/delivery/output_budget.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "agentcom/delivery/outbox.hpp"

namespace agentcom::delivery {

namespace {

/// How much a loop may append before it looks at the sum over all loops again.
constexpr std::size_t kCheckEvery = std::size_t{1} << 20;

constexpr std::size_t smallest_of(unsigned debt_class) noexcept {
    return OutputAccount::kSmallestDebt << (debt_class - 1);
}

template <class T>
struct Shared {
    T bytes;
    OutputBudget::Charge charge;
};

template <class T>
std::shared_ptr<const T> share_counted(T bytes, std::size_t size, OutputBudget* budget) {
    if (budget == nullptr) return std::make_shared<const T>(std::move(bytes));
    auto holder = std::make_shared<Shared<T>>(
        Shared<T>{std::move(bytes), OutputBudget::Charge(*budget, size)});
    return {holder, &holder->bytes};
}

}  // namespace

unsigned OutputAccount::debt_class(std::size_t bytes) noexcept {
    const auto width = static_cast<unsigned>(std::bit_width(bytes / kSmallestDebt));
    return std::min(width, kClasses - 1);
}

void OutputAccount::appended(std::size_t bytes) noexcept {
    since_check_ += bytes;
    if (since_check_ < std::min(kCheckEvery, budget_.limit() / 64)) return;
    since_check_ = 0;
    overdrawn_ = budget_.used() > budget_.limit();
}

void OutputAccount::reclassify(Outbox& outbox, unsigned from, unsigned to) {
    const auto count = [this](unsigned at) {
        debts_[at].store(debtors_[at].size(), std::memory_order_relaxed);
    };
    if (from != 0) {
        auto& list = debtors_[from];
        list.back()->debtor_place_ = outbox.debtor_place_;
        list[outbox.debtor_place_] = list.back();
        list.pop_back();
        count(from);
    }
    if (to != 0) {
        outbox.debtor_place_ = debtors_[to].size();
        debtors_[to].push_back(&outbox);
        count(to);
    }
}

void OutputAccount::relieve() {
    overdrawn_ = false;
    const std::size_t used = budget_.used();
    if (used <= budget_.limit()) return;
    const unsigned lowest = budget_.lowest_class_to_call(used);
    if (lowest == 0) return;
    call_in(lowest);
    if (budget_.used() > budget_.low_water()) budget_.ask_others(*this, lowest);
}

void OutputAccount::call_in(unsigned lowest_class) {
    for (unsigned at = kClasses - 1; at >= lowest_class && at > 0; --at) {
        // A foreclosed outbox changes its class at once, or is skipped: what it began to write may
        // keep it where it is.
        std::vector<Outbox*> list = debtors_[at];
        std::ranges::sort(list, std::ranges::greater{}, &Outbox::debt);
        for (Outbox* outbox : list) {
            if (budget_.used() <= budget_.low_water()) return;
            outbox->foreclose();
        }
    }
}

OutputBudget::OutputBudget(std::size_t limit, std::size_t loops) : limit_(limit) {
    for (std::size_t i = 0; i < loops; ++i) {
        accounts_.push_back(std::make_unique<OutputAccount>(*this));
    }
}

std::size_t OutputBudget::used() const noexcept {
    std::size_t sum = shared_.load(std::memory_order_relaxed);
    for (const auto& account : accounts_) sum += account->owned();
    return sum;
}

unsigned OutputBudget::lowest_class_to_call(std::size_t used) const noexcept {
    std::size_t freed = 0;
    unsigned lowest = 0;
    for (unsigned at = OutputAccount::kClasses - 1; at > 0 && used - freed > low_water(); --at) {
        std::size_t debts = 0;
        for (const auto& account : accounts_) {
            debts += account->debts_[at].load(std::memory_order_relaxed);
        }
        if (debts == 0) continue;
        lowest = at;
        freed += std::min(debts * smallest_of(at), used - freed);
    }
    return lowest;
}

void OutputBudget::ask_others(const OutputAccount& asking, unsigned lowest_class) {
    if (!ask_) return;
    for (std::size_t i = 0; i < accounts_.size(); ++i) {
        if (accounts_[i].get() != &asking) ask_(i, lowest_class);
    }
}

OutputBudget::Charge::Charge(OutputBudget& budget, std::size_t bytes)
    : budget_(&budget), bytes_(bytes) {
    budget.shared_.fetch_add(bytes, std::memory_order_relaxed);
}

OutputBudget::Charge::~Charge() {
    if (budget_ != nullptr) budget_->shared_.fetch_sub(bytes_, std::memory_order_relaxed);
}

OutputBudget::Charge::Charge(Charge&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)), bytes_(other.bytes_) {}

OutputBudget::Charge& OutputBudget::Charge::operator=(Charge&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
}

core::SharedBytes share(std::string bytes, OutputBudget* budget) {
    const std::size_t size = bytes.size();
    return share_counted(std::move(bytes), size, budget);
}

std::shared_ptr<const core::Pieces> share(core::Pieces text, OutputBudget* budget) {
    const std::size_t size = text.size();
    return share_counted(std::move(text), size, budget);
}

}  // namespace agentcom::delivery
