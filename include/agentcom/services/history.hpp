#pragma once

#include "agentcom/store/store.hpp"

namespace agentcom::services {

/// The audit log of all messages, filtered. Thread-safe.
class History {
public:
    explicit History(const store::Store& store) : store_(store) {}

    /// Oldest first, after the query's cursor. A page without messages whose cursor has moved may
    /// have others behind it.
    [[nodiscard]] store::MessagePage page(const store::HistoryQuery& query,
                                          core::Budget& budget) const {
        return store_.history(query, budget);
    }

private:
    const store::Store& store_;
};

}  // namespace agentcom::services
