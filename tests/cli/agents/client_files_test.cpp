#include "cli/agents/client_files.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/agents/json_text.hpp"
#include "cli/agents/toml_text.hpp"

namespace agentcom::cli::agents {
namespace {

const std::string kToken(64, 'a');
// Nothing is read or written there.
const std::filesystem::path kHome = "home";
const std::filesystem::path kProject = "project";

Places test_places() {
    Places places;
    places.home = kHome;
    places.project = kProject;
    places.codex = kHome / ".codex";
    places.copilot = kHome / ".copilot";
    places.config = kHome / ".config";
    return places;
}

Account test_account(const std::string& url = "http://127.0.0.1:4000") {
    return {url, kToken, "ctx", "agentcom"};
}

std::vector<FileChange> files(Dialect dialect, Scope scope,
                              const std::string& url = "http://127.0.0.1:4000") {
    return client_files(dialect, scope, test_places(), test_account(url));
}

std::vector<std::pair<Dialect, Scope>> all_connections() {
    std::vector<std::pair<Dialect, Scope>> all;
    for (const Dialect dialect : kDialects) {
        all.emplace_back(dialect, Scope::user);
        all.emplace_back(dialect, Scope::project);
    }
    return all;
}

std::string label(Dialect dialect, Scope scope, const FileChange& file) {
    return std::string(name_of(dialect)) + (scope == Scope::user ? " user " : " project ") +
           file.path.string();
}

/// What people have in such files.
std::vector<std::string> usual_texts(const FileChange& file) {
    if (file.path.extension() == ".toml") return {"", "# mine\nmodel = \"m\"\n\n[a.b]\nc = 1\n"};
    if (file.path.extension() == ".js") return {""};
    return {"", "{}\n", "{\n  // mine\n  \"theme\": \"dark\",\n}\n",
            R"({
  "version": 1,
  "mcpServers": { "other": { "url": "u" } },
  "hooks": {
    "Stop": [
      { "hooks": [ { "type": "command", "command": "say done" } ] } // mine
    ],
    "stop": [ { "command": "say done" } ]
  }
}
)"};
}

/// A version that the format asks for stays in a file that others use, too.
std::string without_added_version(const FileChange& file, const std::string& before,
                                  const std::string& after) {
    const bool added =
        file.path.extension() == ".json" && json_at(before, {"version"}).is_discarded();
    return added ? json_without(after, {"version"}) : after;
}

TEST(ClientFiles, ConnectingTwiceIsConnectingOnce) {
    for (const auto& [dialect, scope] : all_connections()) {
        for (const FileChange& file : files(dialect, scope)) {
            SCOPED_TRACE(label(dialect, scope, file));
            for (const std::string& text : usual_texts(file)) {
                const std::string once = file.with(text);
                EXPECT_NE(once, text);
                EXPECT_EQ(file.with(once), once);
            }
        }
    }
}

TEST(ClientFiles, DisconnectingLeavesWhatOthersHaveThere) {
    for (const auto& [dialect, scope] : all_connections()) {
        for (const FileChange& file : files(dialect, scope)) {
            SCOPED_TRACE(label(dialect, scope, file));
            for (const std::string& text : usual_texts(file)) {
                EXPECT_EQ(file.without(text), text);
                const std::string left = file.without(file.with(text));
                if (text.empty()) {
                    EXPECT_TRUE(file.is_nothing(left)) << left;
                } else {
                    EXPECT_EQ(file.is_nothing(left), text == "{}\n");
                    EXPECT_EQ(without_added_version(file, text, left), text);
                }
            }
        }
    }
}

TEST(ClientFiles, AnotherHubReplacesTheOneBefore) {
    for (const auto& [dialect, scope] : all_connections()) {
        const auto before = files(dialect, scope, "http://old:1");
        const auto after = files(dialect, scope, "http://new:2");
        for (std::size_t i = 0; i < before.size(); ++i) {
            SCOPED_TRACE(label(dialect, scope, before[i]));
            for (const std::string& text : usual_texts(before[i])) {
                EXPECT_EQ(after[i].with(before[i].with(text)), after[i].with(text));
            }
        }
    }
}

TEST(ClientFiles, TheTokenStandsInFilesOfTheUserOnly) {
    for (const auto& [dialect, scope] : all_connections()) {
        for (const FileChange& file : files(dialect, scope)) {
            const bool holds = file.with("").find(kToken) != std::string::npos;
            EXPECT_EQ(holds, file.secret && file.with("").find("Bearer") != std::string::npos);
            const bool in_project = file.path.string().starts_with(kProject.string());
            EXPECT_FALSE(holds && in_project) << file.path;
        }
    }
}

TEST(ClientFiles, WhatTheDoctorReadsIsWhatConnectWrote) {
    for (const auto& [dialect, scope] : all_connections()) {
        const auto written = files(dialect, scope);
        const auto text_of = [&written = written](const std::filesystem::path& path) {
            const auto file = std::find_if(written.begin(), written.end(),
                                           [&](const auto& each) { return each.path == path; });
            return file == written.end() ? "" : file->with("");
        };
        const auto entry = entry_file(dialect, scope, test_places());
        EXPECT_EQ(installed_url(dialect, scope, test_places(), text_of(entry)),
                  "http://127.0.0.1:4000/mcp");
        const auto hooks =
            installed_hooks(dialect, text_of(hook_file(dialect, scope, test_places())));
        EXPECT_GE(hooks.size(), dialect == Dialect::opencode ? 1U : 3U);
        for (const HookCommand& hook : hooks) {
            EXPECT_EQ(hook.command, "agentcom hook " + std::string(name_of(dialect)) + " " +
                                        std::string(name_of(hook.moment)) + " --context ctx");
        }
    }
}

TEST(ClientFiles, HooksAreFoundWithTheirPlaceAmongOthers) {
    const std::string codex_text = R"({"hooks":{"Stop":[{"hooks":[{"type":"command",)"
                                   R"("command":"say done"},{"command":"say more"}]}]}})";
    const auto codex =
        installed_hooks(Dialect::codex, files(Dialect::codex, Scope::user).back().with(codex_text));
    const auto is_stop = [](const HookCommand& hook) { return hook.moment == Moment::stop; };
    const auto grouped = std::find_if(codex.begin(), codex.end(), is_stop);
    ASSERT_NE(grouped, codex.end());
    EXPECT_EQ(grouped->place, "1:0");
    const auto claude =
        installed_hooks(Dialect::claude, files(Dialect::claude, Scope::user).back().with(""));
    const auto waiter = std::find_if(claude.begin(), claude.end(), [](const HookCommand& hook) {
        return hook.moment == Moment::wait;
    });
    ASSERT_NE(waiter, claude.end());
    EXPECT_EQ(waiter->place, "0:1");
    const auto cursor = installed_hooks(
        Dialect::cursor, files(Dialect::cursor, Scope::user)
                             .back()
                             .with(R"({"version":1,"hooks":{"stop":[{"command":"say done"}]}})"));
    const auto flat = std::find_if(cursor.begin(), cursor.end(), is_stop);
    ASSERT_NE(flat, cursor.end());
    EXPECT_EQ(flat->place, "1");
}

TEST(ClientFiles, APluginOfSomebodyElsesHasNoHooks) {
    const std::string plugin = files(Dialect::opencode, Scope::user).back().with("");
    EXPECT_TRUE(installed_hooks(Dialect::opencode, "// mine\n" + plugin).empty());
    EXPECT_TRUE(installed_hooks(Dialect::opencode, "").empty());
}

TEST(ClientFiles, ClaudeCodeIsWokenByAWaiterBesideTheStopHook) {
    const auto written = files(Dialect::claude, Scope::user);
    ASSERT_EQ(written.size(), 2U);
    EXPECT_EQ(written[0].path, kHome / ".claude.json");
    EXPECT_EQ(written[1].path, kHome / ".claude/settings.json");
    EXPECT_EQ(json_at(written[0].with(""), {"mcpServers", "agentcom"}),
              JsonValue({{"type", "http"},
                         {"url", "http://127.0.0.1:4000/mcp"},
                         {"headers", {{"Authorization", "Bearer " + kToken}}}}));
    const JsonValue stop = json_at(written[1].with(""), {"hooks", "Stop"});
    ASSERT_EQ(stop.size(), 1U);
    ASSERT_EQ(stop[0]["hooks"].size(), 2U);
    EXPECT_EQ(stop[0]["hooks"][1]["command"], "agentcom hook claude wait --context ctx");
    EXPECT_EQ(stop[0]["hooks"][1]["asyncRewake"], true);
    EXPECT_EQ(stop[0]["hooks"][1]["timeout"], 86'400);
    EXPECT_EQ(stop[0]["hooks"][0]["timeout"], 5);
}

/// The file of Claude Code's hooks when they ask the hub themselves.
FileChange http_hooks(Scope scope, const std::string& url = "http://127.0.0.1:4000") {
    Account account = test_account(url);
    account.http = true;
    return client_files(Dialect::claude, scope, test_places(), account)[1];
}

TEST(ClientFiles, ClaudeCodeAsksTheHubItselfWhereThatIsWanted) {
    const FileChange file = http_hooks(Scope::user);
    EXPECT_TRUE(file.secret);
    const JsonValue hooks = json_at(file.with(""), {"hooks"});
    const JsonValue handler = {{"type", "http"},
                               {"url", "http://127.0.0.1:4000/hooks/claude"},
                               {"headers", {{"Authorization", "Bearer " + kToken}}},
                               {"timeout", 5}};
    EXPECT_EQ(hooks, JsonValue({{"UserPromptSubmit", {{{"hooks", {handler}}}}},
                                {"PostToolUse", {{{"matcher", "*"}, {"hooks", {handler}}}}},
                                {"Stop", {{{"hooks", {handler}}}}}}));
    EXPECT_EQ(file.with(file.with("")), file.with(""));
    EXPECT_EQ(http_hooks(Scope::user, "http://new").with(file.with("")),
              http_hooks(Scope::user, "http://new").with(""));
}

TEST(ClientFiles, InAProjectTheHooksThatAskTheHubNameAVariable) {
    const FileChange file = http_hooks(Scope::project);
    EXPECT_FALSE(file.secret);
    EXPECT_EQ(file.with("").find(kToken), std::string::npos);
    const JsonValue handler = json_at(file.with(""), {"hooks", "Stop"})[0]["hooks"][0];
    EXPECT_EQ(handler["headers"]["Authorization"], "Bearer $AGENTCOM_TOKEN");
    EXPECT_EQ(handler["allowedEnvVars"], JsonValue::array({"AGENTCOM_TOKEN"}));
}

TEST(ClientFiles, TheTwoKindsOfHooksTakeEachOthersPlace) {
    const FileChange commands = files(Dialect::claude, Scope::user)[1];
    const FileChange http = http_hooks(Scope::user);
    const std::string others =
        R"({"hooks":{"Stop":[{"hooks":[{"type":"http","url":"http://log/stop"}]}]}})";
    for (const std::string& text : {std::string(), others}) {
        const JsonValue asking = json_at(http.with(text), {});
        const JsonValue running = json_at(commands.with(text), {});
        EXPECT_EQ(json_at(http.with(commands.with(text)), {}), asking);
        EXPECT_EQ(json_at(commands.with(http.with(text)), {}), running);
        // Undoing does not know which there are.
        const std::string left = commands.without(http.with(text));
        EXPECT_TRUE(text.empty() ? commands.is_nothing(left) : left == text) << left;
    }
    const auto found = installed_hooks(Dialect::claude, http.with(others));
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(found[2].moment, Moment::stop);
    EXPECT_EQ(found[2].command, "");
    EXPECT_EQ(found[2].url, "http://127.0.0.1:4000/hooks/claude");
    EXPECT_EQ(found[2].authorization, "Bearer " + kToken);
    EXPECT_EQ(found[2].place, "1:0");
}

TEST(ClientFiles, OneProjectOfClaudeCodesIsKeptAmongTheUsersOwn) {
    const auto written = files(Dialect::claude, Scope::project);
    EXPECT_EQ(written[0].path, kHome / ".claude.json");
    EXPECT_TRUE(
        json_at(written[0].with(""), {"projects", kProject.string(), "mcpServers", "agentcom"})
            .is_object());
    EXPECT_EQ(written[1].path, kProject / ".claude/settings.local.json");
}

TEST(ClientFiles, GeminiCountsMillisecondsAndHasOneFile) {
    const auto written = files(Dialect::gemini, Scope::user);
    ASSERT_EQ(written.size(), 1U);
    const JsonValue text = json_at(written[0].with(""), {});
    EXPECT_EQ(text["hooks"]["AfterAgent"][0]["hooks"][0]["timeout"], 5'000);
    EXPECT_EQ(text["mcpServers"]["agentcom"]["type"], "http");
}

TEST(ClientFiles, VsCodeAsksForTheTokenOfAProject) {
    const auto written = files(Dialect::vscode, Scope::project);
    EXPECT_EQ(written[0].path, kProject / ".vscode/mcp.json");
    const std::string text = written[0].with("");
    EXPECT_EQ(json_at(text, {"servers", "agentcom", "headers", "Authorization"}),
              "Bearer ${input:agentcom-token}");
    EXPECT_EQ(json_at(text, {"inputs"})[0]["id"], "agentcom-token");
    EXPECT_EQ(json_at(text, {"inputs"})[0]["password"], true);
}

TEST(ClientFiles, CodexTakesTheTokenFromAVariableInAProject) {
    const auto user = files(Dialect::codex, Scope::user)[0];
    const auto project = files(Dialect::codex, Scope::project)[0];
    EXPECT_EQ(
        toml_text_at(user.with(""), {"mcp_servers", "agentcom", "http_headers", "Authorization"}),
        "Bearer " + kToken);
    EXPECT_EQ(toml_text_at(project.with(user.with("")),
                           {"mcp_servers", "agentcom", "bearer_token_env_var"}),
              "AGENTCOM_TOKEN");
    EXPECT_EQ(project.with(user.with("")).find(kToken), std::string::npos);
}

TEST(ClientFiles, WhatSaysNothingIsAsGoodAsNoFile) {
    const auto entry = files(Dialect::cursor, Scope::user)[0];
    const auto hooks = files(Dialect::cursor, Scope::user)[1];
    for (const char* text : {"", " \n", "{}", "{\n}\n"})
        EXPECT_TRUE(entry.is_nothing(text)) << text;
    EXPECT_TRUE(hooks.is_nothing("{\"version\": 1}"));
    EXPECT_FALSE(entry.is_nothing("{\"version\": 1}"));
    for (const char* text :
         {"{\"version\": 1, \"a\": 2}", "// mine\n{}", "{ /* mine */ }", "{\"\":1}", "{", "[]"}) {
        EXPECT_FALSE(entry.is_nothing(text)) << text;
        EXPECT_FALSE(hooks.is_nothing(text)) << text;
    }
    const auto codex = files(Dialect::codex, Scope::user)[0];
    EXPECT_TRUE(codex.is_nothing("\n"));
    EXPECT_FALSE(codex.is_nothing("# mine\n"));
}

TEST(ClientFiles, ChangesOfDifferentConnectionsAreToldApart) {
    std::set<std::string> keys;
    std::size_t changes = 0;
    for (const auto& [dialect, scope] : all_connections()) {
        for (const FileChange& file : files(dialect, scope)) {
            keys.insert(file.key);
            ++changes;
            const bool in_users_file = dialect == Dialect::claude && scope == Scope::project &&
                                       file.path.filename() == ".claude.json";
            EXPECT_EQ(file.shared, in_users_file) << label(dialect, scope, file);
        }
    }
    EXPECT_EQ(keys.size(), changes);
    Places at_home = test_places();
    at_home.project = at_home.home;
    EXPECT_TRUE(client_files(Dialect::gemini, Scope::project, at_home, test_account())[0].shared);
    EXPECT_TRUE(client_files(Dialect::cursor, Scope::project, at_home, test_account())[1].shared);
}

TEST(ClientFiles, AHookOfOursAmongOthersIsTakenOutAlone) {
    const std::string mixed =
        R"({"hooks":{"Stop":[{"hooks":[{"type":"command","command":"say x"},)"
        R"({"type":"command","command":"/opt/agentcom hook claude stop"}]}]}})";
    const auto settings = files(Dialect::claude, Scope::user)[1];
    EXPECT_EQ(json_at(settings.without(mixed), {"hooks", "Stop"}),
              JsonValue::parse(R"([{"hooks":[{"type":"command","command":"say x"}]}])"));
    EXPECT_EQ(json_at(settings.with(mixed), {"hooks", "Stop"}).size(), 2U);
}

TEST(ClientFiles, MembersThatTheUserAddedToTheEntryStay) {
    const auto file = files(Dialect::claude, Scope::user)[0];
    const std::string own = json_with(file.with(""), {"mcpServers", "agentcom", "timeout"}, 9);
    EXPECT_EQ(file.with(own), own);
    const auto other = files(Dialect::claude, Scope::user, "http://new")[0];
    EXPECT_EQ(json_at(other.with(own), {"mcpServers", "agentcom", "timeout"}), 9);
}

TEST(ClientFiles, TheOrderInWhichAClientWritesMembersDoesNotMatter) {
    for (const auto& [dialect, scope] : all_connections()) {
        for (const FileChange& file : files(dialect, scope)) {
            if (file.path.extension() != ".json") continue;
            SCOPED_TRACE(label(dialect, scope, file));
            const std::string sorted = nlohmann::json::parse(file.with("")).dump(1);
            EXPECT_EQ(file.with(sorted), sorted);
        }
    }
}

TEST(ClientFiles, MalformedFilesAreRefused) {
    for (const auto& [dialect, scope] : all_connections()) {
        for (const FileChange& file : files(dialect, scope)) {
            if (file.path.extension() == ".js") continue;
            SCOPED_TRACE(label(dialect, scope, file));
            EXPECT_THROW((void)file.with("{\"hooks\": [}"), Malformed);
            EXPECT_THROW((void)file.without("{\"hooks\": [}"), Malformed);
        }
    }
    EXPECT_THROW((void)files(Dialect::claude, Scope::user)[1].with(R"({"hooks":{"Stop":{}}})"),
                 Malformed);
    EXPECT_THROW((void)files(Dialect::claude, Scope::user)[1].with(R"({"hooks":[]})"), Malformed);
}

TEST(ShellWord, IsReadBackAsOneWord) {
    EXPECT_EQ(shell_word("/usr/bin/agentcom"), "/usr/bin/agentcom");
    EXPECT_EQ(shell_word("/my dir/it's"), "'/my dir/it'\\''s'");
    EXPECT_EQ(shell_word(""), "''");
}

}  // namespace
}  // namespace agentcom::cli::agents
