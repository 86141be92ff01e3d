#include "cli/agents/hook_lists.hpp"

#include <algorithm>

namespace agentcom::cli::agents {
namespace {

constexpr int kHookSeconds = 5;
constexpr int kWaitSeconds = 86'400;
constexpr int kMostCodexEndSeconds = 3;  // with more it warns at every start

JsonValue handler(Dialect dialect, const std::string& command, Moment moment) {
    JsonValue hook = JsonValue::object();
    if (dialect == Dialect::gemini) hook["name"] = "agentcom-" + std::string(name_of(moment));
    if (dialect != Dialect::cursor) hook["type"] = "command";
    hook[dialect == Dialect::copilot ? "bash" : "command"] = command;
    if (moment == Moment::wait) {
        hook["asyncRewake"] = true;
        hook["timeout"] = kWaitSeconds;
    } else if (dialect == Dialect::gemini) {
        hook["timeout"] = kHookSeconds * 1'000;
    } else if (dialect == Dialect::codex && moment == Moment::end) {
        hook["timeout"] = kMostCodexEndSeconds;
    } else {
        hook[dialect == Dialect::copilot ? "timeoutSec" : "timeout"] = kHookSeconds;
    }
    return hook;
}

/// Whether handlers stand in groups, each with a filter of its own.
bool has_groups(Dialect dialect) {
    return dialect == Dialect::claude || dialect == Dialect::codex || dialect == Dialect::gemini;
}

std::string text_in(const JsonValue& object, const char* key) {
    const auto found = object.is_object() ? object.find(key) : object.end();
    return object.is_object() && found != object.end() && found->is_string()
               ? found->get<std::string>()
               : "";
}

JsonValue group_of(Moment moment, JsonValue handler_of_it) {
    JsonValue group = JsonValue::object();
    if (moment == Moment::tool) group["matcher"] = "*";
    group["hooks"] = JsonValue::array({std::move(handler_of_it)});
    return group;
}

std::string command_in(const JsonValue& hook) {
    const std::string command = text_in(hook, "command");
    return command.empty() ? text_in(hook, "bash") : command;
}

bool asks_hub(const JsonValue& hook, Dialect dialect) {
    return dialect == Dialect::claude && text_in(hook, "type") == "http" &&
           text_in(hook, "url").ends_with(kClaudeHookPath);
}

/// " hook claude " in a command of agentcom, whatever stands before and after.
bool is_ours(const JsonValue& hook, Dialect dialect) {
    if (asks_hub(hook, dialect)) return true;
    const std::string command = command_in(hook);
    const std::size_t hooked = command.find(" hook " + std::string(name_of(dialect)) + " ");
    return hooked != std::string::npos && command.rfind("agentcom", hooked) != std::string::npos;
}

bool is_group(const JsonValue& element) {
    return element.is_object() && element.contains("hooks") && element["hooks"].is_array();
}

bool all_ours(const JsonValue& element, Dialect dialect) {
    if (!is_group(element)) return is_ours(element, dialect);
    const JsonValue& hooks = element["hooks"];
    return !hooks.empty() && std::all_of(hooks.begin(), hooks.end(), [&](const JsonValue& hook) {
        return is_ours(hook, dialect);
    });
}

bool some_ours(const JsonValue& element, Dialect dialect) {
    if (!is_group(element)) return false;
    const JsonValue& hooks = element["hooks"];
    return std::any_of(hooks.begin(), hooks.end(),
                       [&](const JsonValue& hook) { return is_ours(hook, dialect); });
}

JsonValue list_at(const std::string& text, const JsonPath& path) {
    JsonValue list = json_at(text, path);
    if (list.is_discarded()) return JsonValue::array();
    if (!list.is_array()) throw Malformed("has a member '" + path.back() + "' that is not a list");
    return list;
}

/// Ours out of one group that also has hooks of others.
JsonValue filtered(JsonValue list, std::size_t index, Dialect dialect) {
    JsonValue kept = JsonValue::array();
    for (const JsonValue& hook : list[index]["hooks"]) {
        if (!is_ours(hook, dialect)) kept.push_back(hook);
    }
    list[index]["hooks"] = kept;
    return list;
}

/// Takes ours out of the list, but one that is just as wanted.
std::string without_ours(std::string text, const JsonPath& path, Dialect dialect,
                         const JsonValue* wanted) {
    bool kept = false;
    for (std::size_t i = 0; i < list_at(text, path).size();) {
        const JsonValue list = list_at(text, path);
        if (wanted != nullptr && !kept && same_value(list[i], *wanted)) {
            kept = true;
            ++i;
        } else if (all_ours(list[i], dialect)) {
            text = json_without_element(text, path, i);
        } else if (some_ours(list[i], dialect)) {
            text = json_with(text, path, filtered(list, i, dialect));
        } else {
            ++i;
        }
    }
    return text;
}

}  // namespace

HookList hook_list(Dialect dialect, const std::string& binary, const std::string& context) {
    HookList list{dialect, {}, dialect == Dialect::cursor || dialect == Dialect::copilot};
    const auto command = [&](Moment moment) {
        return binary + " hook " + std::string(name_of(dialect)) + " " +
               std::string(name_of(moment)) + (context.empty() ? "" : " --context " + context);
    };
    for (const auto& [moment, name] : hooks::hook_events(dialect)) {
        JsonValue element = handler(dialect, command(moment), moment);
        if (has_groups(dialect)) {
            JsonValue group = group_of(moment, std::move(element));
            if (dialect == Dialect::claude && moment == Moment::stop) {
                group["hooks"].push_back(handler(dialect, command(Moment::wait), Moment::wait));
            }
            element = std::move(group);
        }
        list.events.emplace_back(name, std::move(element));
    }
    return list;
}

HookList claude_http_hooks(Scope scope, const Account& account) {
    HookList list{Dialect::claude};
    for (const auto& [moment, name] : hooks::hook_events(Dialect::claude)) {
        // At the start it asks no hub, and at the end there is no waiter to end.
        if (moment == Moment::start || moment == Moment::end) {
            list.events.emplace_back(name, nullptr);
            continue;
        }
        JsonValue hook = {{"type", "http"},
                          {"url", account.hub_url + std::string(kClaudeHookPath)}};
        if (scope == Scope::user) {
            hook["headers"]["Authorization"] = "Bearer " + account.token;
        } else {
            hook["headers"]["Authorization"] = "Bearer $AGENTCOM_TOKEN";
            hook["allowedEnvVars"] = JsonValue::array({"AGENTCOM_TOKEN"});
        }
        hook["timeout"] = kHookSeconds;
        list.events.emplace_back(name, group_of(moment, std::move(hook)));
    }
    return list;
}

std::string with_hooks(std::string text, const HookList& hooks) {
    if (hooks.version && json_at(text, {"version"}).is_discarded()) {
        text = json_with(text, {"version"}, 1);
    }
    for (const auto& [event, wanted] : hooks.events) {
        const JsonPath path{"hooks", event};
        text = without_ours(std::move(text), path, hooks.dialect, &wanted);
        if (wanted.is_null()) continue;
        const JsonValue list = list_at(text, path);
        const auto is_wanted = [&wanted = wanted](const JsonValue& element) {
            return same_value(element, wanted);
        };
        if (std::none_of(list.begin(), list.end(), is_wanted)) {
            text = json_with_element(text, path, wanted);
        }
    }
    return text;
}

std::string without_hooks(std::string text, const HookList& hooks) {
    for (const auto& [event, wanted] : hooks.events) {
        text = without_ours(std::move(text), {"hooks", event}, hooks.dialect, nullptr);
    }
    return text;
}

std::vector<HookCommand> found_hooks(const std::string& text, const HookList& hooks) {
    std::vector<HookCommand> found;
    const std::string mark = " hook " + std::string(name_of(hooks.dialect)) + " ";
    const auto add = [&](const JsonValue& hook, const std::string& event,
                         const std::string& place) {
        if (!is_ours(hook, hooks.dialect)) return;
        if (asks_hub(hook, hooks.dialect)) {
            const auto moment = std::find_if(kMoments.begin(), kMoments.end(), [&](Moment m) {
                return event_name(hooks.dialect, m) == event;
            });
            if (moment == kMoments.end()) return;
            const JsonValue headers = hook.value("headers", JsonValue::object());
            found.push_back(
                {*moment, "", text_in(hook, "url"), text_in(headers, "Authorization"), place});
            return;
        }
        const std::string command = command_in(hook);
        const std::string rest = command.substr(command.find(mark) + mark.size());
        if (const auto moment = moment_named(rest.substr(0, rest.find(' ')))) {
            found.push_back({*moment, command, "", "", place});
        }
    };
    for (const auto& [event, wanted] : hooks.events) {
        const JsonValue list = list_at(text, {"hooks", event});
        for (std::size_t i = 0; i < list.size(); ++i) {
            const std::string place = std::to_string(i);
            if (!is_group(list[i])) {
                add(list[i], event, place);
                continue;
            }
            const JsonValue& group = list[i]["hooks"];
            for (std::size_t j = 0; j < group.size(); ++j) {
                add(group[j], event, place + ":" + std::to_string(j));
            }
        }
    }
    return found;
}

}  // namespace agentcom::cli::agents
