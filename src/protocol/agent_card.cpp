// Cards of A2A 1.0: where the hub, or an agent through it, is reached. The hub does not speak A2A's
// own bindings, and its cards do not say so: an interface is named by the description of what it
// speaks.

#include "protocol/agent_card.hpp"

#include <set>
#include <string>
#include <string_view>

#include "agentcom/core/version.hpp"
#include "agentcom/protocol/json_scanner.hpp"

namespace agentcom::protocol {

namespace {

constexpr std::string_view kA2aVersion = "1.0";

/// The address of the WebSocket; `base` is empty or begins with http.
std::string websocket_of(const std::string& base) {
    return base.empty() ? "/ws" : "ws" + base.substr(std::string_view("http").size()) + "/ws";
}

void write_interface(JsonWriter& writer, std::string_view url, std::string_view binding,
                     std::string_view tenant) {
    writer.begin_object().member("url", url).member("protocolBinding", binding);
    if (!tenant.empty()) writer.member("tenant", tenant);
    writer.member("protocolVersion", kA2aVersion).end_object();
}

void write_skill(JsonWriter& writer, std::string_view id, std::string_view name,
                 std::string_view description) {
    writer.begin_object()
        .member("id", id)
        .member("name", name)
        .member("description", description)
        .key("tags")
        .begin_array()
        .string(id)
        .end_array()
        .end_object();
}

void write_skills_of_hub(JsonWriter& writer) {
    write_skill(
        writer, "messages", "Messages",
        "Hands messages on to other agents, one or all, and keeps them until they are read.");
    write_skill(writer, "channels", "Channels",
                "Publishes messages to all agents that subscribe to a channel.");
    write_skill(writer, "directory", "Directory",
                "Says which agents there are, what they are doing and what they can do.");
}

void write_skills_of(JsonWriter& writer, const AgentDetails& agent) {
    write_skill(writer, "messages", "Messages", "Takes messages through the hub.");
    if (!agent.capabilities || !agent.capabilities->text.starts_with('[')) return;
    // The id of a skill is unique within a card.
    std::set<std::string> told{"messages"};
    for (const JsonValue& element : JsonScanner::elements(agent.capabilities->text)) {
        // By convention they are texts; whatever else stands there is for others.
        if (element.kind != JsonKind::string) continue;
        const std::string text = decode_json_string(element.raw, element.escaped);
        if (!text.empty() && told.insert(text).second)
            write_skill(writer, text, text, "What the agent says it can do.");
    }
}

void write_modes(JsonWriter& writer, std::string_view name) {
    writer.key(name).begin_array().string("application/json").end_array();
}

}  // namespace

void write_card(JsonWriter& writer, const AgentCard& card) {
    const std::string& base = card.base_url;
    const bool of_agent = card.agent.has_value();
    const std::string name = of_agent ? card.agent->agent.str() : std::string("AgentCom");
    const std::string tenant = of_agent ? name : std::string();
    writer.member("name", name)
        .member("description",
                of_agent ? "An agent that is reached through a hub. What is sent to it waits "
                           "in its mailbox until it has read it; `tenant` is what `to` says."
                         : "A message hub for agents: they send one another messages through "
                           "it, over HTTP, WebSocket and MCP. It does not speak A2A's own "
                           "bindings; protocolBinding names the description of what it does.")
        .key("supportedInterfaces")
        .begin_array();
    write_interface(writer, of_agent ? base + "/api/message" : base + "/", base + "/openapi.json",
                    tenant);
    write_interface(writer, websocket_of(base), base + "/asyncapi.json", tenant);
    writer.end_array()
        .member("version", core::kVersion)
        .member("documentationUrl", base + "/SKILL.md")
        .key("capabilities")
        .begin_object();
    for (const char* capability : {"streaming", "pushNotifications", "extendedAgentCard"}) {
        writer.key(capability).boolean(false);
    }
    writer.end_object()
        .key("securitySchemes")
        .raw(R"({"token":{"httpAuthSecurityScheme":{"scheme":"Bearer"}}})")
        .key("securityRequirements")
        .raw(R"([{"schemes":{"token":{"list":[]}}}])");
    write_modes(writer, "defaultInputModes");
    write_modes(writer, "defaultOutputModes");
    writer.key("skills").begin_array();
    if (of_agent) {
        write_skills_of(writer, *card.agent);
    } else {
        write_skills_of_hub(writer);
    }
    writer.end_array();
}

}  // namespace agentcom::protocol
