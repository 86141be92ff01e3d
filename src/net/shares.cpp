#include "net/shares.hpp"

#include <functional>

namespace agentcom::net {

bool Shares::Holding::resize(std::uint64_t amount) {
    if (amount == amount_) return true;
    if (!shares_->change(owner_, amount_, amount)) return false;
    amount_ = amount;
    return true;
}

bool Shares::change(const std::string& owner, std::uint64_t from, std::uint64_t to) {
    const std::uint64_t more = to > from ? to - from : 0;
    if (more > 0 && held_.fetch_add(more) + more > total_) {
        held_.fetch_sub(more);
        return false;
    }
    const bool granted =
        shards_[std::hash<std::string>{}(owner) % kShards].with([&](Owners& owners) {
            std::uint64_t& held = owners[owner];
            const bool fits = more == 0 || held + more <= each_;
            if (fits) held = held - from + to;
            if (held == 0) owners.erase(owner);
            return fits;
        });
    if (more > 0) {
        if (!granted) held_.fetch_sub(more);
    } else {
        held_.fetch_sub(from - to);
    }
    return granted;
}

}  // namespace agentcom::net
