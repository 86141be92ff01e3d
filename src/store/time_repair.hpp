#pragma once

#include <cstdint>

#include "agentcom/core/time.hpp"
#include "store/transaction.hpp"

/// Times of the future in a store: what a wall clock that was ahead has left there, above all in
/// stores of programs that counted ages by it. One message of that kind makes everything before it
/// old.
namespace agentcom::store {

struct FutureTimes {
    std::uint64_t messages = 0;  // that show, or count by, a time later than now
    std::uint64_t rows = 0;      // of other tables
    bool own = false;            // the store's own time, or that of its newest message

    [[nodiscard]] bool any() const noexcept { return messages != 0 || rows != 0 || own; }
};

/// `now`: what a clock shows that can be believed. A minute more is no future. What is damaged is
/// passed over.
[[nodiscard]] FutureTimes find_future_times(const Transaction& txn, core::Timestamp now);

/// Puts `now` in their place, or up to a minute more where an earlier message shows that: times
/// still do not fall from one message to the next, nor does the store's own. Takes back the
/// eviction of what is not older than `ttl` by that. Messages of the log that are already gone stay
/// gone. Damaged records are left as they are.
FutureTimes mend_future_times(WriteTransaction& txn, core::Timestamp now, core::Millis ttl);

}  // namespace agentcom::store
