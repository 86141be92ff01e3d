#include "cli/agents/client_entries.hpp"

#include "agentcom/core/toml.hpp"

namespace agentcom::cli::agents {
namespace {

constexpr const char* kServer = "agentcom";
constexpr const char* kTokenInput = "agentcom-token";

/// How each client writes the value of a variable.
std::string bearer(Dialect dialect, Scope scope, const Account& account) {
    if (holds_token(dialect, scope)) return "Bearer " + account.token;
    switch (dialect) {
        case Dialect::cursor:
            return "Bearer ${env:AGENTCOM_TOKEN}";
        case Dialect::vscode:
            return std::string("Bearer ${input:") + kTokenInput + "}";
        case Dialect::opencode:
            return "Bearer {env:AGENTCOM_TOKEN}";
        default:
            return "Bearer ${AGENTCOM_TOKEN}";
    }
}

JsonPath entry_path(Dialect dialect, Scope scope, const Places& places) {
    switch (dialect) {
        case Dialect::claude:
            if (scope == Scope::user) return {"mcpServers", kServer};
            return {"projects", places.project.string(), "mcpServers", kServer};
        case Dialect::vscode:
            return {"servers", kServer};
        case Dialect::opencode:
            return {"mcp", kServer};
        default:
            return {"mcpServers", kServer};
    }
}

std::size_t find_input(const JsonValue& inputs) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (inputs[i].is_object() && inputs[i].value("id", JsonValue()) == kTokenInput) return i;
    }
    return inputs.size();
}

}  // namespace

bool holds_token(Dialect dialect, Scope scope) noexcept {
    return scope == Scope::user || dialect == Dialect::claude;
}

JsonEntry json_entry(Dialect dialect, Scope scope, const Places& places, const Account& account) {
    JsonEntry entry{entry_path(dialect, scope, places), JsonValue::object(), {}};
    if (dialect == Dialect::opencode) {
        entry.value["type"] = "remote";
    } else if (dialect != Dialect::cursor) {
        entry.value["type"] = "http";
    }
    entry.value["url"] = account.hub_url + "/mcp";
    entry.value["headers"]["Authorization"] = bearer(dialect, scope, account);
    if (dialect == Dialect::copilot) entry.value["tools"] = JsonValue::array({"*"});
    if (dialect == Dialect::opencode) entry.value["enabled"] = true;
    if (dialect == Dialect::vscode && !holds_token(dialect, scope)) {
        entry.input = {{"type", "promptString"},
                       {"id", kTokenInput},
                       {"description", "Token of your agent at the AgentCom hub"},
                       {"password", true}};
    }
    return entry;
}

std::string with_json_entry(std::string text, const JsonEntry& entry) {
    const JsonValue found = json_at(text, entry.path);
    if (!found.is_object()) {
        text = json_with(text, entry.path, entry.value);
    } else {
        for (const auto& [key, value] : entry.value.items()) {
            if (found.contains(key) && same_value(found[key], value)) continue;
            JsonPath path = entry.path;
            path.push_back(key);
            text = json_with(text, path, value);
        }
    }
    if (entry.input.is_null()) return text;
    const JsonValue inputs = json_at(text, {"inputs"});
    const bool there = inputs.is_array() && find_input(inputs) < inputs.size();
    return there ? text : json_with_element(text, {"inputs"}, entry.input);
}

std::string without_json_entry(std::string text, const JsonEntry& entry) {
    text = json_without(text, entry.path);
    const JsonValue inputs = json_at(text, {"inputs"});
    if (!inputs.is_array() || find_input(inputs) == inputs.size()) return text;
    return json_without_element(text, {"inputs"}, find_input(inputs));
}

CodexEntry codex_entry(Scope scope, const Account& account) {
    CodexEntry entry{
        {"mcp_servers", kServer, {{"url", core::quote_toml(account.hub_url + "/mcp")}}}, {}};
    if (holds_token(Dialect::codex, scope)) {
        entry.table.values.emplace_back(
            "http_headers",
            "{ Authorization = " + core::quote_toml("Bearer " + account.token) + " }");
        entry.unwanted = {"bearer_token_env_var"};
    } else {
        entry.table.values.emplace_back("bearer_token_env_var", "\"AGENTCOM_TOKEN\"");
        entry.unwanted = {"http_headers"};
    }
    return entry;
}

}  // namespace agentcom::cli::agents
