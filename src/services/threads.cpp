#include "agentcom/services/threads.hpp"

#include <algorithm>

namespace agentcom::services {

std::vector<core::MessagePtr> Threads::slice(std::string_view root, core::Seq cursor,
                                             std::uint64_t limit) const {
    return store_.thread(root, cursor, std::min(limit, kThreadSlice));
}

std::vector<core::MessagePtr> Threads::replies_slice(std::string_view message_id, core::Seq cursor,
                                                     std::uint64_t limit) const {
    return store_.replies(message_id, cursor, std::min(limit, kThreadSlice));
}

}  // namespace agentcom::services
