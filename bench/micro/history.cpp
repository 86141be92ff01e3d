// Pages of history, unfiltered and by sender, recipient and channel, with few and many messages
// stored. Each page begins at another place of the log, so a large log also pays for memory that
// is not in the processor's caches.

#include <benchmark/benchmark.h>

#include <array>
#include <map>
#include <random>

#include "sample.hpp"
#include "stored.hpp"

namespace agentcom::bench {
namespace {

constexpr std::uint64_t kAgents = 20;
constexpr std::uint64_t kChannels = 4;
constexpr std::uint64_t kPage = 50;

/// Every fifth message goes to a channel, the others to an agent. Senders take turns at another
/// rhythm than recipients, so that each list holds a bit of everything.
core::Draft draft(std::uint64_t i) {
    const std::string from = "sender-" + std::to_string(i % kAgents);
    const std::uint64_t turn = i / kAgents;
    if (i % 5 == 0) {
        return sample_draft(agent(from),
                            core::ToChannel{channel("room-" + std::to_string(turn % kChannels))});
    }
    return sample_draft(agent(from),
                        core::ToAgent{agent("receiver-" + std::to_string((i + turn) % kAgents))});
}

/// Kept for all benchmarks that ask for the same number, since filling takes longer than measuring.
StoredMessages& log_of(std::uint64_t messages) {
    static std::map<std::uint64_t, StoredMessages> kept;
    const auto [at, fresh] = kept.try_emplace(messages, store::Durability::relaxed);
    if (fresh) {
        std::vector<store::WriteOp> channels;
        for (std::uint64_t i = 0; i < kChannels; ++i) {
            channels.emplace_back(store::CreateChannel{channel("room-" + std::to_string(i)),
                                                       "about", agent("sender-0")});
        }
        at->second.write(std::move(channels));
        at->second.fill(messages, draft);
    }
    return at->second;
}

void page(benchmark::State& state, store::HistoryQuery query) {
    const auto stored = static_cast<std::uint64_t>(state.range(0));
    store::Store& store = log_of(stored).store();
    // From the older half, so that every page is a whole one.
    std::mt19937_64 random(7);
    std::array<std::uint64_t, 1'024> cursors{};
    for (std::uint64_t& cursor : cursors) cursor = random() % (stored / 2);
    std::size_t turn = 0;
    std::uint64_t returned = 0;
    for (auto _ : state) {
        query.cursor.value = cursors[turn++ % cursors.size()];
        core::Budget budget({.count = kPage});
        returned += store.history(query, budget).entries.size();
    }
    if (returned != static_cast<std::uint64_t>(state.iterations()) * kPage) {
        state.SkipWithError("not every page was a whole one");
        return;
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(returned));
}

void page_of_all(benchmark::State& state) { page(state, {}); }
void page_from(benchmark::State& state) {
    store::HistoryQuery query;
    query.from = "sender-7";
    page(state, std::move(query));
}
void page_to(benchmark::State& state) {
    store::HistoryQuery query;
    query.to = "receiver-7";
    page(state, std::move(query));
}
void page_of_channel(benchmark::State& state) {
    store::HistoryQuery query;
    query.channel = channel("room-1");
    page(state, std::move(query));
}

void with_pages(benchmark::internal::Benchmark* benchmark) {
    benchmark->ArgName("stored")->Arg(10'000)->Arg(100'000)->Arg(1'000'000);
    benchmark->Unit(benchmark::kMicrosecond);
}
BENCHMARK(page_of_all)->Name("history/all")->Apply(with_pages);
BENCHMARK(page_from)->Name("history/from")->Apply(with_pages);
BENCHMARK(page_to)->Name("history/to")->Apply(with_pages);
BENCHMARK(page_of_channel)->Name("history/channel")->Apply(with_pages);

}  // namespace
}  // namespace agentcom::bench
