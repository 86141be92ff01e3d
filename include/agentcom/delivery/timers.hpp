#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "agentcom/core/time.hpp"

namespace agentcom::delivery {

/// Functions to be called at points in time, in the order of those. Adding, cancelling and taking
/// cost O(log n). Knows no clock: whoever owns it says what time it is. For one thread.
class Timers {
public:
    /// Names an entry for `cancel`, also after it has run.
    struct Handle {
        core::SteadyTime at;
        std::uint64_t number = 0;
    };

    Handle add(core::SteadyTime at, std::function<void()> function) {
        const Handle handle{at, ++last_number_};
        entries_.emplace(std::pair(at, handle.number), std::move(function));
        return handle;
    }
    /// False when it has run or was cancelled before.
    bool cancel(const Handle& handle) {
        return entries_.erase(std::pair(handle.at, handle.number)) > 0;
    }
    [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    /// There must be one.
    [[nodiscard]] core::SteadyTime nearest() const noexcept {
        return entries_.begin()->first.first;
    }
    /// Takes out the nearest one, if its time has come.
    [[nodiscard]] std::optional<std::function<void()>> take_due(core::SteadyTime now) {
        if (entries_.empty() || nearest() > now) return std::nullopt;
        std::function<void()> function = std::move(entries_.begin()->second);
        entries_.erase(entries_.begin());
        return function;
    }

private:
    std::map<std::pair<core::SteadyTime, std::uint64_t>, std::function<void()>> entries_;
    std::uint64_t last_number_ = 0;
};

}  // namespace agentcom::delivery
