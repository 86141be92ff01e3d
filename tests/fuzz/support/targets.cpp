#include "fuzz/support/targets.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "fuzz/support/config_checks.hpp"
#include "fuzz/support/decode_checks.hpp"
#include "fuzz/support/journal_checks.hpp"
#include "fuzz/support/json_checks.hpp"
#include "fuzz/support/stored_checks.hpp"
#include "fuzz/support/wire_checks.hpp"
#include "net/target.hpp"

namespace agentcom::fuzz {
namespace {

void run_frame(std::string_view bytes) {
    (void)check_frame(bytes, true);
    (void)check_frame(bytes, false);
}

/// Up to the end of the line, which is taken off.
std::string_view take_line(std::string_view& bytes) {
    const std::string_view line = bytes.substr(0, bytes.find('\n'));
    bytes.remove_prefix(std::min(line.size() + 1, bytes.size()));
    return line;
}

/// A letter for the operation, its argument in the path, a line end, the idempotency key, a line
/// end, the body.
void run_body(std::string_view bytes) {
    if (bytes.empty()) return;
    const std::size_t operation = static_cast<unsigned char>(bytes.front()) - 'A';
    bytes.remove_prefix(1);
    protocol::HttpInput input{
        .operation = static_cast<protocol::Operation>(operation % protocol::kOperationCount),
        .path_argument = take_line(bytes),
        .query = {},
        .body = {},
        .idempotency_key = {}};
    const std::string_view key = take_line(bytes);
    if (!key.empty()) input.idempotency_key = key;
    input.body = bytes;
    (void)check_http(input);
}

/// A letter for the operation, then a target.
void run_query(std::string_view bytes) {
    if (bytes.empty()) return;
    const std::size_t operation = static_cast<unsigned char>(bytes.front()) - 'A';
    const std::string_view text = bytes.substr(1);
    check_target(text);
    const net::Target target = net::parse_target(text);
    std::string argument;
    if (!target.segments.empty()) {
        argument = net::percent_decode(target.segments.back()).value_or("");
    }
    (void)check_http(
        {.operation = static_cast<protocol::Operation>(operation % protocol::kOperationCount),
         .path_argument = argument,
         .query = net::parse_query(target.query),
         .body = {},
         .idempotency_key = {},
         .last_event_id = argument});
}

constexpr std::array<FuzzTarget, 11> kTargets{{
    {"body", run_body},
    {"configuration", check_configuration},
    {"frame", run_frame},
    {"journal", check_journal},
    {"json", check_json},
    {"operations", check_operations},
    {"postings", check_postings},
    {"query", run_query},
    {"request", check_requests},
    {"stored", check_stored},
    {"websocket", check_websocket},
}};

}  // namespace

std::span<const FuzzTarget> targets() { return kTargets; }

}  // namespace agentcom::fuzz
