#pragma once

#include <cstdint>

#include "agentcom/store/store.hpp"

namespace agentcom::services {

/// Most messages one page of the history may hold (the original's figure).
inline constexpr std::uint64_t kMaxHistoryPage = 200;

/// The audit log of all messages, filtered. Thread-safe.
class History {
public:
    explicit History(const store::Store& store) : store_(store) {}

    /// Oldest first, after the query's cursor; the count is capped at kMaxHistoryPage.
    [[nodiscard]] store::MessagePage page(const store::HistoryQuery& query,
                                          core::PageLimit limit) const;

private:
    const store::Store& store_;
};

}  // namespace agentcom::services
