#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "support/socket_client.hpp"

namespace agentcom::test {

using Json = nlohmann::json;

inline constexpr const char* kVersionKey = "io.modelcontextprotocol/protocolVersion";
inline constexpr const char* kCapabilitiesKey = "io.modelcontextprotocol/clientCapabilities";

/// One agent's client, which says in every request what 2026-07-28 wants to hear.
class McpClient {
public:
    McpClient(std::uint16_t port, const std::string& token, std::string path = "/mcp")
        : http_(std::make_unique<HttpClient>(port, token)), path_(std::move(path)) {}

    static Json meta(const std::string& version = "2026-07-28") {
        return {{kVersionKey, version}, {kCapabilitiesKey, Json::object()}};
    }
    static std::vector<std::string> headers(const std::string& method, const std::string& name = {},
                                            const std::string& version = "2026-07-28") {
        std::vector<std::string> lines{"Accept: application/json, text/event-stream",
                                       "MCP-Protocol-Version: " + version, "Mcp-Method: " + method};
        if (!name.empty()) lines.push_back("Mcp-Name: " + name);
        return lines;
    }

    /// Any body with any headers.
    HttpClient::Response post(const std::string& body, const std::vector<std::string>& headers) {
        return http_->request("POST", path_, body, headers);
    }
    HttpClient::Response modern(const std::string& method, Json params = Json::object()) {
        std::string name;
        for (const char* key : {"name", "uri"}) {
            if (params.contains(key)) name = params[key];
        }
        params["_meta"] = meta();
        return post(request(method, std::move(params)).dump(), headers(method, name));
    }
    HttpClient::Response legacy(const std::string& method, Json params = Json::object()) {
        return post(request(method, std::move(params)).dump(), {});
    }
    /// The result of a tool, by the modern protocol.
    Json call(const std::string& tool, Json arguments = Json::object()) {
        const auto answer =
            modern("tools/call", {{"name", tool}, {"arguments", std::move(arguments)}});
        EXPECT_EQ(answer.status, 200) << answer.body;
        const Json json = answer.json();
        EXPECT_TRUE(json.contains("result")) << answer.body;
        return json.value("result", Json::object());
    }
    /// Of one that must do what it was asked.
    Json ok(const std::string& tool, Json arguments = Json::object()) {
        Json result = call(tool, std::move(arguments));
        EXPECT_EQ(result.value("isError", true), false) << result.dump(1);
        return result;
    }
    /// What one that must not says.
    std::string refusal(const std::string& tool, Json arguments = Json::object()) {
        const Json result = call(tool, std::move(arguments));
        EXPECT_EQ(result.value("isError", false), true) << result.dump(1);
        return text_of(result);
    }
    static std::string text_of(const Json& result) { return result["content"][0]["text"]; }

    Json request(const std::string& method, Json params) {
        return {{"jsonrpc", "2.0"}, {"id", next_id_++}, {"method", method}, {"params", params}};
    }

private:
    std::unique_ptr<HttpClient> http_;
    std::string path_;
    int next_id_ = 0;
};

}  // namespace agentcom::test
