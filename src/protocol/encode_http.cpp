// Replies to HTTP answers; what stands in their bodies is in encode_http_*.cpp, by area.

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include "agentcom/protocol/codec.hpp"
#include "protocol/body_writer.hpp"

namespace agentcom::protocol {

namespace {

std::uint16_t success_status(const ReplyValue& reply) {
    if (const auto* health = std::get_if<HealthReport>(&reply)) {
        // Whoever only reads is served.
        const bool serves = health->state == HealthState::ok ||
                            health->state == HealthState::storage_full ||
                            health->state == HealthState::commit_stalled;
        return serves ? 200 : 503;
    }
    if (const auto* probe = std::get_if<ProbeReport>(&reply)) {
        return probe->state == HealthState::ok ? 200 : 503;
    }
    const bool created = std::holds_alternative<ChannelCreated>(reply) ||
                         std::holds_alternative<TokenCreated>(reply);
    return created ? 201 : 200;
}

constexpr std::uint16_t kNoContent = 204;
constexpr std::uint32_t kRetryAfterSeconds = 1;
/// Room for a body without messages.
constexpr std::size_t kUsualBody = 256;

}  // namespace

HttpOutput encode_http(Reply&& reply, bool writing_route) {
    if (auto* encoded = reply ? std::get_if<EncodedMailbox>(&*reply) : nullptr) {
        return {.body = std::move(encoded->body), .retry_after_s = std::nullopt};
    }
    return encode_http(std::as_const(reply), writing_route);
}

HttpOutput encode_http(const Reply& reply, bool writing_route) {
    HttpOutput output;
    if (const auto* metrics = reply ? std::get_if<Shared<MetricsReport>>(&*reply) : nullptr) {
        output.body.append(encode_metrics(**metrics));
        return output;
    }
    if (reply && std::holds_alternative<LoggedOut>(*reply)) {
        output.status = kNoContent;
        return output;
    }
    if (const auto* encoded = reply ? std::get_if<EncodedMailbox>(&*reply) : nullptr) {
        output.body.append(encoded->body.str());
        return output;
    }
    output.body.open().reserve(kUsualBody);
    JsonWriter writer(output.body);
    writer.begin_object();
    if (reply) {
        output.status = success_status(*reply);
        std::visit(BodyWriter(writer), *reply);
    } else {
        const core::Error& error = reply.error();
        const core::ErrorInfo& info = core::error_info(error.code);
        output.status = info.http_status;
        writer.member("error", error.wire_name()).member("message", error.explanation());
        if (!error.field.empty()) writer.member("field", error.field);
        if (error.code == core::ErrorCode::unauthorized && writing_route) {
            writer.member("hint", "provide Authorization: Bearer <token>");
        }
        if (info.retry && (info.http_status == 429 || info.http_status == 503)) {
            output.retry_after_s = kRetryAfterSeconds;
        }
    }
    writer.end_object();
    return output;
}

}  // namespace agentcom::protocol
