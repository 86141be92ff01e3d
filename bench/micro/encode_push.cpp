// Writing the frame that pushes a message to its receiver.

#include <benchmark/benchmark.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "agentcom/protocol/codec.hpp"
#include "sample.hpp"

namespace agentcom::bench {
namespace {

/// As a hub would that keeps payloads as trees: the tree is there, the frame is built and dumped.
std::string nlohmann_push(const core::Message& message, const nlohmann::json& payload) {
    const auto& to = std::get<core::ToAgent>(message.draft.to);
    const nlohmann::json frame{{"type", "message"},
                               {"id", message.id.str()},
                               {"from", message.draft.from.str()},
                               {"to", to.agent.str()},
                               {"message_type", message.draft.type},
                               {"payload", payload},
                               {"reply_to", nullptr},
                               {"timestamp", message.timestamp.ms},
                               {"seq", message.seq.value}};
    return frame.dump();
}

void encode_push_to(benchmark::State& state, core::Destination to) {
    const core::Message message = sample_message(std::move(to));
    std::string out;
    for (auto _ : state) {
        out.clear();
        protocol::encode_push(message, out);
        benchmark::DoNotOptimize(out.data());
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(out.size()));
}
void encode_push_direct(benchmark::State& state) {
    encode_push_to(state, core::ToAgent{agent("worker-17")});
}
void encode_push_channel(benchmark::State& state) {
    encode_push_to(state, core::ToChannel{channel("builds")});
}
BENCHMARK(encode_push_direct)->Name("encode_push/direct");
BENCHMARK(encode_push_channel)->Name("encode_push/channel");

void encode_push_nlohmann(benchmark::State& state) {
    const core::Message message = sample_message(core::ToAgent{agent("worker-17")});
    const auto payload = nlohmann::json::parse(message.draft.payload.text);
    std::string ours;
    protocol::encode_push(message, ours);
    if (nlohmann::json::parse(ours) != nlohmann::json::parse(nlohmann_push(message, payload))) {
        state.SkipWithError("the encoders write different things");
        return;
    }
    for (auto _ : state) {
        auto out = nlohmann_push(message, payload);
        benchmark::DoNotOptimize(out.data());
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(ours.size()));
}
BENCHMARK(encode_push_nlohmann)->Name("encode_push/direct/nlohmann");

}  // namespace
}  // namespace agentcom::bench
