// HTTP requests to the same requests that frames become.

#include <algorithm>
#include <utility>

#include "agentcom/core/utf8.hpp"
#include "agentcom/protocol/codec.hpp"
#include "protocol/fields.hpp"
#include "protocol/input.hpp"

namespace agentcom::protocol {

namespace {

/// Path and query may spell any bytes by percent escapes, and answers repeat some of them.
bool is_utf8(const HttpInput& input) {
    return core::is_valid_utf8(input.path_argument) &&
           std::ranges::all_of(input.query, [](const auto& parameter) {
               return core::is_valid_utf8(parameter.first) && core::is_valid_utf8(parameter.second);
           });
}

}  // namespace

core::result<Request> decode_http(const HttpInput& input) {
    if (!is_utf8(input)) return core::Error(core::ErrorCode::invalid_encoding);
    // What only reads is asked with GET, where a body means nothing.
    const bool in_query = operation_info(input.operation).policy.effect != Effect::write;
    Fields body;
    // No body and a body that is no object count as an object without members, which then lacks
    // the required field (as in the original).
    if (!in_query && !input.body.empty() && body.scan(input.body) == Fields::Shape::invalid) {
        return core::Error(core::ErrorCode::invalid_json);
    }
    return decoder_of(input.operation)(Input(body, input, in_query));
}

std::optional<std::string> token_in_ack_body(std::string_view body) {
    Fields fields;
    if (body.empty() || fields.scan(body) != Fields::Shape::object) return std::nullopt;
    const JsonValue* token = fields.find(Key::token);
    if (token == nullptr || token->kind != JsonKind::string) return std::nullopt;
    return text_of(*token);
}

}  // namespace agentcom::protocol
