#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/mcp_client.hpp"
#include "support/program.hpp"

namespace agentcom::test {

/// The hub's tools as one session of a coding agent calls them.
class Tools {
public:
    virtual ~Tools() = default;
    /// The structured content of a result that must be one.
    virtual Json call(const std::string& tool, Json arguments) = 0;
};

/// `POST /mcp` by the client itself.
class HttpTools final : public Tools {
public:
    HttpTools(std::uint16_t port, const std::string& token) : client_(port, token) {}
    Json call(const std::string& tool, Json arguments) override {
        return client_.ok(tool, std::move(arguments)).at("structuredContent");
    }
    [[nodiscard]] McpClient& client() noexcept { return client_; }

private:
    McpClient client_;
};

/// `agentcom mcp`, which the client starts beside itself and which dies with it.
class BridgeTools final : public Tools {
public:
    explicit BridgeTools(const std::vector<std::string>& variables);
    Json call(const std::string& tool, Json arguments) override;
    /// SIGKILL, and waits for the end.
    void kill();

private:
    Json ask(const std::string& method, Json params);

    Program bridge_;
    int next_id_ = 0;
};

}  // namespace agentcom::test
