#pragma once

#include <vector>

#include "agentcom/store/store.hpp"

namespace agentcom::services {

/// Most messages one page of the history may hold (the original's figure).
inline constexpr std::uint64_t kMaxHistoryPage = 200;

/// The audit log of all messages, filtered. Thread-safe.
class History {
public:
    explicit History(const store::Store& store) : store_(store) {}

    /// Oldest first, after the query's cursor; the limit is capped at kMaxHistoryPage.
    [[nodiscard]] std::vector<core::MessagePtr> page(store::HistoryQuery query) const;

private:
    const store::Store& store_;
};

}  // namespace agentcom::services
