// `agentcom connect` and `agentcom doctor CLIENT`, against a real hub and files in a home of their
// own.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "cli/support/stand_in.hpp"
#include "support/hub_process.hpp"
#include "support/program.hpp"
#include "support/socket_client.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Ran {
    int status = -1;
    std::string output;
    std::string errors;
};

class ConnectCommand : public testing::Test {
protected:
    void SetUp() override {
        fs::create_directories(home());
        hub_ = std::make_unique<HubProcess>(dir_.path() / "data");
        write(dir_.path() / "admin", hub_->admin_token());
    }

    [[nodiscard]] fs::path home() const { return dir_.path() / "home"; }
    [[nodiscard]] std::string url() const {
        return "http://127.0.0.1:" + std::to_string(hub_->port());
    }
    static void write(const fs::path& file, const std::string& text) {
        fs::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary) << text;
    }
    static std::string read(const fs::path& file) {
        std::ifstream stream(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(stream), {}};
    }
    static unsigned mode(const fs::path& file) {
        struct stat status {};
        return ::stat(file.c_str(), &status) == 0 ? status.st_mode & 0777U : 0;
    }

    [[nodiscard]] Ran run(std::vector<std::string> arguments) const {
        Program program(std::move(arguments),
                        {"HOME=" + home().string(), "AGENTCOM_HOOK_TIMEOUT=30000"},
                        Program::Input::written);
        program.end_input();
        const int status = program.wait();
        return {status, program.output(), program.errors()};
    }
    [[nodiscard]] Ran connect(const std::string& client, std::vector<std::string> more = {}) const {
        std::vector<std::string> arguments = {
            "connect", client, "--url", url(), "--token-file", (dir_.path() / "admin").string()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run(std::move(arguments));
    }
    /// Every file below the home but the program's own notes and contexts, with its text.
    [[nodiscard]] std::map<std::string, std::string> client_files() const {
        std::map<std::string, std::string> files;
        for (const auto& entry : fs::recursive_directory_iterator(home())) {
            const std::string name = fs::relative(entry.path(), home()).string();
            if (entry.is_regular_file() && !name.starts_with(".local/") &&
                !name.starts_with(".config/agentcom/")) {
                files[name] = read(entry.path());
            }
        }
        return files;
    }
    [[nodiscard]] json context(const std::string& name) const {
        return json::parse(read(home() / ".config/agentcom/contexts.json")).at("contexts").at(name);
    }
    [[nodiscard]] std::size_t tokens_of(const std::string& agent) const {
        HttpClient client(hub_->port(), hub_->admin_token());
        std::size_t count = 0;
        const json listed = client.get("/admin/tokens").json();
        for (const json& token : listed.at("tokens")) {
            if (token.at("agent_id") == agent) ++count;
        }
        return count;
    }

    TempDir dir_;
    std::unique_ptr<HubProcess> hub_;
};

const std::vector<std::string> kClients = {"claude", "codex",   "gemini",  "cursor",
                                           "vscode", "copilot", "opencode"};

constexpr const char* kSettings = "{\n  // mine\n  \"theme\": \"dark\",\n}\n";

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
    EXPECT_EQ(kept, fs::absolute("hub.pem"));
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

/// The lines of the doctor's report that begin with this word.
std::vector<std::string> lines_with(const std::string& report, const std::string& word) {
    std::vector<std::string> lines;
    std::istringstream stream(report);
    for (std::string line; std::getline(stream, line);) {
        if (line.starts_with(word)) lines.push_back(line);
    }
    return lines;
}

TEST_F(ConnectCommand, TheDoctorSeesEveryHookAnnounceAMessage) {
    for (const std::string& client : kClients) {
        SCOPED_TRACE(client);
        ASSERT_EQ(connect(client).status, 0);
        const std::string report = run({"doctor", client}).output;
        EXPECT_NE(report.find("a message from " + client + " to itself is stored"),
                  std::string::npos)
            << report;
        for (const std::string& line : lines_with(report, "FAIL")) {
            EXPECT_EQ(line.find("hook "), std::string::npos) << line;
        }
        const bool wakes = client == "claude" || client == "opencode";
        EXPECT_EQ(report.find("hook wait wakes") != std::string::npos, wakes) << report;
        // The test message is out of the mailbox again.
        HttpClient reader(hub_->port(), context(client).at("token"));
        EXPECT_EQ(reader.get("/api/mailbox/" + client + "/unread").json().at("count"), 0);
    }
}

TEST_F(ConnectCommand, WithHttpTheHooksAskTheHubAndTheDoctorSeesItAnswer) {
    const fs::path settings = home() / ".claude/settings.json";
    write(settings, kSettings);
    const auto before = client_files();
    const Ran ran = connect("claude", {"--http"});
    ASSERT_EQ(ran.status, 0) << ran.errors;
    const std::string token = context("claude").at("token");
    EXPECT_EQ((ran.output + ran.errors).find(token), std::string::npos);
    EXPECT_EQ(mode(settings), 0600U);
    EXPECT_NE(read(settings).find('"' + url() + "/hooks/claude\""), std::string::npos);
    EXPECT_EQ(read(settings).find("hook claude"), std::string::npos);
    const auto once = client_files();
    EXPECT_EQ(run({"connect", "claude", "--http"}).status, 0);
    EXPECT_EQ(client_files(), once);
    const Ran examined = run({"doctor", "claude"});
    EXPECT_EQ(examined.status, 0) << examined.output;
    for (const char* moment : {"prompt", "tool", "stop"}) {
        EXPECT_NE(examined.output.find("ok    hook " + std::string(moment) + " announces, once"),
                  std::string::npos)
            << examined.output;
    }
    HttpClient reader(hub_->port(), token);
    EXPECT_EQ(reader.get("/api/mailbox/claude/unread").json().at("count"), 0);
    EXPECT_EQ(run({"connect", "claude", "--undo"}).status, 0);
    EXPECT_EQ(client_files(), before);
    EXPECT_EQ(connect("codex", {"--http"}).status, 2);
}

TEST_F(ConnectCommand, TheDoctorSaysWhichHookAsksAnotherHubOrWithAnotherToken) {
    ASSERT_EQ(connect("claude", {"--http"}).status, 0);
    const fs::path settings = home() / ".claude/settings.json";
    json hooks = json::parse(read(settings));
    hooks["hooks"]["Stop"][0]["hooks"][0]["url"] = "http://127.0.0.1:1/hooks/claude";
    hooks["hooks"]["PostToolUse"][0]["hooks"][0]["headers"]["Authorization"] = "Bearer x";
    write(settings, hooks.dump());
    const Ran ran = run({"doctor", "claude"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_EQ(lines_with(ran.output, "FAIL  hook stop asks http://127.0.0.1:1/hooks/claude").size(),
              1U)
        << ran.output;
    EXPECT_EQ(lines_with(ran.output, "FAIL  hook tool does not show the token").size(), 1U);
    EXPECT_EQ(lines_with(ran.output, "ok    hook prompt announces, once").size(), 1U);
}

TEST_F(ConnectCommand, TheDoctorSaysWhatConnectWouldMend) {
    ASSERT_EQ(connect("claude").status, 0);
    const fs::path entry = home() / ".claude.json";
    const fs::path settings = home() / ".claude/settings.json";
    const json whole_entry = json::parse(read(entry));
    const json whole_settings = json::parse(read(settings));
    ASSERT_EQ(run({"doctor", "claude"}).status, 0);
    const auto complains = [&](const fs::path& file, const json& text, const std::string& of) {
        write(entry, whole_entry.dump());
        write(settings, whole_settings.dump());
        write(file, text.dump());
        const Ran ran = run({"doctor", "claude"});
        EXPECT_EQ(ran.status, 1);
        EXPECT_EQ(lines_with(ran.output, "FAIL  " + file.string() + of).size(), 1U) << ran.output;
    };
    const std::string differs = " is not as `agentcom connect claude` leaves it";
    json other = whole_entry;
    other["mcpServers"]["agentcom"]["headers"]["Authorization"] = "Bearer " + std::string(64, '0');
    complains(entry, other, differs);
    other = whole_entry;
    json& headers = other["mcpServers"]["agentcom"]["headers"];
    headers = {{"X", headers["Authorization"]}};
    complains(entry, other, differs);
    other = whole_settings;
    other["hooks"]["Stopp"] = other["hooks"]["Stop"];
    other["hooks"].erase("Stop");
    complains(settings, other, differs);
    other = whole_settings;
    other["disableAllHooks"] = true;
    complains(settings, other, " switches all hooks off");
}

TEST_F(ConnectCommand, TheDoctorLeavesOtherMailUnread) {
    ASSERT_EQ(connect("claude").status, 0);
    HttpClient bob(hub_->port(), hub_->create_token("bob"));
    bob.post("/api/message", {{"to", "claude"}, {"payload", {{"text", "hello"}}}});
    const std::string report = run({"doctor", "claude"}).output;
    EXPECT_EQ(lines_with(report, "note").size(), 1U) << report;
    HttpClient reader(hub_->port(), context("claude").at("token"));
    EXPECT_EQ(reader.get("/api/mailbox/claude/unread").json().at("count"), 2);
}

TEST_F(ConnectCommand, TheDoctorSaysWhatIsBroken) {
    EXPECT_NE(run({"doctor", "claude"}).errors.find("claude is not connected"), std::string::npos);
    ASSERT_EQ(connect("claude").status, 0);
    const fs::path settings = home() / ".claude/settings.json";
    std::string text = read(settings);
    const std::string broken = "hook claude prompt --context nobody";
    const std::string whole = "hook claude prompt --context claude";
    text.replace(text.find(whole), whole.size(), broken);
    write(settings, text);
    const Ran ran = run({"doctor", "claude"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_NE(ran.output.find("FAIL  hook prompt: "), std::string::npos) << ran.output;
    hub_->kill();
    EXPECT_NE(run({"doctor", "claude"}).output.find("FAIL  cannot reach"), std::string::npos);
}

TEST_F(ConnectCommand, TheDoctorFindsTheTrustOfAHookBehindThoseOfOthers) {
    const fs::path hooks = home() / ".codex/hooks.json";
    write(hooks, R"({"hooks":{"Stop":[{"hooks":[{"type":"command","command":"true"}]}]}})");
    ASSERT_EQ(connect("codex").status, 0);
    const fs::path config = home() / ".codex/config.toml";
    const std::string connected = read(config);
    const auto trust = [&](const std::string& place) {
        write(config, connected + "\n[hooks.state.\"" + hooks.string() + ":stop:" + place +
                          "\"]\ntrusted_hash = \"sha256:00\"\n");
        return run({"doctor", "codex"}).output;
    };
    EXPECT_NE(trust("0:0").find("FAIL  codex has not been told to trust"), std::string::npos);
    const std::string report = trust("1:0");
    EXPECT_NE(report.find("ok    codex trusts the hook"), std::string::npos) << report;
    // A file that nobody can read is a fault among others, and the doctor goes on.
    write(config, "[hooks");
    const std::string broken = run({"doctor", "codex"}).output;
    EXPECT_EQ(lines_with(broken, "FAIL  " + config.string() + " is not valid TOML").size(), 2U)
        << broken;
    EXPECT_NE(broken.find("is stored"), std::string::npos) << broken;
}

TEST_F(ConnectCommand, TheDoctorOfTheStoreIsStillThere) {
    const Ran ran = run({"doctor", "--data-dir", (dir_.path() / "data").string()});
    EXPECT_EQ(ran.status, 0) << ran.errors;
    EXPECT_NE(ran.output.find("sound"), std::string::npos);
}

}  // namespace
}  // namespace agentcom::test
