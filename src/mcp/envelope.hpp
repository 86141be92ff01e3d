#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "agentcom/mcp/mcp.hpp"
#include "mcp/json.hpp"

/// JSON-RPC 2.0 as MCP uses it: what a POST asks, and the frame of its answer.
namespace agentcom::mcp {

/// `legacy`: the versions that begin with `initialize`. `modern`: 2026-07-28, where every request
/// says its version.
enum class Era : std::uint8_t { legacy, modern };

inline constexpr std::string_view kModernVersion = "2026-07-28";
/// The legacy version of this text, or the newest of them.
[[nodiscard]] std::string_view legacy_version(std::string_view asked) noexcept;

/// What is known of one request for as long as it is being answered.
struct Context {
    core::AgentId agent;
    core::Timestamp now;
    Era era = Era::legacy;
    std::string id{};  // as JSON text, of at most protocol::kMaxRefBytes
    bool full_profile = false;
};

struct Envelope {
    Context context;
    std::string method;
    Object params;  // views of the call's body
};
/// The answer at once, when it is no request that can be answered further.
[[nodiscard]] std::variant<Envelope, Answer> open_envelope(const Call& call);

enum class RpcError : std::int32_t {
    parse_error = -32'700,
    invalid_request = -32'600,
    method_not_found = -32'601,
    invalid_params = -32'602,
    internal = -32'603,
    unusable_version = -32'000,           // legacy only
    legacy_resource_not_found = -32'002,  // legacy only
    header_mismatch = -32'020,
    unsupported_version = -32'022,
};
/// `id` and `data` are JSON text; without an id it is null, without data there is none.
[[nodiscard]] Answer error_answer(std::string_view id, RpcError code, std::string_view message,
                                  std::uint16_t status = 200, std::string_view data = {});

/// An error of the hub where no tool could tell it.
[[nodiscard]] Answer router_error(const Context& context, const core::Error& error);

inline constexpr std::string_view kServerName = "agentcom";
/// `"name":..,"version":..` as an object.
void write_server_info(JsonWriter& writer);

/// A complete result; `write(JsonWriter&)` adds its members.
template <class Write>
[[nodiscard]] Answer result_answer(const Context& context, Write&& write) {
    Answer answer;
    JsonWriter writer(answer.body);
    writer.begin_object().member("jsonrpc", "2.0").member_raw("id", context.id);
    writer.key("result").begin_object();
    const bool modern = context.era == Era::modern;
    if (modern) writer.member("resultType", "complete");
    std::forward<Write>(write)(writer);
    if (modern) {
        writer.key("_meta").begin_object().key("io.modelcontextprotocol/serverInfo");
        write_server_info(writer);
        writer.end_object();
    }
    writer.end_object().end_object();
    return answer;
}
/// Lists change with the program alone.
inline constexpr std::uint64_t kListLifetimeMs = 3'600'000;
/// How long the result stays good, for who keeps it. All that the hub says depends on the token.
void write_lifetime(const Context& context, JsonWriter& writer, std::uint64_t ms);

}  // namespace agentcom::mcp
