#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agentcom/store/store.hpp"

namespace agentcom::services {

/// Most messages one answer about a thread holds; a longer thread is read with `cursor`.
inline constexpr std::uint64_t kMaxThreadPage = 10'000;
/// Messages read in one go, between which an event loop serves others (about a millisecond's work).
inline constexpr std::uint64_t kThreadSlice = 500;

/// Reply trees. Every message knows its root since it was stored, so no walk ever follows a chain.
/// Thread-safe.
class Threads {
public:
    explicit Threads(const store::Store& store) : store_(store) {}

    [[nodiscard]] std::string root(std::string_view message_id) const {
        return store_.thread_root(message_id);
    }
    /// The next at most kThreadSlice messages of the thread after `cursor`, oldest first.
    [[nodiscard]] std::vector<core::MessagePtr> slice(std::string_view root, core::Seq cursor,
                                                      std::uint64_t limit) const;
    [[nodiscard]] std::vector<core::MessagePtr> replies_slice(std::string_view message_id,
                                                              core::Seq cursor,
                                                              std::uint64_t limit) const;

private:
    const store::Store& store_;
};

}  // namespace agentcom::services
