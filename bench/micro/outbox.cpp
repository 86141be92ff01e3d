// What a session's outbox costs per frame: so many frames appended, then gathered and consumed as
// if the socket had taken all of them.

#include <benchmark/benchmark.h>

#include <array>

#include "agentcom/delivery/outbox.hpp"
#include "agentcom/protocol/codec.hpp"
#include "net/ws_framing.hpp"
#include "sample.hpp"

namespace agentcom::bench {
namespace {

/// As many as net gathers into one system call.
constexpr std::size_t kViews = 64;

void flush(delivery::Outbox& outbox) {
    std::array<std::string_view, kViews> views;
    while (!outbox.empty()) {
        const std::size_t count = outbox.gather(views.data(), views.size());
        benchmark::DoNotOptimize(views.data());
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < count; ++i) bytes += views[i].size();
        benchmark::DoNotOptimize(outbox.consume(bytes));
    }
}

std::string push_frame(std::string_view payload) {
    core::Message message = sample_message(core::ToAgent{agent("worker-17")});
    message.draft.payload.text = payload;
    std::string text;
    protocol::encode_push(message, text);
    std::string frame;
    net::append_text_frame(frame, text);
    return frame;
}

void append_copied(benchmark::State& state) {
    const std::string frame = push_frame(kPayload);
    delivery::Outbox outbox({});
    std::uint64_t seq = 0;
    for (auto _ : state) {
        for (std::int64_t i = 0; i < state.range(0); ++i) outbox.append(frame, core::Seq{++seq});
        flush(outbox);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}

void append_shared(benchmark::State& state, std::string_view payload) {
    const auto frame = std::make_shared<const std::string>(push_frame(payload));
    delivery::Outbox outbox({});
    std::uint64_t seq = 0;
    for (auto _ : state) {
        for (std::int64_t i = 0; i < state.range(0); ++i) {
            outbox.append_shared(frame, core::Seq{++seq});
        }
        flush(outbox);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
void append_shared_small(benchmark::State& state) { append_shared(state, kPayload); }
void append_shared_large(benchmark::State& state) {
    append_shared(state, '"' + std::string(16'384, 'x') + '"');
}

void with_frames(benchmark::internal::Benchmark* benchmark) {
    benchmark->ArgName("frames")->Arg(1)->Arg(16)->Arg(256);
}
BENCHMARK(append_copied)->Name("outbox/copied")->Apply(with_frames);
BENCHMARK(append_shared_small)->Name("outbox/shared")->Apply(with_frames);
BENCHMARK(append_shared_large)->Name("outbox/shared_16KiB")->Apply(with_frames);

}  // namespace
}  // namespace agentcom::bench
