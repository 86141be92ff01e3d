#include "cli/agents/toml_text.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "agentcom/core/toml.hpp"

namespace agentcom::cli::agents {
namespace {

TomlTable hub_table(const std::string& url = "http://h/mcp") {
    return {"mcp_servers",
            "agentcom",
            {{"url", core::quote_toml(url)}, {"http_headers", "{ Authorization = \"Bearer t\" }"}}};
}

constexpr const char* kConfig = R"(# mine
model = "gpt" # the best

[mcp_servers.other]
command = "x"   # spaces stay
args = [
  "[not.a.heading]", # really
]
text = """
[mcp_servers.agentcom]
"""

# about projects
[projects."/p"]
trust_level = "trusted"
)";

TEST(TomlText, TheTableIsAddedAtTheEndAndNothingElseChanges) {
    const std::string text = toml_with(kConfig, hub_table());
    EXPECT_EQ(text, std::string(kConfig) +
                        "\n[mcp_servers.agentcom]\nurl = \"http://h/mcp\"\n"
                        "http_headers = { Authorization = \"Bearer t\" }\n");
    EXPECT_EQ(toml_text_at(kConfig, {"mcp_servers", "agentcom", "url"}), std::nullopt);
    EXPECT_EQ(toml_text_at(text, {"mcp_servers", "agentcom", "url"}), "http://h/mcp");
}

TEST(TomlText, TakingAwayWhatWasAddedGivesTheTextBack) {
    for (const std::string text : {kConfig, "", "a = 1\n", "[a]\nb = 1\n\n# end\n"}) {
        EXPECT_EQ(toml_without(toml_with(text, hub_table()), hub_table()), text);
        EXPECT_EQ(toml_without(text, hub_table()), text);
    }
}

TEST(TomlText, AddingTwiceIsAddingOnce) {
    const std::string once = toml_with(kConfig, hub_table());
    EXPECT_EQ(toml_with(once, hub_table()), once);
}

TEST(TomlText, OnlyTheKeysOfOursAreRenewed) {
    const std::string text = R"([mcp_servers.agentcom] # the hub
url = "http://old/mcp"
# wait longer
startup_timeout_sec = 20
bearer_token_env_var = "X"

# about b
[b]
c = 1
)";
    EXPECT_EQ(toml_with(text, hub_table(), {"bearer_token_env_var"}),
              R"([mcp_servers.agentcom] # the hub
url = "http://h/mcp"
http_headers = { Authorization = "Bearer t" }
# wait longer
startup_timeout_sec = 20

# about b
[b]
c = 1
)");
}

TEST(TomlText, WhatIsBelowTheTableGoesWithIt) {
    const std::string text = toml_with("a = 1\n", hub_table()) +
                             "\n[mcp_servers.agentcom.tools.send_message]\napproval = \"ask\"\n"
                             "\n# the other\n[mcp_servers.other]\nurl = \"u\"\n";
    EXPECT_EQ(toml_without(text, hub_table()),
              "a = 1\n\n# the other\n[mcp_servers.other]\nurl = \"u\"\n");
}

TEST(TomlText, WhatIsNotTomlIsRefusedWithTheLine) {
    for (const std::string text : {"a = 1\nb =\n", "a = 1\n[x\n", "a = 1\na = 2\n"}) {
        try {
            (void)toml_with(text, hub_table());
            ADD_FAILURE() << text;
        } catch (const Malformed& error) {
            EXPECT_NE(std::string(error.what()).find("line 2"), std::string::npos) << error.what();
        }
        EXPECT_THROW((void)toml_without(text, hub_table()), Malformed);
    }
}

TEST(TomlText, APlaceThatIsWrittenInAnotherWayIsLeftAlone) {
    for (const std::string text :
         {"mcp_servers = { other = { url = \"u\" } }\n", "mcp_servers = 1\n",
          "[mcp_servers]\nagentcom = { url = \"u\" }\n", "mcp_servers.agentcom.url = \"u\"\n",
          "[mcp_servers]\nagentcom.url = \"u\"\n"}) {
        EXPECT_THROW((void)toml_with(text, hub_table()), Malformed) << text;
    }
}

TEST(TomlText, QuotesWhatMustBeQuoted) {
    const std::string odd = "a\"b\\c\nd\x7f";
    EXPECT_EQ(toml_text_at("v = " + core::quote_toml(odd), {"v"}), odd);
}

}  // namespace
}  // namespace agentcom::cli::agents
