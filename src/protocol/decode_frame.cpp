// WebSocket frames to requests: finds the operation, which its row in the table decodes.

#include <utility>

#include "agentcom/protocol/codec.hpp"
#include "protocol/fields.hpp"
#include "protocol/input.hpp"

namespace agentcom::protocol {

namespace {

using core::ErrorCode;

bool is_usable_ref(const JsonValue& ref) {
    return (ref.kind == JsonKind::string || ref.kind == JsonKind::number) &&
           ref.raw.size() <= kMaxRefBytes;
}

core::Error unknown_type(const JsonValue* type, const std::string& name) {
    if (type == nullptr || type->kind != JsonKind::string) {
        return {ErrorCode::unknown_message_type, "type", "the frame needs a \"type\", a string"};
    }
    // What is longer is no slip of the hand.
    constexpr std::size_t kMostShown = 64;
    return {ErrorCode::unknown_message_type, "type",
            name.size() <= kMostShown ? "there is no type \"" + name + "\" of frames"
                                      : "there is no such type of frames"};
}

core::result<Request> decode_request(const Fields& fields, bool identified) {
    const JsonValue* type = fields.find(Key::type);
    const std::string name =
        type != nullptr && type->kind == JsonKind::string ? text_of(*type) : std::string();
    if (!identified && (name != "identify" || fields.find(Key::agent_id) == nullptr)) {
        return core::Error(ErrorCode::not_identified);
    }
    const auto operation = find_frame(name);
    if (!operation) return unknown_type(type, name);
    return decoder_of(*operation)(Input(fields));
}

}  // namespace

Frame decode_frame(std::string_view text, bool identified) {
    Frame frame;
    Fields fields;
    switch (fields.scan(text)) {
        case Fields::Shape::invalid:
            frame.request = core::Error(ErrorCode::invalid_json);
            return frame;
        case Fields::Shape::other:
            frame.request = core::Error(identified ? ErrorCode::unknown_message_type
                                                   : ErrorCode::not_identified);
            return frame;
        case Fields::Shape::object:
            break;
    }
    const JsonValue* ref = fields.find_non_null(Key::ref);
    if (ref != nullptr && is_usable_ref(*ref)) frame.ref = core::JsonText{std::string(ref->raw)};
    frame.request = decode_request(fields, identified);
    // Whoever asked for a ref waits for it: a request that cannot be told apart is not carried out.
    if (ref != nullptr && !frame.ref && frame.request) {
        frame.request = Input(fields).wrong(Key::ref, "a string or number of at most 256 bytes");
    }
    return frame;
}

}  // namespace agentcom::protocol
