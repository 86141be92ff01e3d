#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agentcom/core/guarded.hpp"
#include "agentcom/core/ids.hpp"
#include "agentcom/store/spans.hpp"
#include "store/keys.hpp"

namespace agentcom::store {

/// What reads have found out, so that none walks past the same messages twice: stretches of lists
/// in which an agent has nothing but messages of its own. Lists only grow at their end and numbers
/// are never given twice, so what was found stays true; what is forgotten is found again. Bounded,
/// in memory, thread-safe.
class ReadNotes {
public:
    static constexpr std::size_t kMaxLists = 16'384;
    static constexpr std::size_t kMaxRuns = 16;  // of a list
    /// Shorter runs are not worth a note.
    static constexpr std::uint64_t kMinRun = 64;

    [[nodiscard]] Spans own_runs(std::string_view agent, Feed feed, std::string_view owner) const;
    /// The messages of the run must be committed.
    void add_own_run(std::string_view agent, Feed feed, std::string_view owner, ReadSpan run);
    [[nodiscard]] std::size_t lists() const;

    /// Entries of lists that reads have looked at.
    std::atomic<std::uint64_t> steps{0};

private:
    using Lists = std::unordered_map<std::string, Spans, core::TextHash, core::TextEqual>;
    core::Guarded<Lists> own_runs_;
};

}  // namespace agentcom::store
