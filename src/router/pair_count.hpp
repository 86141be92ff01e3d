#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "agentcom/core/guarded.hpp"
#include "agentcom/core/time.hpp"
#include "agentcom/delivery/event_loop.hpp"
#include "agentcom/protocol/observation.hpp"
#include "agentcom/protocol/replies.hpp"
#include "agentcom/protocol/requests.hpp"
#include "agentcom/store/store.hpp"

namespace agentcom::router {

/// Counts who wrote how much to whom, by reading the log: the newest kMostMessages of the stretch
/// that is asked for, in slices among the other reads of the loop that asks. Those who ask the same
/// within a second are given the same answer. Thread-safe.
class PairCount : public std::enable_shared_from_this<PairCount> {
public:
    static constexpr std::uint64_t kMostMessages = 200'000;
    using Answer = protocol::Shared<protocol::ObservedPairs>;

    PairCount(const store::Store& store, const core::Clock& clock) : store_(store), clock_(clock) {}

    /// `reply` is called on the loop, with null when the log cannot be read.
    void answer(delivery::EventLoop& loop, const protocol::ObservePairs& request,
                std::function<void(Answer)> reply);

private:
    struct Count;
    struct Made {
        protocol::ObservePairs request;
        core::SteadyTime at;
        Answer answer;
    };
    static constexpr std::size_t kMostMade = 8;
    [[nodiscard]] Answer known(const protocol::ObservePairs& request) const;
    void remember(const protocol::ObservePairs& request, Answer answer);
    void go_on(const std::shared_ptr<Count>& count);
    /// A little; whether all has been counted.
    [[nodiscard]] bool step(Count& count) const;

    const store::Store& store_;
    const core::Clock& clock_;
    core::Guarded<std::vector<Made>> made_;  // the newest last
};

}  // namespace agentcom::router
