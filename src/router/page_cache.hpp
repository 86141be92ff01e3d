#pragma once

#include <memory>
#include <utility>

#include "agentcom/core/guarded.hpp"
#include "agentcom/core/time.hpp"
#include "agentcom/protocol/replies.hpp"

namespace agentcom::router {

/// The first page of a listing that many ask for again and again: whoever asks within a second of
/// its making is given the same one, if it was worth keeping. Thread-safe.
template <class Page>
class PageCache {
public:
    /// `worth_keeping(page)`: whether making it costs enough that it may be a second old.
    template <class Make, class Worth>
    protocol::Shared<Page> get_or(core::SteadyTime now, Make make, Worth worth_keeping) {
        auto page = state_.with([&](const State& state) {
            return state.page && now - state.made_at < kFresh ? state.page : nullptr;
        });
        if (page) return page;
        page = std::make_shared<const Page>(make());
        if (worth_keeping(*page)) state_.with([&](State& state) { state = State{page, now}; });
        return page;
    }
    void forget() {
        state_.with([](State& state) { state = State{}; });
    }

private:
    static constexpr core::Millis kFresh{1'000};
    struct State {
        protocol::Shared<Page> page;
        core::SteadyTime made_at;
    };
    core::Guarded<State> state_;
};

}  // namespace agentcom::router
