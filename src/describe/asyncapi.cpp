// AsyncAPI 3.0 of the WebSocket.

#include <string>
#include <vector>

#include "agentcom/core/error.hpp"
#include "agentcom/core/version.hpp"
#include "agentcom/describe/describe.hpp"
#include "agentcom/protocol/codec.hpp"
#include "describe/schemas.hpp"

namespace agentcom::describe {

namespace {

using protocol::FieldPlace;
using protocol::FieldSpec;
using protocol::FrameShape;
using protocol::OperationInfo;

constexpr std::string_view kAboutFrames =
    "Text frames with one JSON object each. The first must be identify, in time. Any frame "
    "may carry ref; what answers it carries the same. Replies come in the order of the requests. "
    "Clients ignore members that they do not know. x-max-bytes bounds a text in bytes of UTF-8, "
    "x-max-json-bytes a value as JSON text. Any frame may be answered with internal or "
    "binary_not_supported besides what x-errors names, and with overloaded before the hub closes. "
    "HTTP is described by openapi.json.";

constexpr const char* kChannel = "#/channels/hub";

/// The same, with the time there is in this hub.
std::string about_frames(core::Millis identify_timeout) {
    constexpr std::string_view kInTime = "in time";
    std::string text(kAboutFrames);
    return text.replace(text.find(kInTime), kInTime.size(),
                        "within " + std::to_string(identify_timeout.count()) + " ms");
}

/// What asks and what answers are told apart by the beginning of their names.
std::string asked(std::string_view frame) { return "ask_" + std::string(frame); }
std::string answered(std::string_view frame) { return "answer_" + std::string(frame); }
std::string pushed(std::string_view frame) { return "push_" + std::string(frame); }

Json ref_schema() {
    // Two quotes stand around a text.
    return {{"type", {"string", "number", "null"}},
            {"maxLength", protocol::kMaxRefBytes - 2},
            {"x-max-json-bytes", protocol::kMaxRefBytes},
            {"description", "What the answer is to be told apart by."}};
}

Json client_frame(const OperationInfo& info, const Facts& facts) {
    std::vector<const FieldSpec*> fields;
    Json example = {{"type", info.frame}};
    for (const FieldSpec& field : info.fields) {
        if (field.place != FieldPlace::member && field.place != FieldPlace::path) continue;
        fields.push_back(&field);
        if (field.required) example[std::string(field.name(false))] = example_of(field);
    }
    Json schema = object_of(fields, Spelling::frame, facts);
    Json required = Json::array({"type"});
    for (const Json& name : schema.value("required", Json::array())) required.push_back(name);
    schema["required"] = required;
    schema["properties"]["type"] = {{"const", info.frame}};
    schema["properties"]["ref"] = ref_schema();
    return {{"name", info.frame},
            {"summary", info.about},
            {"payload", schema},
            {"examples", {{{"payload", example}}}}};
}

Json hub_frame(const FrameShape& frame, bool answers, Json& schemas) {
    Json schema = members_of(*frame.body, schemas);
    Json required = Json::array({"type"});
    for (const Json& name : schema.value("required", Json::array())) required.push_back(name);
    schema["required"] = required;
    schema["properties"]["type"] = {{"const", frame.type}};
    if (answers || frame.type == "error") {
        schema["properties"]["ref"] = {{"type", {"string", "number"}},
                                       {"description", "That of the frame that is answered."}};
    }
    if (frame.type == "error") {
        schema["properties"]["error"] = {{"$ref", "#/components/schemas/ErrorCode"}};
    }
    std::string text(frame.when.empty() ? frame.body->about : frame.when);
    return {{"name", frame.type}, {"summary", text}, {"payload", schema}};
}

Json error_codes() {
    Json codes = Json::array();
    for (const core::ErrorInfo& error : core::error_catalogue()) {
        codes.push_back(
            {{"const", error.name}, {"description", error.description}, {"x-retry", error.retry}});
    }
    return {{"description", "Stable codes. x-retry: the same request may succeed later."},
            {"oneOf", codes}};
}

Json close_codes() {
    Json codes = Json::array();
    for (const protocol::CloseInfo& close : protocol::close_catalogue()) {
        Json code = {{"code", close.code}, {"reason", close.reason}, {"when", close.when}};
        if (!close.remedy.empty()) code["remedy"] = close.remedy;
        codes.push_back(std::move(code));
    }
    return codes;
}

Json to_message(const std::string& name) {
    return {{"$ref", std::string(kChannel) + "/messages/" + name}};
}

/// Nobody is answered anything before it has shown a token.
Json security() { return Json::array({{{"$ref", "#/components/securitySchemes/token"}}}); }

Json operation_of(const OperationInfo& info) {
    Json made = {{"action", "receive"},
                 {"summary", info.about},
                 {"channel", {{"$ref", kChannel}}},
                 {"messages", {to_message(asked(info.frame))}}};
    Json replies = Json::array();
    if (info.reply != nullptr) replies.push_back(to_message(answered(info.reply->type)));
    replies.push_back(to_message(pushed("error")));
    made["reply"] = {{"channel", {{"$ref", kChannel}}}, {"messages", replies}};
    made["security"] = security();
    made["x-errors"] = Json::array();
    for (const core::ErrorCode code : errors_of_frame(info)) {
        made["x-errors"].push_back(core::error_info(code).name);
    }
    return made;
}

Json server_of(const std::string& url) {
    const auto scheme = url.find("://");
    const auto path = url.find('/', scheme + 3);
    Json server = {
        {"host", url.substr(scheme + 3, path == std::string::npos ? path : path - scheme - 3)},
        {"protocol", url.starts_with("https") ? "wss" : "ws"}};
    if (path != std::string::npos) server["pathname"] = url.substr(path);
    return server;
}

}  // namespace

std::string asyncapi(const Facts& facts) {
    Json document = {
        {"asyncapi", "3.0.0"},
        {"info",
         {{"title", "AgentCom"},
          {"version", core::kVersion},
          {"description", about_frames(facts.identify_timeout)},
          {"license", {{"name", "MIT"}, {"url", "https://opensource.org/license/mit"}}}}},
        {"defaultContentType", "application/json"}};
    if (!facts.public_url.empty()) document["servers"]["hub"] = server_of(facts.public_url);
    Json schemas = {{"ErrorCode", error_codes()}};
    Json messages = Json::object();
    Json operations = Json::object();
    for (const OperationInfo& info : protocol::operations()) {
        if (info.frame.empty()) continue;
        messages[asked(info.frame)] = client_frame(info, facts);
        if (info.reply != nullptr) {
            messages[answered(info.reply->type)] = hub_frame(*info.reply, true, schemas);
        }
        operations[std::string(info.name)] = operation_of(info);
    }
    for (const FrameShape& frame : protocol::pushed_frames()) {
        const std::string name = pushed(frame.type);
        messages[name] = hub_frame(frame, false, schemas);
        operations[name] = {{"action", "send"},
                            {"summary", frame.when},
                            {"channel", {{"$ref", kChannel}}},
                            {"messages", {to_message(name)}},
                            {"security", security()}};
    }
    Json in_channel = Json::object();
    for (const auto& [name, message] : messages.items()) {
        in_channel[name] = {{"$ref", "#/components/messages/" + name}};
    }
    // The path of public_url is that of the server.
    const std::string base = facts.public_url.empty() ? facts.base_path : std::string();
    document["channels"]["hub"] = {{"address", base + "/ws"},
                                   {"description", "One connection of one agent."},
                                   {"messages", in_channel},
                                   {"x-close-codes", close_codes()}};
    document["operations"] = std::move(operations);
    document["components"] = {
        {"messages", std::move(messages)},
        {"schemas", std::move(schemas)},
        {"securitySchemes",
         {{"token",
           {{"type", "apiKey"},
            {"in", "password"},
            {"description", "The token of the frame identify, once for a connection."}}}}}};
    return document.dump();
}

}  // namespace agentcom::describe
