#include "router/day_recount.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace agentcom::router {

namespace {

constexpr core::Millis kDayCounted{86'400'000};
constexpr core::Millis kSliceOfCounting{1};
constexpr std::uint64_t kMessagesAtOnce = 128;
/// By which it takes turns with those who read.
constexpr const char* kCounter = "";

struct Counting : std::enable_shared_from_this<Counting> {
    Counting(delivery::EventLoop& the_loop, const store::Store& the_store,
             const core::Clock& the_clock, core::Seq up_to, services::Analytics& counters,
             HubWatch& the_watch, std::function<void()> when_done)
        : loop(the_loop),
          store(the_store),
          clock(the_clock),
          head(up_to),
          analytics(counters),
          watch(the_watch),
          done(std::move(when_done)) {}

    void begin() {
        loop.reads().add(
            kCounter,
            [self = shared_from_this()] {
                const core::Timestamp day{self->clock.now().ms - kDayCounted.count()};
                const core::Seq first = self->store.first_sent_at_or_after(day);
                self->cursor = core::Seq{std::max<std::uint64_t>(first.value, 1) - 1};
                self->go_on();
            },
            [self = shared_from_this()] { self->done(); });
    }
    void go_on() {
        if (cursor >= head) return done();
        loop.reads().add(
            kCounter, [self = shared_from_this()] { self->slice(); },
            [self = shared_from_this()] { self->done(); });
    }
    void slice() {
        const auto began = std::chrono::steady_clock::now();
        bool more = true;
        while (more && cursor < head &&
               std::chrono::steady_clock::now() - began < kSliceOfCounting) {
            core::Budget budget({.steps = kMessagesAtOnce});
            const auto walk = store.walk_log(
                cursor, budget, [this](const store::LogGlance& message) { count(message); });
            cursor = walk.cursor;
            more = walk.more;
        }
        if (!more) return done();
        go_on();
    }
    void count(const store::LogGlance& message) {
        if (message.seq > head) return;
        const core::Timestamp now = clock.now();
        watch.recall(message.timestamp);
        const auto from = core::AgentId::parse(message.from);
        if (!from) return;
        using Kind = store::LogGlance::Kind;
        analytics.recall_sent(*from, message.timestamp, now);
        if (message.kind == Kind::to_everyone) {
            analytics.broadcast(*from, message.seq, message.timestamp);
        } else if (message.kind == Kind::to_channel) {
            analytics.published(*from, message.to, message.timestamp);
        } else if (const auto to = core::AgentId::parse(message.to)) {
            analytics.recall_received(*to, message.timestamp, now);
        }
    }

    delivery::EventLoop& loop;
    const store::Store& store;
    const core::Clock& clock;
    const core::Seq head;
    services::Analytics& analytics;
    HubWatch& watch;
    std::function<void()> done;
    core::Seq cursor;
};

}  // namespace

void DayRecount::begin(delivery::EventLoop& loop, const store::Store& store,
                       const core::Clock& clock, core::Seq head, services::Analytics& analytics,
                       HubWatch& watch, std::function<void()> done) {
    const auto counting =
        std::make_shared<Counting>(loop, store, clock, head, analytics, watch, std::move(done));
    // The loop may be another thread's, or not run yet.
    loop.post([counting] { counting->begin(); });
}

}  // namespace agentcom::router
