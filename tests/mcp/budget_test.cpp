// What the list of tools costs a model, and what is in it.

#include <algorithm>
#include <set>
#include <string>

#include "mcp/mcp_fixture.hpp"
#include "mcp/tools.hpp"

namespace agentcom::test {
namespace {

/// Bytes of English and JSON in a token, about.
constexpr double kBytesOfToken = 3.5;

std::vector<std::string> names_of(const Json& tools) {
    std::vector<std::string> names;
    for (const Json& tool : tools) names.push_back(tool.at("name"));
    return names;
}

TEST_F(Mcp, TheCoreToolsAreFewAndShort) {
    const Json tools = alice_.modern("tools/list").json().at("result").at("tools");
    const std::string instructions =
        alice_.modern("server/discover").json().at("result").at("instructions");
    EXPECT_LE(tools.size(), 8U);
    EXPECT_LT(static_cast<double>(tools.dump().size() + instructions.size()) / kBytesOfToken,
              2'000);
    EXPECT_EQ(names_of(tools),
              (std::vector<std::string>{"check_inbox", "read_message", "ack", "send_message",
                                        "publish", "list_agents", "read_thread", "set_status"}));
}

TEST_F(Mcp, TheFullProfileAddsToThem) {
    McpClient full(hub_.port(), alice_token_, "/mcp?profile=full");
    const Json core = alice_.modern("tools/list").json().at("result").at("tools");
    const Json all = full.modern("tools/list").json().at("result").at("tools");
    const auto names = names_of(all);
    EXPECT_EQ(std::vector<std::string>(names.begin() + 8, names.end()),
              (std::vector<std::string>{"wait_for_message", "history", "list_channels",
                                        "create_channel", "subscribe", "unsubscribe"}));
    for (std::size_t i = 0; i < core.size(); ++i) EXPECT_EQ(core[i], all[i]);
}

TEST_F(Mcp, EveryToolSaysWhatItTakesAndWhetherItChangesAnything) {
    McpClient full(hub_.port(), alice_token_, "/mcp?profile=full");
    std::set<std::string> loaded;
    const Json tools = full.modern("tools/list").json().at("result").at("tools");
    for (const Json& tool : tools) {
        const std::string name = tool.at("name");
        const Json& schema = tool.at("inputSchema");
        EXPECT_EQ(schema.at("type"), "object") << name;
        EXPECT_EQ(schema.at("additionalProperties"), false) << name;
        for (const Json& required : schema.value("required", Json::array())) {
            EXPECT_TRUE(schema.at("properties").contains(required)) << name;
        }
        EXPECT_TRUE(tool.at("annotations").at("readOnlyHint").is_boolean()) << name;
        EXPECT_EQ(tool.at("annotations").at("openWorldHint"), false) << name;
        EXPECT_FALSE(tool.at("description").get<std::string>().empty()) << name;
        if (tool.contains("_meta")) {
            EXPECT_EQ(tool.at("_meta").at("anthropic/alwaysLoad"), true);
            loaded.insert(name);
        }
    }
    EXPECT_EQ(loaded, (std::set<std::string>{"check_inbox", "send_message"}));
}

TEST(McpTools, ArgumentsThatAreFieldsOfOperationsHaveTheirKindAndBounds) {
    std::size_t seen = 0;
    for (const mcp::Tool& tool : mcp::tools()) {
        for (const mcp::ArgumentSpec& argument : tool.arguments) {
            if (!argument.field_of) continue;
            const protocol::FieldSpec* field = mcp::field_of(argument);
            ASSERT_NE(field, nullptr) << tool.name << ", " << argument.name;
            const bool number = field->type == protocol::FieldType::integer;
            EXPECT_EQ(argument.type == mcp::ArgumentType::integer, number) << argument.name;
            EXPECT_TRUE(argument.required || !field->required) << argument.name;
            ++seen;
        }
    }
    EXPECT_GE(seen, 10U);
}

TEST_F(Mcp, TextsAreAsLongAsTheFieldsTheyBecome) {
    const Json tools = alice_.modern("tools/list").json().at("result").at("tools");
    const auto tool = std::ranges::find(
        tools, "send_message", [](const Json& each) { return each.at("name").get<std::string>(); });
    const Json& properties = tool->at("inputSchema").at("properties");
    for (const char* name : {"to", "type", "reply_to", "idempotency_key"}) {
        EXPECT_EQ(properties.at(name).at("maxLength"), 128) << name;
    }
    EXPECT_FALSE(properties.at("text").contains("maxLength"));
    const Json refused = alice_.call(
        "send_message", {{"to", "bob"}, {"text", "x"}, {"type", std::string(129, 'x')}});
    EXPECT_EQ(refused.at("isError"), true) << refused.dump();
}

TEST_F(Mcp, TheListMayBeKeptByItsOwner) {
    const Json result = alice_.modern("tools/list").json().at("result");
    EXPECT_EQ(result.at("cacheScope"), "private");
    EXPECT_GT(result.at("ttlMs"), 0);
    EXPECT_FALSE(alice_.legacy("tools/list").json().at("result").contains("ttlMs"));
}

}  // namespace
}  // namespace agentcom::test
