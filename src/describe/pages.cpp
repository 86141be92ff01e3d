#include "describe/pages.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "agentcom/core/error.hpp"

namespace agentcom::describe {

namespace {

constexpr std::string_view kEvents = "text/event-stream";

Json text_parameter(std::string_view name, std::string_view in, std::string_view about) {
    return {{"name", name},
            {"in", in},
            {"required", false},
            {"description", about},
            {"schema", {{"type", "string"}}}};
}

Json header(std::string_view about) {
    return {{"description", about}, {"schema", {{"type", "string"}}}};
}

Json json_content(Json schema) { return {{kJsonMedia, {{"schema", std::move(schema)}}}}; }

void describe_document(const PathInfo& path, Json& operation) {
    const Json schema =
        path.media == kJsonMedia ? Json{{"type", "object"}} : Json{{"type", "string"}};
    Json& found = operation["responses"]["200"];
    found = {{"description", path.about}};
    // One, or several with blanks between them.
    for (std::string_view media = path.media; !media.empty();) {
        const auto end = std::min(media.find(' '), media.size());
        found["content"][std::string(media.substr(0, end))] = {{"schema", schema}};
        media.remove_prefix(std::min(end + 1, media.size()));
    }
    if (path.pattern.find(':') != std::string_view::npos) {
        Json name = text_parameter("name", "path", "As the dashboard links to it.");
        name["required"] = true;
        operation["parameters"].push_back(std::move(name));
    }
    if (!path.has_tag) return;
    operation["parameters"].push_back(
        text_parameter("If-None-Match", "header", "An ETag from before."));
    found["headers"]["ETag"] = header("Changes with the text.");
    operation["responses"]["304"] = {{"description", "It is what the given ETag stands for."},
                                     {"headers", {{"ETag", header("The same.")}}}};
}

Json rpc_schema(std::string_view what, Json content) {
    Json schema = {{"type", "object"}, {"required", {"jsonrpc", "id", what}}};
    schema["properties"] = {{"jsonrpc", {{"const", "2.0"}}},
                            {"id", {{"type", {"string", "number", "null"}}}}};
    schema["properties"][std::string(what)] = std::move(content);
    return schema;
}

void describe_mcp(const PathInfo& path, Json& operation, Json& schemas) {
    schemas["JsonRpcResult"] = rpc_schema("result", {{"type", "object"}});
    schemas["JsonRpcError"] = rpc_schema("error", {{"type", "object"},
                                                   {"required", {"code", "message"}},
                                                   {"properties",
                                                    {{"code", {{"type", "integer"}}},
                                                     {"message", {{"type", "string"}}},
                                                     {"data", Json::object()}}}});
    const Json result = {{"$ref", "#/components/schemas/JsonRpcResult"}};
    const Json error = {{"$ref", "#/components/schemas/JsonRpcError"}};
    operation["parameters"] = Json::array(
        {text_parameter("profile", "query",
                        "full: all tools are listed; anything else: those of the core."),
         text_parameter("MCP-Protocol-Version", "header", "The version that is spoken."),
         text_parameter("Mcp-Method", "header", "From 2026-07-28 on: the body's method again."),
         text_parameter("Mcp-Name", "header",
                        "From 2026-07-28 on: the name or the URI in the body's params again.")});
    operation["requestBody"] = {{"required", true},
                                {"content", json_content({{"type", "object"}})}};
    Json& responses = operation["responses"];
    responses["200"] = {{"description", path.about},
                        {"content", json_content({{"anyOf", {result, error}}})}};
    responses["200"]["content"][std::string(kEvents)] = {
        {"schema",
         {{"type", "string"},
          {"description", "The answer to subscriptions/listen: each event is one of JSON-RPC."}}}};
    responses["202"] = {{"description", "A notification, or an answer, was taken note of."}};
    const core::ErrorCode malformed[] = {core::ErrorCode::bad_request};
    const Json refusal = {{"allOf",
                           {{{"$ref", "#/components/schemas/Error"}},
                            {{"properties", {{"error", one_of_errors(malformed)}}}}}}};
    responses["400"] = {{"description",
                         "The body is no JSON-RPC, or its version or headers are wrong; or, where "
                         "it was no HTTP, bad_request."},
                        {"content", json_content({{"anyOf", {error, refusal}}})}};
    responses["404"] = {{"description", "From 2026-07-28 on: there is no such method."},
                        {"content", json_content(error)}};
}

void describe_hook(const PathInfo& path, Json& operation) {
    const Json member = {{"type", "string"}, {"minLength", 1}};
    operation["requestBody"] = {
        {"required", true},
        {"content",
         json_content({{"type", "object"},
                       {"required", {"session_id", "hook_event_name"}},
                       {"properties", {{"session_id", member}, {"hook_event_name", member}}}})}};
    operation["responses"]["200"] = {{"description", path.about},
                                     {"content", json_content({{"type", "object"}})}};
    operation["responses"]["204"] = {{"description", "There is nothing to say."}};
}

void describe_websocket(Json& operation) {
    operation["responses"]["101"] = {
        {"description", "The connection is a WebSocket, which asyncapi.json describes."}};
    const Json content = json_content({{"$ref", "#/components/schemas/Error"}});
    operation["responses"]["426"] = {
        {"description", "upgrade_required"},
        {"headers", {{"Upgrade", header("websocket")}, {"Sec-WebSocket-Version", header("13")}}},
        {"content", content}};
}

}  // namespace

void describe_page(const PathInfo& path, Json& operation, Json& schemas) {
    switch (path.kind) {
        case PageKind::document:
            return describe_document(path, operation);
        case PageKind::mcp:
            return describe_mcp(path, operation, schemas);
        case PageKind::hook:
            return describe_hook(path, operation);
        case PageKind::websocket:
            return describe_websocket(operation);
    }
}

}  // namespace agentcom::describe
