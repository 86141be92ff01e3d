// OpenAPI 3.1 of the paths.

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "agentcom/core/error.hpp"
#include "agentcom/core/version.hpp"
#include "agentcom/describe/describe.hpp"
#include "describe/pages.hpp"
#include "describe/schemas.hpp"

namespace agentcom::describe {

namespace {

using protocol::Effect;
using protocol::FieldPlace;
using protocol::FieldSpec;
using protocol::FieldType;
using protocol::OperationInfo;
using protocol::Right;

constexpr std::string_view kBearer = "token";
constexpr std::string_view kInQuery = "token_in_query";
constexpr std::string_view kCookie = "session";

constexpr std::string_view kAboutPaths =
    "A message hub for agents: direct messages, channels, mailboxes. Times are Unix milliseconds. "
    "Clients ignore members that they do not know. x-max-bytes bounds a text in bytes of UTF-8, "
    "x-max-json-bytes a value as JSON text, x-in-future says that a time must not have come yet, "
    "x-from-answer that only what an answer "
    "gave, or nothing, will do. "
    "What limits, the hub's stopping or a page of another origin bring about may meet any request "
    "and is not repeated at each: forbidden_host, forbidden_origin, too_many_connections, "
    "overloaded, "
    "request_timeout, header_too_large, expectation_failed, internal. What is said over the "
    "WebSocket "
    "at /ws is described by asyncapi.json.";

/// Paths are grouped by what stands behind the first slash, or behind /api.
std::string tag_of(std::string_view pattern) {
    for (const std::string_view prefix : {"/api/", "/"}) {
        if (!pattern.starts_with(prefix)) continue;
        pattern.remove_prefix(prefix.size());
        break;
    }
    const std::string first(pattern.substr(0, pattern.find('/')));
    // The one and the many.
    for (const auto& [one, many] :
         {std::pair("message", "messages"), std::pair("me", "agents"),
          std::pair("directory", "agents"), std::pair("threads", "messages")}) {
        if (first == one) return many;
    }
    const std::vector<std::string_view> known = {"agents", "messages",  "mailbox", "channels",
                                                 "config", "analytics", "admin"};
    return std::ranges::find(known, first) != known.end() ? first : "hub";
}

constexpr std::pair<const char*, const char*> kTags[] = {
    {"hub", "The hub itself, and other ways to it."},
    {"agents", "Who there is, and what they say of themselves."},
    {"messages", "Sending, and what was sent."},
    {"mailbox", "What an agent has not read."},
    {"channels", "Messages for all who subscribe."},
    {"config", "Settings that an administrator may change while the hub runs."},
    {"analytics", "Counters."},
    {"admin", "Tokens, the end of agents, and the running hub."},
};

std::string templated(std::string_view pattern) {
    std::string path;
    for (std::size_t at = 0; at < pattern.size(); ++at) {
        if (pattern[at] != ':') {
            path += pattern[at];
            continue;
        }
        const auto end = std::min(pattern.find('/', at), pattern.size());
        path += '{' + std::string(pattern.substr(at + 1, end - at - 1)) + '}';
        at = end - 1;
    }
    return path;
}

std::string argument_of(std::string_view pattern) {
    const auto at = pattern.find(':');
    if (at == std::string_view::npos) return {};
    return std::string(pattern.substr(at + 1, pattern.find('/', at) - at - 1));
}

Json security_of(const PathInfo& path, const Facts& facts) {
    Json ways = Json::array();
    if (path.right == Right::anyone) {
        if (path.session) ways = {{{kCookie, Json::array()}}, Json::object()};
        return ways;
    }
    if (!path.session) ways.push_back({{kBearer, Json::array()}});
    if (path.query_token) ways.push_back({{kInQuery, Json::array()}});
    if (path.cookie) ways.push_back({{kCookie, Json::array()}});
    // As it is configured, or with the token in the body.
    if ((path.right == Right::reader && facts.anonymous_reads) ||
        (path.right == Right::watcher && facts.anonymous_metrics) || path.body_token) {
        ways.push_back(Json::object());
    }
    return ways;
}

Json parameter(std::string_view name, std::string_view in, bool required, Json schema) {
    Json made = {{"name", name}, {"in", in}, {"required", required}};
    made["description"] = schema["description"];
    schema.erase("description");
    made["schema"] = std::move(schema);
    return made;
}

/// The parameters of the path, the query and the header.
Json parameters_of(const PathInfo& path, const Facts& facts) {
    Json parameters = Json::array();
    const std::string argument = argument_of(path.pattern);
    const bool in_query = path.operation->policy.effect != Effect::write;
    bool spelled = argument.empty();
    for (const FieldSpec& field : path.operation->fields) {
        if (field.in_path() && !argument.empty()) {
            parameters.push_back(
                parameter(argument, "path", true, schema_of(field, Spelling::parameter, facts)));
            spelled = true;
        } else if (in_query || field.place == FieldPlace::query) {
            parameters.push_back(parameter(field.name(true), "query", field.required,
                                           schema_of(field, Spelling::parameter, facts)));
        }
        if (field.header.empty()) continue;
        FieldSpec header = field;
        header.type = FieldType::text;
        header.required = false;
        header.header = {};
        parameters.push_back(parameter(field.header, "header", false,
                                       schema_of(header, Spelling::parameter, facts)));
    }
    if (!spelled) {
        throw std::logic_error("no field is the argument of " + std::string(path.pattern));
    }
    return parameters;
}

std::vector<const FieldSpec*> body_fields(const OperationInfo& info) {
    std::vector<const FieldSpec*> fields;
    if (info.policy.effect != Effect::write) return fields;
    for (const FieldSpec& field : info.fields) {
        if (field.place == FieldPlace::member) fields.push_back(&field);
    }
    return fields;
}

Json body_of(const PathInfo& path, const Facts& facts) {
    const auto fields = body_fields(*path.operation);
    Json schema = object_of(fields, Spelling::body, facts);
    Json example = Json::object();
    for (const FieldSpec* field : fields) {
        if (field->required || field->required_in_body || field->key == protocol::Key::to) {
            example[std::string(field->name(true))] = example_of(*field);
        }
    }
    if (path.body_token) {
        schema["properties"]["token"] = {
            {"type", "string"}, {"description", "The caller's token, if it stands nowhere else."}};
    }
    const bool required = schema.contains("required");
    return {{"required", required},
            {"content", {{kJsonMedia, {{"schema", schema}, {"example", example}}}}}};
}

Json success_of(const PathInfo& path, Json& schemas) {
    const OperationInfo& info = *path.operation;
    if (info.answer != nullptr) {
        return {{"description", info.answer->about},
                {"content", {{kJsonMedia, {{"schema", reference_to(*info.answer, schemas)}}}}}};
    }
    if (info.media.empty()) return {{"description", info.about}};
    Json schema = {{"type", "string"}};
    if (info.id == protocol::Operation::open_stream || info.id == protocol::Operation::observe) {
        Json& events = schema["x-events"] = Json::object();
        const auto shapes = info.id == protocol::Operation::observe ? protocol::observer_events()
                                                                    : protocol::stream_events();
        for (const protocol::EventShape& event : shapes) {
            events[std::string(event.event)] = {{"description", event.when},
                                                {"data", members_of(*event.data, schemas)}};
        }
    }
    return {{"description", info.about}, {"content", {{info.media, {{"schema", schema}}}}}};
}

void add_refusals(const PathInfo& path, Json& responses) {
    std::map<std::uint16_t, std::vector<core::ErrorCode>> by_status;
    for (const core::ErrorCode code : errors_of(path)) {
        by_status[core::error_info(code).http_status].push_back(code);
    }
    for (const auto& [status, codes] : by_status) {
        std::string text;
        for (const core::ErrorCode code : codes) {
            text += (text.empty() ? "" : ", ") + std::string(core::error_info(code).name);
        }
        const Json schema = {{"allOf",
                              {{{"$ref", "#/components/schemas/Error"}},
                               {{"properties", {{"error", one_of_errors(codes)}}}}}}};
        Json& response = responses[std::to_string(status)];
        // A hub that is not well says so with the body of one that is.
        if (!response.is_null()) continue;
        response = {{"description", text}, {"content", {{kJsonMedia, {{"schema", schema}}}}}};
        if (status == 429 || status == 503) {
            response["headers"] = {
                {"Retry-After", {{"description", "Seconds."}, {"schema", {{"type", "integer"}}}}}};
        }
    }
}

/// What 503 means of an operation that says so with the body of its success; empty: of others.
std::string_view unwell_of(protocol::Operation operation) noexcept {
    switch (operation) {
        case protocol::Operation::health:
            return "The hub cannot take messages.";
        case protocol::Operation::probe_live:
            return "The hub has come to a stand.";
        case protocol::Operation::probe_ready:
            return "The hub cannot take what it is sent.";
        default:
            return {};
    }
}

Json operation_of(const PathInfo& path, const Facts& facts, Json& schemas) {
    const OperationInfo& info = *path.operation;
    Json made = {{"operationId", info.name}, {"summary", info.about}};
    made["tags"] = {tag_of(path.pattern)};
    made["security"] = security_of(path, facts);
    if (Json parameters = parameters_of(path, facts); !parameters.empty()) {
        made["parameters"] = std::move(parameters);
    }
    if (!body_fields(info).empty()) made["requestBody"] = body_of(path, facts);
    made["responses"][std::to_string(info.success)] = success_of(path, schemas);
    if (const std::string_view unwell = unwell_of(info.id); !unwell.empty()) {
        made["responses"]["503"] = made["responses"]["200"];
        made["responses"]["503"]["description"] = unwell;
    }
    add_refusals(path, made["responses"]);
    return made;
}

/// A page, or another protocol's path.
Json page_of(const PathInfo& path, const Facts& facts, Json& schemas) {
    Json made = {{"operationId", path.name}, {"summary", path.about}};
    made["tags"] = {"hub"};
    made["security"] = security_of(path, facts);
    describe_page(path, made, schemas);
    add_refusals(path, made["responses"]);
    return made;
}

}  // namespace

std::string openapi(std::span<const PathInfo> paths, const Facts& facts) {
    Json document = {
        {"openapi", "3.1.0"},
        {"info",
         {{"title", "AgentCom"},
          {"version", core::kVersion},
          {"description", kAboutPaths},
          {"license", {{"name", "MIT"}, {"identifier", "MIT"}}}}},
    };
    // Relative to where this description was found.
    document["servers"] = {
        {{"url", facts.public_url.empty() ? std::string(".") : facts.public_url}}};
    document["tags"] = Json::array();
    for (const auto& [name, about] : kTags) {
        document["tags"].push_back({{"name", name}, {"description", about}});
    }
    Json schemas = Json::object();
    add_errors(schemas);
    Json& described = document["paths"] = Json::object();
    for (const PathInfo& path : paths) {
        std::string verb(path.verb);
        std::ranges::transform(verb, verb.begin(),
                               [](char c) { return static_cast<char>(c | 0x20); });
        described[templated(path.pattern)][verb] = path.operation != nullptr
                                                       ? operation_of(path, facts, schemas)
                                                       : page_of(path, facts, schemas);
    }
    document["components"]["schemas"] = std::move(schemas);
    document["components"]["securitySchemes"] = {
        {kBearer, {{"type", "http"}, {"scheme", "bearer"}}},
        {kInQuery, {{"type", "apiKey"}, {"in", "query"}, {"name", "token"}}},
        {kCookie,
         {{"type", "apiKey"},
          {"in", "cookie"},
          {"name", "agentcom_session"},
          {"description",
           "Its name goes on with _ and the first 8 digits of the epoch. "
           "From POST /api/session, for pages of the hub. What is not GET needs the header "
           "X-AgentCom-Page besides: the agent that the page shows, percent-encoded, or 1."}}}};
    return document.dump();
}

}  // namespace agentcom::describe
