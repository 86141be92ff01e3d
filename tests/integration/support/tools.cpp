#include "integration/support/tools.hpp"

#include <csignal>
#include <stdexcept>
#include <utility>

namespace agentcom::test {

BridgeTools::BridgeTools(const std::vector<std::string>& variables)
    : bridge_({"mcp"}, variables, Program::Input::written) {
    (void)ask("initialize", {{"protocolVersion", "2025-11-25"},
                             {"capabilities", Json::object()},
                             {"clientInfo", {{"name", "scene"}, {"version", "1"}}}});
    bridge_.write(R"({"jsonrpc":"2.0","method":"notifications/initialized"})"
                  "\n");
}

Json BridgeTools::call(const std::string& tool, Json arguments) {
    const Json result = ask("tools/call", {{"name", tool}, {"arguments", std::move(arguments)}});
    if (result.at("isError") != false) throw std::runtime_error(result.dump());
    return result.at("structuredContent");
}

void BridgeTools::kill() {
    bridge_.signal(SIGKILL);
    EXPECT_EQ(bridge_.wait(), 128 + SIGKILL);
}

Json BridgeTools::ask(const std::string& method, Json params) {
    const std::string id = "call-" + std::to_string(next_id_++);
    const Json request{
        {"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}};
    bridge_.write(request.dump() + '\n');
    const Json answer = Json::parse(bridge_.wait_for_output("\"id\":\"" + id + '"'));
    if (!answer.contains("result")) throw std::runtime_error(answer.dump());
    return answer.at("result");
}

}  // namespace agentcom::test
