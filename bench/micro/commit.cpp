// The commit pipeline: direct messages of 32 pairs of agents, handed over in batches, each waited
// for. The time is that from handing over to the last completion, so a batch of one shows what a
// lone sender waits for the disk.

#include <benchmark/benchmark.h>

#include <chrono>

#include "sample.hpp"
#include "stored.hpp"

namespace agentcom::bench {
namespace {

constexpr std::size_t kPairs = 32;

void commit_batches(benchmark::State& state, store::Durability durability) {
    StoredMessages stored(durability);
    std::vector<core::AgentId> from;
    std::vector<core::AgentId> to;
    for (std::size_t i = 0; i < kPairs; ++i) {
        from.push_back(agent("sender-" + std::to_string(i)));
        to.push_back(agent("receiver-" + std::to_string(i)));
    }
    const auto size = static_cast<std::size_t>(state.range(0));
    std::size_t next = 0;
    const std::uint64_t commits_before = stored.store().stats().commits;
    for (auto _ : state) {
        std::vector<store::WriteOp> batch;
        batch.reserve(size);
        for (std::size_t i = 0; i < size; ++i, next = (next + 1) % kPairs) {
            batch.emplace_back(store::AppendMessage{
                sample_draft(from[next], core::ToAgent{to[next]}), std::nullopt});
        }
        const auto begin = std::chrono::steady_clock::now();
        stored.write(std::move(batch));
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
        state.SetIterationTime(took.count());
    }
    const std::uint64_t commits = stored.store().stats().commits - commits_before;
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(size));
    state.counters["commits/batch"] =
        static_cast<double>(commits) / static_cast<double>(state.iterations());
}

void commit_synced(benchmark::State& state) { commit_batches(state, store::Durability::commit); }
void commit_relaxed(benchmark::State& state) { commit_batches(state, store::Durability::relaxed); }

void configure(benchmark::internal::Benchmark* benchmark) {
    benchmark->ArgName("batch")->Arg(1)->Arg(100)->Arg(1'000)->UseManualTime();
    benchmark->MeasureProcessCPUTime()->Unit(benchmark::kMicrosecond);
}
BENCHMARK(commit_synced)->Name("commit/synced")->Apply(configure);
BENCHMARK(commit_relaxed)->Name("commit/relaxed")->Apply(configure);

}  // namespace
}  // namespace agentcom::bench
