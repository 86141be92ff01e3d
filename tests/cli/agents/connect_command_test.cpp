// `agentcom connect`, against a real hub and files in a home of their own.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "cli/support/connect_fixture.hpp"
#include "cli/support/stand_in.hpp"

namespace agentcom::test {
namespace {

class ConnectCommand : public ClientOfHub {};

TEST_F(ConnectCommand, GivesEveryClientItsFilesAndTakesThemAway) {
    for (const std::string& client : kClients) {
        SCOPED_TRACE(client);
        const auto before = client_files();
        const Ran ran = connect(client);
        EXPECT_EQ(ran.status, 0) << ran.errors;
        EXPECT_NE(client_files(), before);
        EXPECT_EQ(ran.output.find(context(client).at("token").get<std::string>()),
                  std::string::npos);
        EXPECT_EQ(run({"connect", client, "--undo"}).status, 0);
        EXPECT_EQ(client_files(), before);
    }
}

TEST_F(ConnectCommand, ASecondTimeChangesNothingAndMakesNoToken) {
    for (const std::string& client : kClients) {
        SCOPED_TRACE(client);
        ASSERT_EQ(connect(client).status, 0);
        const auto once = client_files();
        const Ran again = connect(client);
        EXPECT_EQ(again.status, 0) << again.errors;
        EXPECT_EQ(again.output.find("\n+"), std::string::npos) << again.output;
        // And without any token: the one it has is still good.
        EXPECT_EQ(run({"connect", client}).status, 0);
        EXPECT_EQ(client_files(), once);
        EXPECT_EQ(tokens_of(client), 1U);
    }
}

TEST_F(ConnectCommand, UndoGivesTheBytesAndTheModeBack) {
    const fs::path settings = home() / ".claude/settings.json";
    write(settings, kSettings);
    write(home() / ".claude.json", "{\"numStartups\": 3, \"mcpServers\": {}}");
    fs::permissions(home() / ".claude.json", fs::perms(0644));
    const auto before = client_files();
    ASSERT_EQ(connect("claude").status, 0);
    EXPECT_EQ(mode(home() / ".claude.json"), 0600U);
    EXPECT_EQ(read(home() / ".claude/settings.json.agentcom-backup"), kSettings);
    ASSERT_EQ(connect("claude", {"--name", "ada"}).status, 0);
    ASSERT_EQ(run({"connect", "claude", "--undo"}).status, 0);
    EXPECT_EQ(client_files(), before);
    EXPECT_EQ(mode(home() / ".claude.json"), 0644U);
}

TEST_F(ConnectCommand, UndoBringsBackAnEntryOfTheUsersOwn) {
    write(home() / ".claude.json",
          R"({"mcpServers":{"agentcom":{"type":"http","url":"http://mine:1/mcp",)"
          R"("headers":{"X":"keep"}}},"z":1})");
    write(home() / ".codex/config.toml",
          "[mcp_servers.agentcom]\nurl = \"http://mine:1/mcp\"\n\n"
          "[mcp_servers.agentcom.tools]\nz = 1\n");
    const auto before = client_files();
    for (const char* client : {"claude", "codex"}) {
        ASSERT_EQ(connect(client).status, 0);
        ASSERT_EQ(connect(client, {"--name", "ada"}).status, 0);
        EXPECT_EQ(run({"doctor", client}).output.find("mine"), std::string::npos);
        ASSERT_EQ(run({"connect", client, "--undo"}).status, 0);
    }
    EXPECT_EQ(client_files(), before);
    // When the file was changed since, the copy is where it still stands.
    ASSERT_EQ(connect("claude").status, 0);
    write(home() / ".claude.json", read(home() / ".claude.json") + "\n");
    ASSERT_EQ(run({"connect", "claude", "--undo"}).status, 0);
    EXPECT_EQ(read(home() / ".claude.json.agentcom-backup"), before.at(".claude.json"));
}

TEST_F(ConnectCommand, UndoLeavesWhatWasEmptyAndLinksThatLeadNowhere) {
    write(home() / ".claude.json", "");
    fs::create_directories(home() / ".claude");
    fs::create_symlink("../dotfiles/settings.json", home() / ".claude/settings.json");
    ASSERT_EQ(connect("claude").status, 0);
    EXPECT_TRUE(fs::is_symlink(home() / ".claude/settings.json"));
    EXPECT_NE(read(home() / "dotfiles/settings.json").find("hook claude stop"), std::string::npos);
    ASSERT_EQ(run({"connect", "claude", "--undo"}).status, 0);
    EXPECT_TRUE(fs::exists(home() / ".claude.json"));
    EXPECT_EQ(read(home() / ".claude.json"), "");
    EXPECT_TRUE(fs::is_symlink(home() / ".claude/settings.json"));
    EXPECT_FALSE(fs::exists(home() / "dotfiles/settings.json"));
    const Ran again = run({"connect", "claude", "--undo"});
    EXPECT_TRUE(again.output.ends_with("claude was not connected here.\n")) << again.output;
}

TEST_F(ConnectCommand, WhatIsNoFileIsNamed) {
    fs::create_directories(home());
    ASSERT_EQ(::mkfifo((home() / ".claude.json").c_str(), 0600), 0);
    const Ran ran = connect("claude");
    EXPECT_NE(ran.status, 0);
    EXPECT_NE(ran.errors.find(".claude.json is not a file that could be changed"),
              std::string::npos);
}

TEST_F(ConnectCommand, AFileKeepsItsModeAndThoseBesideItAreLeftAlone) {
    const fs::path settings = home() / ".claude/settings.json";
    write(settings, kSettings);
    fs::permissions(settings, fs::perms(0664));
    write(home() / ".claude/settings.json.new", "mine");
    ASSERT_EQ(connect("claude").status, 0);
    EXPECT_EQ(mode(settings), 0664U);
    EXPECT_EQ(mode(home() / ".claude/settings.json.agentcom-backup"), 0600U);
    EXPECT_EQ(read(home() / ".claude/settings.json.new"), "mine");
    EXPECT_FALSE(fs::exists(home() / ".claude/settings.json.agentcom-new"));
}

TEST_F(ConnectCommand, UndoLeavesWhatWasWrittenSince) {
    const fs::path settings = home() / ".gemini/settings.json";
    write(settings, kSettings);
    ASSERT_EQ(connect("gemini").status, 0);
    std::string text = read(settings);
    text.replace(text.find("dark"), 4, "light");
    write(settings, text);
    ASSERT_EQ(run({"connect", "gemini", "--undo"}).status, 0);
    EXPECT_EQ(read(settings), "{\n  // mine\n  \"theme\": \"light\",\n}\n");
}

TEST_F(ConnectCommand, ADryRunShowsAllAndWritesNothing) {
    write(home() / ".codex/config.toml", "model = \"m\" # best\n");
    const auto before = client_files();
    const Ran ran = connect("codex", {"--dry-run"});
    EXPECT_EQ(ran.status, 0) << ran.errors;
    EXPECT_NE(ran.output.find("+[mcp_servers.agentcom]"), std::string::npos);
    EXPECT_NE(ran.output.find("Bearer TOKEN"), std::string::npos);
    EXPECT_EQ(client_files(), before);
    EXPECT_EQ(tokens_of("codex"), 0U);
    EXPECT_FALSE(fs::exists(home() / ".config/agentcom/contexts.json"));
}

TEST_F(ConnectCommand, AMalformedFileIsNamedAndNothingIsWritten) {
    write(home() / ".cursor/hooks.json", "{\n  \"version\": 1\n  \"hooks\": {}\n}");
    const auto before = client_files();
    const Ran ran = connect("cursor");
    EXPECT_EQ(ran.status, 1);
    EXPECT_NE(ran.errors.find("hooks.json is not valid JSON: a comma is missing in line 3; it was "
                              "left as it is"),
              std::string::npos)
        << ran.errors;
    EXPECT_EQ(client_files(), before);
    EXPECT_EQ(tokens_of("cursor"), 0U) << "a token that nobody has";
}

TEST_F(ConnectCommand, WhereNothingCanBeWrittenTheHubMakesNoToken) {
    for (const char* obstacle : {".copilot", ".local/state", ".config/agentcom"}) {
        write(home() / obstacle, "no directory");
        const auto before = client_files();
        const Ran ran = connect("copilot");
        EXPECT_EQ(ran.status, 1);
        EXPECT_NE(ran.errors.find("nothing can be written into"), std::string::npos) << ran.errors;
        EXPECT_EQ(client_files(), before);
        EXPECT_EQ(tokens_of("copilot"), 0U) << obstacle;
        fs::remove(home() / obstacle);
    }
    EXPECT_EQ(connect("copilot").status, 0);
}

TEST_F(ConnectCommand, AProjectAndTheUserAreConnectedAndUndoneEachForItself) {
    ASSERT_EQ(connect("claude").status, 0);
    const auto user = client_files();
    ASSERT_EQ(connect("claude", {"--scope", "project", "--name", "ada"}).status, 0);
    // The user's goes first, and the project's stays.
    ASSERT_EQ(run({"connect", "claude", "--undo"}).status, 0);
    const json left = json::parse(read(home() / ".claude.json"));
    EXPECT_FALSE(left.contains("mcpServers")) << left;
    EXPECT_EQ(left.at("projects").size(), 1U);
    EXPECT_NE(run({"doctor", "claude"}).output.find("it is ada's"), std::string::npos);
    ASSERT_EQ(connect("claude").status, 0);
    ASSERT_EQ(run({"connect", "claude", "--scope", "project", "--undo"}).status, 0);
    EXPECT_EQ(json::parse(read(home() / ".claude.json")).at("mcpServers").size(), 1U);
    ASSERT_EQ(run({"connect", "claude", "--undo"}).status, 0);
    EXPECT_EQ(client_files(), (std::map<std::string, std::string>{}));
}

TEST_F(ConnectCommand, ALinkStaysALink) {
    write(home() / "dotfiles/claude.json", kSettings);
    fs::create_directories(home() / ".claude");
    fs::create_symlink(home() / "dotfiles/claude.json", home() / ".claude/settings.json");
    ASSERT_EQ(connect("claude").status, 0);
    EXPECT_TRUE(fs::is_symlink(home() / ".claude/settings.json"));
    EXPECT_NE(read(home() / "dotfiles/claude.json").find("hook claude stop"), std::string::npos);
}

TEST_F(ConnectCommand, TheFileWithCommentsIsTheOneThatOpenCodeHas) {
    const fs::path file = home() / ".config/opencode/opencode.jsonc";
    write(file, kSettings);
    ASSERT_EQ(connect("opencode").status, 0);
    EXPECT_NE(read(file).find("\"agentcom\""), std::string::npos);
    EXPECT_FALSE(fs::exists(home() / ".config/opencode/opencode.json"));
    ASSERT_EQ(run({"connect", "opencode", "--undo"}).status, 0);
    EXPECT_EQ(read(file), kSettings);
}

TEST_F(ConnectCommand, AnAgentsTokenIsUsedAsItIs) {
    write(dir_.path() / "ada", hub_->create_token("ada"));
    const std::vector<std::string> with_ada = {"--url", url(), "--token-file",
                                               (dir_.path() / "ada").string()};
    std::vector<std::string> arguments = {"connect", "claude"};
    arguments.insert(arguments.end(), with_ada.begin(), with_ada.end());
    EXPECT_EQ(run(arguments).status, 0);
    EXPECT_EQ(context("claude").at("agent"), "ada");
    EXPECT_EQ(tokens_of("ada"), 1U);
    arguments.insert(arguments.end(), {"--name", "eve"});
    const Ran refused = run(arguments);
    EXPECT_EQ(refused.status, 1);
    EXPECT_NE(refused.errors.find("the token belongs to ada, not to eve"), std::string::npos);
}

TEST_F(ConnectCommand, WithoutATokenItSaysWhereOneIs) {
    const Ran ran = run({"connect", "claude", "--url", url()});
    EXPECT_EQ(ran.status, 6);
    EXPECT_NE(ran.errors.find("there is no token"), std::string::npos) << ran.errors;
    EXPECT_NE(ran.errors.find("--token-file"), std::string::npos);
    const Ran unknown = run({"connect", "emacs"});
    EXPECT_EQ(unknown.status, 2);
    EXPECT_NE(unknown.errors.find("opencode"), std::string::npos) << unknown.errors;
    EXPECT_EQ(run({"connect", "claude", "--scope", "planet"}).status, 2);
}

TEST_F(ConnectCommand, AContextOfTheUsersOwnStaysAsItIs) {
    const std::string bob = hub_->create_token("bob");
    write(dir_.path() / "bob", bob);
    ASSERT_EQ(run({"context", "add", "claude", "--url", url(), "--token-file",
                   (dir_.path() / "bob").string()})
                  .status,
              0);
    const json mine = context("claude");
    const auto before = client_files();
    for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"--dry-run"}}) {
        const Ran refused = connect("claude", more);
        EXPECT_EQ(refused.status, 1);
        EXPECT_NE(refused.errors.find("context remove claude"), std::string::npos)
            << refused.errors;
    }
    EXPECT_EQ(client_files(), before);
    EXPECT_EQ(tokens_of("claude"), 0U);
    // What it says may be used, and it outlives the connection.
    const Ran used = run({"connect", "claude"});
    EXPECT_EQ(used.status, 0) << used.errors;
    EXPECT_NE(read(home() / ".claude.json").find("Bearer " + bob), std::string::npos);
    EXPECT_EQ(run({"connect", "claude", "--undo"}).status, 0);
    EXPECT_EQ(client_files(), before);
    EXPECT_EQ(context("claude"), mine);
}

TEST_F(ConnectCommand, AnAdministratorsTokenGoesIntoNoFileOfAClient) {
    const std::string admin = (dir_.path() / "admin").string();
    ASSERT_EQ(run({"context", "add", "claude", "--url", url(), "--token-file", admin}).status, 0);
    const auto before = client_files();
    const Ran ran = run({"connect", "claude"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_NE(ran.errors.find("the token of the context claude is an administrator's"),
              std::string::npos)
        << ran.errors;
    EXPECT_EQ(client_files(), before);
}

TEST_F(ConnectCommand, AUrlWithASlashAtItsEndIsTheSameHub) {
    const std::string admin = (dir_.path() / "admin").string();
    const Ran ran = run({"connect", "claude", "--url", url() + "/", "--token-file", admin});
    ASSERT_EQ(ran.status, 0) << ran.errors;
    EXPECT_NE(read(home() / ".claude.json").find('"' + url() + "/mcp\""), std::string::npos);
    const auto once = client_files();
    EXPECT_EQ(run({"connect", "claude", "--url", url() + "/"}).status, 0);
    EXPECT_EQ(connect("claude").status, 0);
    EXPECT_EQ(client_files(), once);
    EXPECT_EQ(tokens_of("claude"), 1U);
    EXPECT_NE(run({"doctor", "claude"}).output.find(" names " + url() + "/mcp\n"),
              std::string::npos);
}

TEST_F(ConnectCommand, HooksFindTheFileOfCertificatesFromEveryDirectory) {
    const Ran ran = connect("claude", {"--ca-file", "hub.pem"});
    ASSERT_EQ(ran.status, 0) << ran.errors;
    const fs::path kept = context("claude").at("ca_file").get<std::string>();
    EXPECT_EQ(kept, project() / "hub.pem");
    EXPECT_NE(ran.output.find("NODE_EXTRA_CA_CERTS=" + kept.string()), std::string::npos);
}

TEST_F(ConnectCommand, TheStatusSaysWhatWentWrongAsWithOtherCommands) {
    const std::string admin = (dir_.path() / "admin").string();
    const Ran away =
        run({"connect", "claude", "--url", "http://127.0.0.1:1", "--token-file", admin});
    EXPECT_EQ(away.status, 5);
    EXPECT_NE(away.errors.find("say where the hub is"), std::string::npos) << away.errors;
    write(dir_.path() / "stale", std::string(64, '0'));
    const Ran refused = run(
        {"connect", "claude", "--url", url(), "--token-file", (dir_.path() / "stale").string()});
    EXPECT_EQ(refused.status, 6);
    EXPECT_NE(refused.errors.find("does not accept the token"), std::string::npos);
}

TEST_F(ConnectCommand, WhatAHubSaysDoesNothingToTheTerminal) {
    cli::StandIn hub([](const auto&, const auto& peer) {
        peer.answer(200, "application/json",
                    R"({"agent_id":"\u001b]0;title\u0007","role":"agent"})");
        return true;
    });
    const std::string admin = (dir_.path() / "admin").string();
    const Ran connected = run({"connect", "claude", "--url", hub.url(), "--token-file", admin});
    EXPECT_EQ(connected.status, 0) << connected.errors;
    EXPECT_NE(connected.output.find("claude is \\x1b]0;title"), std::string::npos)
        << connected.output;
    const Ran examined = run({"doctor", "claude"});
    EXPECT_NE(examined.output.find("it is \\x1b]0;title"), std::string::npos) << examined.output;
    for (const Ran& ran : {connected, examined}) {
        EXPECT_EQ((ran.output + ran.errors).find('\x1b'), std::string::npos);
    }
    // What it then answers is no mailbox's, and the doctor goes no further.
    EXPECT_EQ(examined.status, 5) << examined.errors;
}

}  // namespace
}  // namespace agentcom::test
