// Reading one client frame: the hub's decoder, and what libraries cost for the same fields.

#include <benchmark/benchmark.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agentcom/protocol/codec.hpp"
#include "decoders.hpp"
#include "protocol/fields.hpp"
#include "sample.hpp"

namespace agentcom::bench {

std::optional<FrameFields> scan_fields(std::string_view text) {
    using protocol::Key;
    protocol::Fields scanned;
    if (scanned.scan(text) != protocol::Fields::Shape::object) return std::nullopt;
    FrameFields fields;
    const auto take = [&scanned](Key key, std::string& out) {
        const protocol::JsonValue* value = scanned.find_non_null(key);
        if (value == nullptr) return;
        if (value->kind == protocol::JsonKind::string) {
            out = protocol::text_of(*value);
        } else {
            out.assign(value->raw);
        }
    };
    take(Key::type, fields.type);
    take(Key::to, fields.to);
    take(Key::channel, fields.channel);
    take(Key::message_type, fields.message_type);
    take(Key::reply_to, fields.reply_to);
    take(Key::idempotency_key, fields.idempotency_key);
    take(Key::ref, fields.ref);
    if (const auto* payload = scanned.find(Key::payload)) fields.payload.assign(payload->raw);
    return fields;
}

namespace {

constexpr std::string_view kEscapedPayload =
    R"({"text":"line one\nline \"two\"\ttab \u00e9\u00fc \ud83d\ude00 back\\slash\n)"
    R"(and a last line that says how it ended","outcome":0})";
static_assert(kEscapedPayload.size() == kPayload.size());

struct NamedFrame {
    std::string name;
    std::string text;
};
std::vector<NamedFrame> frames() {
    const auto direct = [](std::string_view payload) {
        return R"({"type":"message","to":"worker-17","message_type":"request","payload":)" +
               std::string(payload) + '}';
    };
    return {{"direct", direct(kPayload)},
            {"escapes", direct(kEscapedPayload)},
            {"ping", R"({"type":"ping"})"},
            {"channel_publish",
             R"({"type":"channel_publish","channel":"builds","message_type":"status","payload":)" +
                 std::string(kPayload) + '}'}};
}

/// Figures are comparable only if all read the same.
bool agree(const FrameFields& left, const FrameFields& right) {
    const auto value = [](const std::string& payload) {
        return payload.empty() ? nlohmann::json() : nlohmann::json::parse(payload);
    };
    return left.type == right.type && left.to == right.to && left.channel == right.channel &&
           left.message_type == right.message_type && left.reply_to == right.reply_to &&
           left.idempotency_key == right.idempotency_key && left.ref == right.ref &&
           value(left.payload) == value(right.payload);
}

void decode_with(benchmark::State& state, Decoder decoder, const std::string& text) {
    const auto expected = nlohmann_tree(text);
    const auto actual = decoder(text);
    if (!expected || !actual || !agree(*expected, *actual)) {
        state.SkipWithError("the decoders read different things");
        return;
    }
    for (auto _ : state) {
        auto fields = decoder(text);
        benchmark::DoNotOptimize(fields);
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

void decode_request(benchmark::State& state, const std::string& text) {
    if (!protocol::decode_frame(text, true).request) {
        state.SkipWithError("the frame was refused");
        return;
    }
    for (auto _ : state) {
        auto frame = protocol::decode_frame(text, true);
        benchmark::DoNotOptimize(frame);
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

struct NamedDecoder {
    const char* name;
    Decoder decoder;
};
constexpr std::array kDecoders{
    NamedDecoder{"scanner", scan_fields},         NamedDecoder{"boost_events", boost_events},
    NamedDecoder{"boost_tree", boost_tree},       NamedDecoder{"nlohmann_events", nlohmann_events},
    NamedDecoder{"nlohmann_tree", nlohmann_tree},
};

const bool kRegistered = [] {
    for (const NamedFrame& frame : frames()) {
        const std::string prefix = "decode_frame/" + frame.name + '/';
        benchmark::RegisterBenchmark((prefix + "request").c_str(), decode_request, frame.text);
        for (const NamedDecoder& way : kDecoders) {
            benchmark::RegisterBenchmark((prefix + way.name).c_str(), decode_with, way.decoder,
                                         frame.text);
        }
    }
    return true;
}();

}  // namespace
}  // namespace agentcom::bench
