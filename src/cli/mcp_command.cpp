// `mcp`: the hub's MCP server for clients that start a program.
#include <iostream>

#include "cli/command.hpp"
#include "cli/mcp_bridge.hpp"

namespace agentcom::cli {
namespace {

int run_mcp(const ClientFlags& flags) {
    const Context context = Context::resolve(flags);
    require_token(context);
    McpBridge bridge(context.hub, context.token, [](std::string_view line) {
        print(std::string(line) + '\n');
        flush_output();
    });
    bridge.run(std::cin);
    return 0;
}

}  // namespace

void add_mcp_command(const CommandSet& set) {
    (void)add_command<ClientFlags>(set, "mcp",
                                   "Be the hub's MCP server on standard input and output",
                                   std::make_shared<ClientFlags>(), run_mcp);
}

}  // namespace agentcom::cli
