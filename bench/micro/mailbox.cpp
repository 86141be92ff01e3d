// Polls of one mailbox, with few and many messages unread in it: a poll must cost what it returns.

#include <benchmark/benchmark.h>

#include <map>

#include "sample.hpp"
#include "stored.hpp"

namespace agentcom::bench {
namespace {

constexpr std::string_view kReader = "receiver-0";
constexpr std::uint64_t kPage = 50;

/// Kept for all benchmarks that ask for the same number, since filling takes longer than measuring.
StoredMessages& mailbox_of(std::uint64_t messages) {
    static std::map<std::uint64_t, StoredMessages> kept;
    const auto [at, fresh] = kept.try_emplace(messages, store::Durability::relaxed);
    if (fresh) {
        at->second.fill(messages, [](std::uint64_t) {
            return sample_draft(agent("sender-0"), core::ToAgent{agent(kReader)});
        });
    }
    return at->second;
}

store::MailboxQuery query_after(core::Seq since) {
    return {.agent = agent(kReader), .since = since};
}

store::MailboxView page(const store::Store& store, const store::MailboxQuery& query) {
    store::MailboxView view;
    core::Budget budget({.count = kPage});
    while (!view.complete()) {
        budget.next_turn();
        store.read_mailbox(query, budget, view);
    }
    return view;
}

void poll(benchmark::State& state) {
    store::Store& store = mailbox_of(static_cast<std::uint64_t>(state.range(0))).store();
    const store::MailboxQuery query = query_after({});
    if (page(store, query).messages.size() != kPage) {
        state.SkipWithError("the poll does not return a whole page");
        return;
    }
    for (auto _ : state) {
        auto view = page(store, query);
        benchmark::DoNotOptimize(view);
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kPage));
}
BENCHMARK(poll)
    ->Name("mailbox/poll_50")
    ->ArgName("stored")
    ->Arg(100)
    ->Arg(100'000)
    ->Unit(benchmark::kMicrosecond);

void poll_nothing(benchmark::State& state) {
    store::Store& store = mailbox_of(static_cast<std::uint64_t>(state.range(0))).store();
    const store::MailboxQuery query = query_after(store.head());
    if (!page(store, query).messages.empty()) {
        state.SkipWithError("the poll returns something");
        return;
    }
    for (auto _ : state) {
        auto view = page(store, query);
        benchmark::DoNotOptimize(view);
    }
}
BENCHMARK(poll_nothing)
    ->Name("mailbox/poll_nothing")
    ->ArgName("stored")
    ->Arg(100)
    ->Arg(100'000)
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace agentcom::bench
