#pragma once

#include <cstdint>

#include "agentcom/core/time.hpp"
#include "store/environment.hpp"

namespace agentcom::store {

/// Looks after those who read the files, above all from other processes (copies of a running
/// store): dead ones are cleared, one that holds an old snapshot is named in the log. Used by the
/// commit thread only.
class ReaderWatch {
public:
    struct Finding {
        OldestReader oldest;
        bool late = false;
    };

    ReaderWatch(Environment& env, const core::Clock& clock) : env_(env), clock_(clock) {}

    /// Looks once a second at most; returns what the last look found. Throws LmdbError.
    const Finding& look();

private:
    Environment& env_;
    const core::Clock& clock_;
    Finding last_;
    core::SteadyTime next_look_{core::SteadyTime::min()};
    core::SteadyTime next_warning_{core::SteadyTime::min()};
    core::SteadyTime since_;  // the oldest reader has been seen with this snapshot
};

}  // namespace agentcom::store
