#pragma once

#include <cstdint>

/// Bounds of the protocol that the hub and its own clients both name.
namespace agentcom::core {

/// Most messages of one page of a history, the original's figure.
inline constexpr std::int64_t kMaxHistoryPage = 200;
/// Messages of a page of a mailbox unless its reader says more or fewer.
inline constexpr std::int64_t kUsualMailboxPage = 100;

}  // namespace agentcom::core
