#include "agentcom/services/history.hpp"

#include <algorithm>

namespace agentcom::services {

std::vector<core::MessagePtr> History::page(store::HistoryQuery query) const {
    query.limit = std::min(query.limit, kMaxHistoryPage);
    if (query.limit == 0) return {};
    return store_.history(query);
}

}  // namespace agentcom::services
