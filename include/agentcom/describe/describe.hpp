#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agentcom/core/error.hpp"
#include "agentcom/core/time.hpp"
#include "agentcom/protocol/operations.hpp"

/// Machine-readable descriptions of the hub, made of the tables that requests are decoded and
/// answers documented by. Pure functions, thread-safe; what they make holds no secrets. They throw
/// std::logic_error when the tables contradict themselves.
namespace agentcom::describe {

/// What is spoken where there is no operation.
enum class PageKind : std::uint8_t { document, websocket, mcp, hook };

/// One path of HTTP, as the route table has it.
struct PathInfo {
    std::string_view verb;
    std::string_view pattern;  // a segment that begins with ':' is the argument
    protocol::Right right = protocol::Right::anyone;
    bool query_token = false;                            // the token may stand in the query
    bool body_token = false;                             // or in the body
    bool cookie = false;                                 // the cookie of a session stands for it
    bool session = false;                                // and, but for the body, nothing else does
    const protocol::OperationInfo* operation = nullptr;  // null: a page, or another protocol
    // Of what is no operation:
    std::string_view name{};   // unique
    std::string_view about{};  // in a sentence
    PageKind kind = PageKind::document;
    std::string_view media{};                   // of a document
    bool has_tag = false;                       // the document has an ETag
    std::span<const core::ErrorCode> errors{};  // its own
};

/// What of the configuration stands in descriptions.
struct Facts {
    std::string
        public_url{};  // where clients reach the hub, without a slash at the end; may be empty
    std::string base_path{};  // what proxies show the hub below; may be empty
    bool anonymous_reads = false;
    bool anonymous_metrics = true;  // there may be who needs no token for /metrics
    core::Millis identify_timeout{10'000};
    std::uint64_t max_profile_bytes = 4'096;
    std::uint64_t max_payload_bytes = 0;  // as JSON text; 0: nothing is said of it
};

/// OpenAPI 3.1, as JSON text: every path and what it answers. Some 100 KB.
[[nodiscard]] std::string openapi(std::span<const PathInfo> paths, const Facts& facts);
/// AsyncAPI 3.0, as JSON text: the frames of the WebSocket in both directions, errors, close codes.
[[nodiscard]] std::string asyncapi(const Facts& facts);

/// Every error that this path may be answered with, but for what may meet any request: what the
/// hub's limits and its stopping bring about.
[[nodiscard]] std::vector<core::ErrorCode> errors_of(const PathInfo& path);
/// The same of a frame.
[[nodiscard]] std::vector<core::ErrorCode> errors_of_frame(const protocol::OperationInfo& info);

}  // namespace agentcom::describe
