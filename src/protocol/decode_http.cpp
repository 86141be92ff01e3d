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

constexpr std::string_view kObjectWanted = "the body must be a JSON object";

/// What comes of a body that is JSON but no object. It lacks the required field, and has the code
/// of that, as in the original. Where no field is required nothing of it would be looked at,
/// although more was meant than an empty body says.
core::result<Request> without_object(const OperationInfo& info, core::result<Request> decoded) {
    if (!decoded) {
        if (decoded.error().code != core::ErrorCode::missing_field) return decoded;
        return core::Error(core::ErrorCode::missing_field, decoded.error().field,
                           std::string(kObjectWanted));
    }
    if (std::ranges::find(info.fields, FieldPlace::member, &FieldSpec::place) ==
        info.fields.end()) {
        return decoded;
    }
    return core::Error(core::ErrorCode::invalid_json, {}, std::string(kObjectWanted));
}

}  // namespace

core::result<Request> decode_http(const HttpInput& input) {
    if (!is_utf8(input)) return core::Error(core::ErrorCode::invalid_encoding);
    // What only reads is asked with GET, where a body means nothing.
    const bool in_query = operation_info(input.operation).policy.effect != Effect::write;
    Fields body;
    auto shape = Fields::Shape::object;
    if (!in_query && !input.body.empty()) shape = body.scan(input.body);
    if (shape == Fields::Shape::invalid) return core::Error(core::ErrorCode::invalid_json);
    auto decoded = decoder_of(input.operation)(Input(body, input, in_query));
    if (shape == Fields::Shape::object) return decoded;
    return without_object(operation_info(input.operation), std::move(decoded));
}

std::optional<std::string> token_in_ack_body(std::string_view body) {
    Fields fields;
    if (body.empty() || fields.scan(body) != Fields::Shape::object) return std::nullopt;
    const JsonValue* token = fields.find(Key::token);
    if (token == nullptr || token->kind != JsonKind::string) return std::nullopt;
    return text_of(*token);
}

}  // namespace agentcom::protocol
