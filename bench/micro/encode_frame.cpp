// Writing the answer to a sender, the most frequent reply.

#include <benchmark/benchmark.h>

#include "agentcom/protocol/codec.hpp"
#include "sample.hpp"

namespace agentcom::bench {
namespace {

void encode_message_sent(benchmark::State& state, const std::optional<core::JsonText>& ref) {
    const core::Message message = sample_message(core::ToAgent{agent("worker-17")});
    const protocol::Reply reply(protocol::ReplyValue(
        protocol::MessageSent{message.id, message.seq, protocol::DeliveryStatus::delivered}));
    core::Pieces out;
    for (auto _ : state) {
        out.clear();
        protocol::encode_frame(reply, ref, out);
        benchmark::DoNotOptimize(out.open().data());
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(out.size()));
}

void encode_without_ref(benchmark::State& state) { encode_message_sent(state, std::nullopt); }
void encode_with_ref(benchmark::State& state) {
    encode_message_sent(state, core::JsonText{"\"request-4711\""});
}
BENCHMARK(encode_without_ref)->Name("encode_frame/message_sent");
BENCHMARK(encode_with_ref)->Name("encode_frame/message_sent/ref");

}  // namespace
}  // namespace agentcom::bench
