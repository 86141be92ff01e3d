#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "agentcom/core/message.hpp"

/// The message that the benchmarks write, store and read back.
namespace agentcom::bench {

inline constexpr std::string_view kPayload =
    R"({"task":"review","repository":"billing","branch":"fix/invoice-rounding",)"
    R"("commit":48213,"urgent":false,"files":["a.cpp","b.cpp"]})";

static_assert(kPayload.size() == 128);

inline core::AgentId agent(std::string_view text) { return core::AgentId::parse(text).value(); }
inline core::ChannelName channel(std::string_view text) {
    return core::ChannelName::parse(text).value();
}

inline core::Draft sample_draft(core::AgentId from, core::Destination to) {
    return core::Draft{std::move(from), std::move(to), "request",
                       core::JsonText{std::string(kPayload)}, std::nullopt};
}

inline core::Message sample_message(core::Destination to) {
    const core::Seq seq{123'456};
    const bool to_channel = std::holds_alternative<core::ToChannel>(to);
    return core::Message{seq, core::MessageId::make(core::Epoch{0xfeed'beef}, seq),
                         core::ChannelSeq{to_channel ? 4'321U : 0U},
                         core::Timestamp{1'700'000'000'000},
                         sample_draft(agent("planner-3"), std::move(to))};
}

}  // namespace agentcom::bench
