#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "agentcom/core/pieces.hpp"
#include "agentcom/delivery/session.hpp"

namespace agentcom::router {

/// The streams of observers, by the loop that they belong to. Each loop's part is for that loop's
/// thread; how many there are may be asked by any. Whoever holds a place in it keeps it alive.
class Audience {
public:
    explicit Audience(std::size_t loops) : of_loops_(loops) {}

    void add(std::size_t loop, delivery::Session& session) {
        of_loops_[loop].waiting.push_back(&session);
        count_.fetch_add(1);
    }
    void remove(std::size_t loop, delivery::Session& session) {
        std::erase(of_loops_[loop].waiting, &session);
        std::erase(of_loops_[loop].watching, &session);
        count_.fetch_sub(1);
    }
    [[nodiscard]] std::uint64_t count() const noexcept { return count_.load(); }

    /// To those who have had nothing yet; from then on they are told of changes.
    void show(std::size_t loop, const std::shared_ptr<const core::Pieces>& snapshot) {
        OfLoop& here = of_loops_[loop];
        here.watching.insert(here.watching.end(), here.waiting.begin(), here.waiting.end());
        // A session that is pushed to may be closed, but stays here until it is removed.
        for (delivery::Session* session : std::exchange(here.waiting, {})) {
            session->push_events(snapshot);
        }
    }
    void tell(std::size_t loop, const delivery::SharedBytes& change) {
        for (delivery::Session* session : of_loops_[loop].watching) session->push_event(change);
    }

private:
    struct OfLoop {
        std::vector<delivery::Session*> waiting;   // for a snapshot
        std::vector<delivery::Session*> watching;  // told of changes
    };
    std::vector<OfLoop> of_loops_;
    std::atomic<std::uint64_t> count_{0};
};

}  // namespace agentcom::router
