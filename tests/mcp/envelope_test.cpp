// JSON-RPC and the two eras of the protocol, against a live hub.

#include <set>

#include "mcp/mcp_fixture.hpp"

namespace agentcom::test {
namespace {

int code_of(const HttpClient::Response& answer) { return answer.json().at("error").at("code"); }

TEST_F(Mcp, WhoShowsNoGoodTokenIsRefusedBeforeTheBody) {
    for (const char* token :
         {"", "0000000000000000000000000000000000000000000000000000000000000000"}) {
        HttpClient client(hub_.port(), token);
        const auto answer = client.request("POST", "/mcp", "{}");
        EXPECT_EQ(answer.status, 401);
        EXPECT_EQ(answer.headers.at("www-authenticate"), "Bearer");
    }
    HttpClient client(hub_.port());
    EXPECT_EQ(client.request("POST", "/mcp?token=" + alice_token_, "{}").status, 401);
}

TEST_F(Mcp, OnlyPostIsAnswered) {
    HttpClient client(hub_.port(), alice_token_);
    for (const char* verb : {"GET", "DELETE", "PUT"}) {
        const auto answer = client.request(verb, "/mcp");
        EXPECT_EQ(answer.status, 405) << verb;
        EXPECT_EQ(answer.headers.at("allow"), "POST") << verb;
    }
}

TEST_F(Mcp, PagesOfOtherOriginsAndNamesOfOthersAreForbidden) {
    EXPECT_EQ(alice_.post("{}", {"Origin: http://evil.example.com"}).status, 403);
    Socket socket(hub_.port());
    socket.send("POST /mcp HTTP/1.1\r\nHost: evil.example.com\r\nAuthorization: Bearer " +
                alice_token_ + "\r\nContent-Length: 2\r\n\r\n{}");
    EXPECT_TRUE(socket.receive_some().starts_with("HTTP/1.1 403 "));
}

TEST_F(Mcp, ABodyOfAnotherTypeIsRefused) {
    EXPECT_EQ(alice_.post("{}", {"Content-Type: text/plain"}).status, 415);
}

TEST_F(Mcp, BodiesThatAreNoRequestsGetTheErrorOfJsonRpc) {
    const auto ask = [&](const std::string& body) { return alice_.post(body, {}); };
    for (const auto& [body, code] : std::vector<std::pair<std::string, int>>{
             {"", -32700},
             {"{", -32700},
             {"7", -32700},
             {R"([{"jsonrpc":"2.0","id":1,"method":"ping"}])", -32600},
             {R"({"id":1,"method":"ping"})", -32600},
             {R"({"jsonrpc":"2.0","id":null,"method":"ping"})", -32600},
             {R"({"jsonrpc":"2.0","id":{},"method":"ping"})", -32600},
             {R"({"jsonrpc":"2.0","id":1})", -32600},
         }) {
        const auto answer = ask(body);
        EXPECT_EQ(answer.status, 400) << body;
        EXPECT_EQ(code_of(answer), code) << body;
    }
    const auto answer = ask(R"({"jsonrpc":"2.0","id":1,"method":"ping","params":[]})");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(code_of(answer), -32602);
}

TEST_F(Mcp, NotificationsAndAnswersAreTakenNoteOf) {
    for (const char* body : {R"({"jsonrpc":"2.0","method":"notifications/initialized"})",
                             R"({"jsonrpc":"2.0","method":"notifications/of-tomorrow"})",
                             R"({"jsonrpc":"2.0","id":1,"result":{}})"}) {
        const auto answer = alice_.post(body, {});
        EXPECT_EQ(answer.status, 202) << body;
        EXPECT_EQ(answer.body, "") << body;
    }
    // As the client of 2026-07-28 cancels a stream: without Mcp-Method.
    const auto cancelled = alice_.post(
        R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})",
        {"MCP-Protocol-Version: 2026-07-28"});
    EXPECT_EQ(cancelled.status, 202);
}

TEST_F(Mcp, IdsComeBackAsTheyWere) {
    for (const char* id : {"0", "\"\\u00e4 1\"", "-7", "1.5"}) {
        const auto answer = alice_.post(
            std::string(R"({"method":"ping","params":{},"id":)") + id + R"(,"jsonrpc":"2.0"})", {});
        EXPECT_TRUE(has(answer.body, std::string("\"id\":") + id)) << answer.body;
    }
}

TEST_F(Mcp, AnIdIsAsLongAsARefMayBe) {
    const auto ask = [&](const std::string& id, const char* method) {
        return alice_.post(
            R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":")" + method + R"(","params":{}})", {});
    };
    for (const std::string& id : {'"' + std::string(254, 'x') + '"', std::string(256, '1')}) {
        const auto answer = ask(id, "ping");
        EXPECT_EQ(answer.status, 200) << answer.body;
        EXPECT_TRUE(has(answer.body, "\"id\":" + id)) << answer.body;
    }
    for (const std::string& id :
         {'"' + std::string(255, 'x') + '"', std::string(257, '1'),
          // As JSON text: so it is repeated.
          '"' + std::string(50, ' ') + "\\u0020\\u0020\\u0020" + std::string(187, 'x') + '"',
          '"' + std::string(1'000'000, 'x') + '"'}) {
        for (const char* method : {"ping", "tools/call", "subscriptions/listen", "of/tomorrow"}) {
            const auto answer = ask(id, method);
            EXPECT_EQ(answer.status, 400);
            EXPECT_EQ(code_of(answer), -32600);
            EXPECT_TRUE(answer.json().at("id").is_null());
            EXPECT_TRUE(has(answer.json().at("error").at("message"), "256 bytes"));
            EXPECT_LT(answer.body.size(), 300U);
        }
    }
}

TEST_F(Mcp, ErrorsRepeatLittleOfWhatTheyAreAbout) {
    const std::string much(500'000, 'x');
    const auto expect = [](const HttpClient::Response& answer) {
        EXPECT_LT(answer.body.size(), 600U);
        EXPECT_TRUE(has(answer.body, "xxx \xE2\x80\xA6")) << answer.body;
    };
    expect(alice_.legacy(much));
    expect(alice_.legacy("tools/call", {{"name", much}}));
    expect(alice_.legacy("tools/call", {{"name", "ack"}, {"arguments", {{much, 1}}}}));
    expect(alice_.legacy("resources/read", {{"uri", much}}));
    expect(alice_.legacy("prompts/get", {{"name", much}}));
    expect(alice_.post(alice_.request("tools/list", {{"_meta", McpClient::meta(much)}}).dump(),
                       McpClient::headers("tools/list")));
    const std::string long_version(2'000, 'x');
    expect(
        alice_.post(alice_.request("tools/list", {{"_meta", McpClient::meta(long_version)}}).dump(),
                    McpClient::headers("tools/list", "", long_version)));
    Json unknown = alice_.request(much, {{"_meta", McpClient::meta()}});
    expect(alice_.post(unknown.dump(), McpClient::headers("tools/list")));
}

TEST_F(Mcp, LegacyClientsInitializeWithTheirVersionOrTheNewest) {
    for (const auto& [asked, given] : std::vector<std::pair<std::string, std::string>>{
             {"2024-11-05", "2024-11-05"},
             {"2025-03-26", "2025-03-26"},
             {"2025-06-18", "2025-06-18"},
             {"2025-11-25", "2025-11-25"},
             {"2031-01-01", "2025-11-25"},
         }) {
        const Json result = alice_
                                .legacy("initialize", {{"protocolVersion", asked},
                                                       {"capabilities", Json::object()},
                                                       {"clientInfo", {{"name", "t"}}}})
                                .json()
                                .at("result");
        EXPECT_EQ(result.at("protocolVersion"), given);
        EXPECT_EQ(result.at("serverInfo").at("name"), "agentcom");
        EXPECT_EQ(result.at("capabilities").at("resources"), Json::object());
        EXPECT_TRUE(has(result.at("instructions"), "You are \"alice\""));
        EXPECT_FALSE(result.contains("resultType"));
        EXPECT_FALSE(result.contains("_meta"));
    }
    EXPECT_EQ(alice_.legacy("ping").json().at("result"), Json::object());
}

TEST_F(Mcp, ALegacyRequestMayNameItsVersionIfItIsOne) {
    const std::string ping = alice_.request("ping", Json::object()).dump();
    EXPECT_EQ(alice_.post(ping, {"MCP-Protocol-Version: 2025-06-18"}).status, 200);
    const auto unknown = alice_.post(ping, {"MCP-Protocol-Version: 2025-01-01"});
    EXPECT_EQ(unknown.status, 400);
    EXPECT_EQ(code_of(unknown), -32000);
}

TEST_F(Mcp, AProgressTokenAloneMakesNoModernRequest) {
    const auto answer = alice_.legacy("tools/list", {{"_meta", {{"progressToken", 0}}}});
    EXPECT_EQ(answer.status, 200);
    EXPECT_FALSE(answer.json().at("result").contains("ttlMs"));
}

TEST_F(Mcp, ModernClientsDiscover) {
    const Json result = alice_.modern("server/discover").json().at("result");
    EXPECT_EQ(result.at("resultType"), "complete");
    EXPECT_EQ(result.at("supportedVersions"), Json::array({"2026-07-28"}));
    EXPECT_EQ(result.at("capabilities"), (Json{{"tools", Json::object()},
                                               {"resources", {{"subscribe", true}}},
                                               {"prompts", Json::object()}}));
    EXPECT_EQ(result.at("cacheScope"), "private");
    EXPECT_GE(result.at("ttlMs"), 0);
    EXPECT_EQ(result.at("_meta").at("io.modelcontextprotocol/serverInfo").at("name"), "agentcom");
    EXPECT_LT(result.at("instructions").get<std::string>().size(), 900U);
}

TEST_F(Mcp, MethodsOfTheOtherEraAreNotFound) {
    for (const char* method : {"initialize", "ping", "logging/setLevel", "resources/subscribe",
                               "resources/unsubscribe", "of/tomorrow"}) {
        const auto answer = alice_.modern(method);
        EXPECT_EQ(answer.status, 404) << method;
        EXPECT_EQ(code_of(answer), -32601) << method;
    }
    for (const char* method : {"subscriptions/listen", "resources/subscribe", "of/tomorrow"}) {
        const auto answer = alice_.legacy(method);
        EXPECT_EQ(answer.status, 200) << method;
        EXPECT_EQ(code_of(answer), -32601) << method;
    }
}

TEST_F(Mcp, ModernRequestsSayWhatTheyAreInHeadersToo) {
    const auto list = [&](const Json& meta, const std::vector<std::string>& headers) {
        return alice_.post(alice_.request("tools/list", {{"_meta", meta}}).dump(), headers);
    };
    const auto expect = [](const HttpClient::Response& answer, int code) {
        EXPECT_EQ(answer.status, 400) << answer.body;
        EXPECT_EQ(code_of(answer), code) << answer.body;
        EXPECT_FALSE(answer.json().at("id").is_null());
    };
    const Json meta = McpClient::meta();
    EXPECT_EQ(list(meta, McpClient::headers("tools/list")).status, 200);
    EXPECT_EQ(
        list(meta, {"mcp-protocol-version:   2026-07-28 ", "MCP-METHOD: tools/list  "}).status,
        200);
    expect(list(meta, {"Mcp-Method: tools/list"}), -32020);
    expect(list(meta, {"MCP-Protocol-Version: 2026-07-28"}), -32020);
    expect(list(meta, McpClient::headers("tools/call")), -32020);
    expect(list(meta, McpClient::headers("Tools/List")), -32020);
    expect(list(meta, McpClient::headers("tools/list", "", "2025-11-25")), -32020);
    expect(list(Json::object(), McpClient::headers("tools/list")), -32602);
    expect(list({{kVersionKey, "2026-07-28"}}, McpClient::headers("tools/list")), -32602);
    const auto unknown =
        list(McpClient::meta("v999"), McpClient::headers("tools/list", "", "v999"));
    expect(unknown, -32022);
    EXPECT_EQ(unknown.json().at("error").at("data"),
              (Json{{"supported", {"2026-07-28"}}, {"requested", "v999"}}));
}

TEST_F(Mcp, TheNameStandsInAHeaderMaybeInBase64) {
    const auto read = [&](const std::vector<std::string>& headers) {
        return alice_.post(alice_
                               .request("resources/read", {{"uri", "agentcom://\xC3\xA4"},
                                                           {"_meta", McpClient::meta()}})
                               .dump(),
                           headers);
    };
    EXPECT_EQ(code_of(read(McpClient::headers("resources/read"))), -32020);
    EXPECT_EQ(code_of(read(McpClient::headers("resources/read", "agentcom://a"))), -32020);
    EXPECT_EQ(code_of(read(McpClient::headers("resources/read", "=?base64?!!?="))), -32020);
    const auto found =
        read(McpClient::headers("resources/read", "=?base64?YWdlbnRjb206Ly/DpA==?="));
    EXPECT_EQ(found.status, 200) << found.body;
    EXPECT_EQ(code_of(found), -32602);
}

TEST_F(Mcp, AListHasOnePage) {
    for (const char* method : {"tools/list", "resources/list", "prompts/list"}) {
        EXPECT_EQ(code_of(alice_.modern(method, {{"cursor", "x"}})), -32602) << method;
    }
}

}  // namespace
}  // namespace agentcom::test
