#include "mcp/envelope.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "agentcom/core/version.hpp"
#include "agentcom/protocol/codec.hpp"
#include "mcp/text.hpp"

namespace agentcom::mcp {

namespace {

constexpr std::array<std::string_view, 4> kLegacyVersions{"2025-11-25", "2025-06-18", "2025-03-26",
                                                          "2024-11-05"};
constexpr std::string_view kVersionKey = "io.modelcontextprotocol/protocolVersion";
constexpr std::string_view kCapabilitiesKey = "io.modelcontextprotocol/clientCapabilities";
constexpr std::uint16_t kBadRequest = 400;

std::optional<unsigned> base64_digit(char c) {
    if (c >= 'A' && c <= 'Z') return static_cast<unsigned>(c - 'A');
    if (c >= 'a' && c <= 'z') return static_cast<unsigned>(c - 'a' + 26);
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0' + 52);
    if (c == '+') return 62;
    if (c == '/') return 63;
    return std::nullopt;
}

std::optional<std::string> from_base64(std::string_view text) {
    while (text.ends_with('=')) text.remove_suffix(1);
    std::string bytes;
    unsigned bits = 0;
    unsigned gathered = 0;
    for (const char c : text) {
        const auto digit = base64_digit(c);
        if (!digit) return std::nullopt;
        bits = (bits << 6U | *digit) & 0xFFFFU;
        gathered += 6;
        if (gathered < 8) continue;
        gathered -= 8;
        bytes.push_back(static_cast<char>(bits >> gathered & 0xFFU));
    }
    return bytes;
}

/// A header's value as it was meant: what is not plain ASCII comes as =?base64?...?=.
std::optional<std::string> header_value(std::string_view text) {
    constexpr std::string_view kBegin = "=?base64?";
    constexpr std::string_view kEnd = "?=";
    if (!text.starts_with(kBegin) || !text.ends_with(kEnd) ||
        text.size() < kBegin.size() + kEnd.size()) {
        return std::string(text);
    }
    text.remove_prefix(kBegin.size());
    text.remove_suffix(kEnd.size());
    return from_base64(text);
}

/// Which parameter the header Mcp-Name repeats; empty: it does not matter to this method.
std::string_view named_parameter(std::string_view method) {
    if (method == "tools/call" || method == "prompts/get") return "name";
    if (method == "resources/read") return "uri";
    return {};
}

Answer mismatch(std::string_view id, std::string_view header,
                const std::optional<std::string_view>& given, std::string_view expected) {
    std::string message = "Header mismatch: " + std::string(header);
    message += given ? " is '" + shortened(*given) + "'" : " is missing";
    message += ", body says '" + shortened(expected) + "'";
    return error_answer(id, RpcError::header_mismatch, message, kBadRequest);
}

/// What 2026-07-28 asks of a request besides being JSON-RPC; nothing when it is so.
std::optional<Answer> check_modern(const Call& call, const Envelope& envelope, const Object& meta) {
    const std::string& id = envelope.context.id;
    const auto invalid = [&](std::string_view key) {
        return error_answer(id, RpcError::invalid_params,
                            "Missing _meta[\"" + std::string(key) + "\"]", kBadRequest);
    };
    const auto version = meta.text(kVersionKey);
    if (!version) return invalid(kVersionKey);
    if (call.protocol_version != std::string_view(*version)) {
        return mismatch(id, "MCP-Protocol-Version", call.protocol_version, *version);
    }
    if (*version != kModernVersion) {
        std::string data;
        JsonWriter writer(data);
        writer.begin_object().key("supported").begin_array().string(kModernVersion).end_array();
        writer.member("requested", shortened(*version)).end_object();
        return error_answer(id, RpcError::unsupported_version, "Unsupported protocol version",
                            kBadRequest, data);
    }
    if (!meta.is_object(kCapabilitiesKey)) return invalid(kCapabilitiesKey);
    if (call.method != std::string_view(envelope.method)) {
        return mismatch(id, "Mcp-Method", call.method, envelope.method);
    }
    const std::string_view parameter = named_parameter(envelope.method);
    const auto name = parameter.empty() ? std::nullopt : envelope.params.text(parameter);
    if (name && (!call.name || header_value(*call.name) != *name)) {
        return mismatch(id, "Mcp-Name", call.name, *name);
    }
    return std::nullopt;
}

bool is_known_legacy(std::string_view version) {
    return std::ranges::find(kLegacyVersions, version) != kLegacyVersions.end();
}

}  // namespace

std::string_view legacy_version(std::string_view asked) noexcept {
    const auto found = std::ranges::find(kLegacyVersions, asked);
    return found == kLegacyVersions.end() ? kLegacyVersions.front() : *found;
}

std::variant<Envelope, Answer> open_envelope(const Call& call) {
    const auto request = Object::parse(call.body);
    if (!request) {
        const auto first = call.body.find_first_not_of(" \t\r\n");
        if (first != std::string_view::npos && call.body[first] == '[') {
            return error_answer({}, RpcError::invalid_request,
                                "One request in each POST: batches are not taken", kBadRequest);
        }
        return error_answer({}, RpcError::parse_error, "Parse error: the body is no JSON object",
                            kBadRequest);
    }
    const JsonValue* id = request->find("id");
    const bool usable_id =
        id != nullptr && (id->kind == JsonKind::string || id->kind == JsonKind::number);
    if (usable_id && id->raw.size() > protocol::kMaxRefBytes) {
        return error_answer({}, RpcError::invalid_request,
                            "Invalid request: the id is longer than " +
                                std::to_string(protocol::kMaxRefBytes) + " bytes of JSON text",
                            kBadRequest);
    }
    const std::string id_text(usable_id ? id->raw : std::string_view());
    const auto method = request->text("method");
    if (request->text("jsonrpc") != "2.0" || (id != nullptr && !usable_id)) {
        return error_answer(id_text, RpcError::invalid_request,
                            "Invalid request: not JSON-RPC 2.0 with an id that is text or a number",
                            kBadRequest);
    }
    if (!method) {
        // The hub asks its clients nothing; what they answer all the same is taken note of.
        if (request->find("result") != nullptr || request->find("error") != nullptr) {
            return Answer{.status = 202};
        }
        return error_answer(id_text, RpcError::invalid_request, "Invalid request: no method",
                            kBadRequest);
    }
    if (id == nullptr) return Answer{.status = 202};

    Envelope envelope{.context = {.agent = call.agent,
                                  .now = call.now,
                                  .id = id_text,
                                  .full_profile = call.full_profile},
                      .method = *method,
                      .params = Object::of(request->find("params"))};
    const Object meta = Object::of(envelope.params.find("_meta"));
    const bool modern = meta.find(kVersionKey) != nullptr || *method == "server/discover" ||
                        (call.protocol_version && *call.protocol_version >= kModernVersion);
    if (modern) {
        envelope.context.era = Era::modern;
        if (auto wrong = check_modern(call, envelope, meta)) return std::move(*wrong);
    } else if (*method != "initialize" && call.protocol_version &&
               !is_known_legacy(*call.protocol_version)) {
        return error_answer(id_text, RpcError::unusable_version,
                            "Unsupported protocol version: " + shortened(*call.protocol_version),
                            kBadRequest);
    }
    if (const JsonValue* params = request->find("params");
        params != nullptr && params->kind != JsonKind::object) {
        return error_answer(id_text, RpcError::invalid_params, "params must be an object");
    }
    return envelope;
}

Answer error_answer(std::string_view id, RpcError code, std::string_view message,
                    std::uint16_t status, std::string_view data) {
    Answer answer{.status = status};
    JsonWriter writer(answer.body);
    writer.begin_object().member("jsonrpc", "2.0").member_raw("id", id.empty() ? "null" : id);
    writer.key("error").begin_object();
    writer.member_integer("code", static_cast<std::int32_t>(code)).member("message", message);
    if (!data.empty()) writer.member_raw("data", data);
    writer.end_object().end_object();
    return answer;
}

Answer router_error(const Context& context, const core::Error& error) {
    std::string data;
    JsonWriter writer(data);
    writer.begin_object().member("error", error.wire_name()).end_object();
    return error_answer(context.id, RpcError::internal, error.explanation(), 200, data);
}

void write_server_info(JsonWriter& writer) {
    writer.begin_object()
        .member("name", kServerName)
        .member("title", "AgentCom")
        .member("version", core::kVersion)
        .end_object();
}

void write_lifetime(const Context& context, JsonWriter& writer, std::uint64_t ms) {
    if (context.era != Era::modern) return;
    writer.member_integer("ttlMs", ms).member("cacheScope", "private");
}

}  // namespace agentcom::mcp
