// `agentcom doctor CLIENT`, against a real hub and files in a home of their own.
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "cli/support/connect_fixture.hpp"

namespace agentcom::test {
namespace {

class ClientDoctor : public ClientOfHub {};

/// The lines of the doctor's report that begin with this word.
std::vector<std::string> lines_with(const std::string& report, const std::string& word) {
    std::vector<std::string> lines;
    std::istringstream stream(report);
    for (std::string line; std::getline(stream, line);) {
        if (line.starts_with(word)) lines.push_back(line);
    }
    return lines;
}

TEST_F(ClientDoctor, TheDoctorSeesEveryHookAnnounceAMessage) {
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

TEST_F(ClientDoctor, WithHttpTheHooksAskTheHubAndTheDoctorSeesItAnswer) {
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

TEST_F(ClientDoctor, TheDoctorSaysWhichHookAsksAnotherHubOrWithAnotherToken) {
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

TEST_F(ClientDoctor, TheDoctorSaysWhatConnectWouldMend) {
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

TEST_F(ClientDoctor, TheDoctorLeavesOtherMailUnread) {
    ASSERT_EQ(connect("claude").status, 0);
    HttpClient bob(hub_->port(), hub_->create_token("bob"));
    bob.post("/api/message", {{"to", "claude"}, {"payload", {{"text", "hello"}}}});
    const std::string report = run({"doctor", "claude"}).output;
    EXPECT_EQ(lines_with(report, "note").size(), 1U) << report;
    HttpClient reader(hub_->port(), context("claude").at("token"));
    EXPECT_EQ(reader.get("/api/mailbox/claude/unread").json().at("count"), 2);
}

TEST_F(ClientDoctor, TheDoctorSaysWhatIsBroken) {
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

TEST_F(ClientDoctor, TheDoctorFindsTheTrustOfAHookBehindThoseOfOthers) {
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

TEST_F(ClientDoctor, TheDoctorOfTheStoreIsStillThere) {
    const Ran ran = run({"doctor", "--data-dir", (dir_.path() / "data").string()});
    EXPECT_EQ(ran.status, 0) << ran.errors;
    EXPECT_NE(ran.output.find("sound"), std::string::npos);
}

}  // namespace
}  // namespace agentcom::test
