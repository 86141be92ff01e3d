#include "describe/schemas.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>

#include "agentcom/core/error.hpp"
#include "agentcom/core/token.hpp"

namespace agentcom::describe {

namespace {

using protocol::FieldSpec;
using protocol::FieldType;
using protocol::Member;
using protocol::Structure;
using protocol::TextForm;
using protocol::ValueKind;

constexpr std::string_view kControls = R"(\u0000-\u001f\u007f-\u009f)";

/// The regular expression (ECMA-262) of a form; empty: anything.
std::string pattern_of(TextForm form) {
    switch (form) {
        case TextForm::any:
            return {};
        case TextForm::printable:
            return "^[^" + std::string(kControls) + "]*$";
        case TextForm::key:
            return "^[^" + std::string(kControls) + "]+$";
        case TextForm::agent_id:
            return "^(?!broadcast$)[^" + std::string(kControls) + "]+$";
        case TextForm::recipient:
            return "^[A-Za-z0-9._:@-]+$";
        case TextForm::channel:
            return "^[^A-Za-z0-9_-]*([A-Za-z0-9_-][^A-Za-z0-9_-]*){1,64}$";
        case TextForm::given_cursor:
            return "^([0-9a-f]{2})*$";
        case TextForm::token_prefix:
            return "^[0-9a-f]{8}(\\.\\.\\.)?$";
        case TextForm::recalled_event:
            return "^[0-9]{0,19}$";
    }
    return {};
}

void bound_text(Json& schema, const FieldSpec& field, Spelling spelling) {
    if (field.most != std::numeric_limits<std::int64_t>::max()) {
        // Nothing of more characters has fewer bytes.
        schema["maxLength"] = field.most;
        schema["x-max-bytes"] = field.most;
    }
    if (spelling == Spelling::parameter && field.in_path()) schema["minLength"] = 1;
    if (const std::string pattern = pattern_of(field.form); !pattern.empty()) {
        schema["pattern"] = pattern;
    }
    if (field.form == TextForm::given_cursor) schema["x-from-answer"] = true;
    if (field.choices.empty()) return;
    schema["enum"] = Json::array();
    for (const std::string_view choice : field.choices) schema["enum"].push_back(choice);
    if (schema["type"].is_array()) schema["enum"].push_back(nullptr);
}

void bound_number(Json& schema, const FieldSpec& field) {
    schema["format"] = "int64";
    if (field.least != std::numeric_limits<std::int64_t>::min()) schema["minimum"] = field.least;
    if (field.most != std::numeric_limits<std::int64_t>::max() && !field.clamps) {
        schema["maximum"] = field.most;
    }
    if (field.otherwise != 0) schema["default"] = field.otherwise;
    if (field.in_future) schema["x-in-future"] = true;
}

Json rights_schema() {
    return {{"type", "array"}, {"items", {{"enum", {"read", "publish", "manage"}}}}};
}

Json members_schema() {
    const Json id = {{"type", "string"},
                     {"maxLength", core::kMaxAgentIdBytes},
                     {"x-max-bytes", core::kMaxAgentIdBytes},
                     {"pattern", pattern_of(TextForm::agent_id)}};
    Json rights = rights_schema();
    rights["type"] = {"array", "null"};
    const Json member = {{"type", "object"},
                         {"required", {"agent_id"}},
                         {"properties", {{"agent_id", id}, {"rights", rights}}}};
    return {{"type", {"array", "null"}}, {"items", {{"anyOf", {id, member}}}}};
}

std::string about(const FieldSpec& field) {
    std::string text(field.about);
    if (field.profile) text += " As JSON text at most limits.max_profile_bytes.";
    if (field.clamps && field.type == FieldType::integer &&
        field.most != std::numeric_limits<std::int64_t>::max()) {
        text += " More than " + std::to_string(field.most) + " counts as that.";
    }
    if (!field.header.empty())
        text += " The header " + std::string(field.header) + " counts before it.";
    return text;
}

std::vector<std::string> words_of(std::string_view words) {
    std::vector<std::string> list;
    while (!words.empty()) {
        const auto end = std::min(words.find(' '), words.size());
        list.emplace_back(words.substr(0, end));
        words.remove_prefix(std::min(end + 1, words.size()));
    }
    return list;
}

Json schema_of(const Member& member, Json& schemas) {
    const auto typed = [&](std::string_view type) -> Json {
        if (!member.nullable) return {{"type", type}};
        return {{"type", Json::array({type, "null"})}};
    };
    const auto made = [&]() -> Json {
        switch (member.kind) {
            case ValueKind::text:
                return typed("string");
            case ValueKind::integer:
                return typed("integer");
            case ValueKind::number:
                return typed("number");
            case ValueKind::time: {
                Json schema = typed("integer");
                schema["format"] = "int64";
                return schema;
            }
            case ValueKind::date: {
                Json schema = typed("string");
                schema["pattern"] = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";
                return schema;
            }
            case ValueKind::flag:
                return typed("boolean");
            case ValueKind::any:
                return Json::object();
            case ValueKind::object:
                return typed("object");
            case ValueKind::constant:
                return {{"const", member.words}};
            case ValueKind::choice:
                return {{"enum", words_of(member.words)}};
            case ValueKind::truth:
                return {{"const", true}};
            case ValueKind::texts:
                return {{"type", "array"}, {"items", {{"type", "string"}}}};
            case ValueKind::structure:
                return reference_to(*member.of, schemas);
            case ValueKind::list:
                return {{"type", "array"}, {"items", reference_to(*member.of, schemas)}};
        }
        throw std::logic_error("a member of no kind");
    };
    Json schema = made();
    std::string text(member.about);
    if (member.kind == ValueKind::time && text.empty()) text = "Unix milliseconds";
    if (!text.empty()) schema["description"] = text;
    return schema;
}

}  // namespace

Json schema_of(const FieldSpec& field, Spelling spelling, const Facts& facts) {
    // Null counts as absent, where a field may be absent.
    const bool nullable = !field.required && spelling != Spelling::parameter;
    const auto typed = [&](std::string_view type) -> Json {
        if (!nullable) return {{"type", type}};
        return {{"type", Json::array({type, "null"})}};
    };
    Json schema = Json::object();
    switch (field.type) {
        case FieldType::text:
            schema = typed("string");
            bound_text(schema, field, spelling);
            break;
        case FieldType::integer:
        case FieldType::time:
            schema = typed("integer");
            bound_number(schema, field);
            break;
        case FieldType::flag:
            schema = typed("boolean");
            if (field.otherwise >= 0) schema["default"] = field.otherwise != 0;
            break;
        case FieldType::any:
            break;
        case FieldType::object:
            schema["anyOf"] = {{{"type", {"object", "null"}}}, {{"const", false}}};
            break;
        case FieldType::members:
            schema = members_schema();
            break;
        case FieldType::rights:
            schema = rights_schema();
            break;
    }
    if (field.profile) schema["x-max-json-bytes"] = facts.max_profile_bytes;
    if (field.key == protocol::Key::payload && facts.max_payload_bytes > 0) {
        schema["x-max-json-bytes"] = facts.max_payload_bytes;
    }
    schema["description"] = about(field);
    return schema;
}

Json object_of(std::span<const FieldSpec* const> fields, Spelling spelling, const Facts& facts) {
    Json required = Json::array();
    Json properties = Json::object();
    Json apart = Json::array();
    for (const FieldSpec* field : fields) {
        const std::string name(field->name(spelling == Spelling::body));
        properties[name] = schema_of(*field, spelling, facts);
        if (field->required || (field->required_in_body && spelling == Spelling::body)) {
            required.push_back(name);
        }
        if (field->instead_of) {
            // Null counts as absent.
            const std::string other(protocol::key_name(*field->instead_of));
            const Json there = {{"type", "integer"}};
            apart.push_back(
                {{"required", {name, other}}, {"properties", {{name, there}, {other, there}}}});
        }
    }
    Json schema = {{"type", "object"}};
    if (!required.empty()) schema["required"] = required;
    schema["properties"] = properties;
    if (apart.size() == 1) schema["not"] = apart.front();
    if (apart.size() > 1) schema["not"] = {{"anyOf", apart}};
    return schema;
}

Json example_of(const FieldSpec& field) {
    using protocol::Key;
    switch (field.type) {
        case FieldType::integer:
            return std::max<std::int64_t>({field.otherwise, field.least, 1});
        case FieldType::time:
            return field.in_future ? field.most : 1'767'225'600'000;  // the beginning of 2026
        case FieldType::flag:
            return field.otherwise != 0;
        case FieldType::object:
            return {{"text", "hello"}};
        case FieldType::members:
            return Json::array({"bob"});
        case FieldType::rights:
            return Json::array({"read"});
        case FieldType::any:
            if (field.key == Key::payload) return {{"text", "hello"}};
            if (field.key == Key::capabilities) return Json::array({"review"});
            return "reviewing";
        case FieldType::text:
            break;
    }
    if (!field.choices.empty()) return field.choices.front();
    switch (field.key) {
        case Key::agent_id:
            return field.form == TextForm::agent_id ? "bob" : "alice";
        case Key::token:
            return std::string(64, '0');
        case Key::to:
            return "bob";
        case Key::from:
            return "alice";
        case Key::message_type:
            return "request";
        case Key::prefix:
            return std::string(core::kTokenPrefixDigits, '0');
        case Key::channel:
        case Key::name:
            return "builds";
        default:
            return "review";
    }
}

Json members_of(const Structure& shape, Json& schemas) {
    Json required = Json::array();
    Json properties = Json::object();
    for (const Member& member : shape.members) {
        const std::string name(member.name);
        properties[name] = schema_of(member, schemas);
        if (!member.optional) required.push_back(name);
    }
    Json schema = {{"type", "object"}, {"description", shape.about}};
    if (!required.empty()) schema["required"] = required;
    schema["properties"] = properties;
    return schema;
}

Json reference_to(const Structure& shape, Json& schemas) {
    const std::string name(shape.name);
    if (!schemas.contains(name)) {
        schemas[name] = nullptr;  // it has its place, and is not made again for what it holds
        Json schema = members_of(shape, schemas);
        schemas[name] = std::move(schema);
    }
    return {{"$ref", "#/components/schemas/" + name}};
}

void add_errors(Json& schemas) {
    Json codes = Json::array();
    for (const core::ErrorInfo& error : core::error_catalogue()) {
        codes.push_back({{"const", error.name},
                         {"description", error.description},
                         {"x-http-status", error.http_status},
                         {"x-retry", error.retry}});
    }
    schemas["ErrorCode"] = {
        {"description", "Stable codes. x-retry: the same request may succeed later."},
        {"oneOf", codes}};
    Json error = members_of(protocol::error_shape(), schemas);
    error["properties"]["error"] = {
        {"description", "The stable code, or a phrase of the original hub that names the field."},
        {"anyOf",
         {{{"$ref", "#/components/schemas/ErrorCode"}},
          {{"type", "string"}, {"pattern", "^missing (required|or invalid) field: "}}}}};
    schemas["Error"] = std::move(error);
}

Json one_of_errors(std::span<const core::ErrorCode> codes) {
    Json names = Json::array();
    Json phrases = Json::array();
    for (const core::ErrorCode code : codes) {
        if (code == core::ErrorCode::missing_field) {
            phrases.push_back({{"pattern", "^missing required field: "}});
        } else if (code == core::ErrorCode::invalid_positive_integer) {
            phrases.push_back({{"pattern", "^missing or invalid field: "}});
        } else {
            names.push_back(core::error_info(code).name);
        }
    }
    if (phrases.empty()) return {{"enum", names}};
    if (!names.empty()) phrases.push_back({{"enum", names}});
    return {{"type", "string"}, {"anyOf", phrases}};
}

}  // namespace agentcom::describe
