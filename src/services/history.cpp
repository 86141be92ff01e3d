#include "agentcom/services/history.hpp"

#include <algorithm>

namespace agentcom::services {

store::MessagePage History::page(const store::HistoryQuery& query, core::PageLimit limit) const {
    limit.count = std::min(limit.count, kMaxHistoryPage);
    if (limit.count == 0) {
        store::MessagePage nothing;
        nothing.cursor = query.cursor;
        return nothing;
    }
    core::Budget budget(limit);
    return store_.history(query, budget);
}

}  // namespace agentcom::services
