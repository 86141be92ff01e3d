#include "cli/agents/opencode_plugin.hpp"

#include "cli/agents/json_text.hpp"

namespace agentcom::cli::agents {
namespace {

constexpr const char* kPluginBody = R"js(
export const AgentCom = async ({ client }) => {
  const waiters = new Map();

  const wait = async (session) => {
    if (waiters.has(session)) return;
    waiters.set(session, null);
    // A subagent has no mail of its own.
    const found = await client.session.get({ path: { id: session } }).catch(() => undefined);
    if (!found?.data || found.data.parentID) {
      waiters.delete(session);
      return;
    }
    const waiter = spawn("/bin/sh", ["-c", `exec ${command}`], { stdio: ["pipe", "ignore", "pipe"] });
    waiters.set(session, waiter);
    let text = "";
    waiter.stderr.on("data", (piece) => (text += piece));
    waiter.on("error", () => waiters.delete(session));
    waiter.on("close", (status) => {
      waiters.delete(session);
      if (status !== 2 || !text) return;
      const body = { parts: [{ type: "text", text: text.trim() }] };
      client.session.promptAsync({ path: { id: session }, body }).catch(() => {});
    });
    waiter.stdin.on("error", () => {});
    waiter.stdin.end(JSON.stringify({ session_id: session }));
  };

  return {
    event: async ({ event }) => {
      const session = event.properties?.sessionID ?? event.properties?.info?.id;
      if (!session) return;
      const idle =
        event.type === "session.idle" ||
        (event.type === "session.status" && event.properties.status?.type === "idle");
      if (idle) await wait(session);
      if (event.type === "session.deleted") waiters.get(session)?.kill();
    },
  };
};
)js";

constexpr std::string_view kCommandLine = "const command = ";

}  // namespace

std::string opencode_plugin(const std::string& binary, const std::string& context) {
    const std::string command =
        binary + " hook opencode wait" + (context.empty() ? "" : " --context " + context);
    return std::string(kPluginHeading) +
           "; `agentcom connect opencode --undo` takes it away.\n"
           "import { spawn } from \"node:child_process\";\n\n" +
           std::string(kCommandLine) + JsonValue(command).dump() + ";\n" + kPluginBody;
}

std::vector<HookCommand> plugin_hooks(const std::string& text) {
    const std::size_t at = text.find(kCommandLine);
    if (!text.starts_with(kPluginHeading) || at == std::string::npos) return {};
    const std::size_t begin = at + kCommandLine.size();
    const auto command =
        JsonValue::parse(text.substr(begin, text.find(";\n", begin) - begin), nullptr, false);
    if (!command.is_string()) return {};
    return {{Moment::wait, command.get<std::string>()}};
}

}  // namespace agentcom::cli::agents
