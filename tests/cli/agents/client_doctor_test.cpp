// `agentcom doctor CLIENT`, against a real hub and files in a home of their own.
#include <gtest/gtest.h>

#include <atomic>
#include <sstream>
#include <string>
#include <vector>

#include "cli/support/connect_fixture.hpp"
#include "cli/support/stand_in.hpp"

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
    EXPECT_EQ(lines_with(broken, "FAIL  " + config.string() + " is not valid TOML").size(), 1U)
        << broken;
    EXPECT_NE(broken.find("is stored"), std::string::npos) << broken;
}

TEST_F(ClientDoctor, AFileThatCannotBeUsedIsOneFindingAndTheOthersAreLookedAt) {
    ASSERT_EQ(connect("vscode", {"--scope", "project"}).status, 0);
    const fs::path entry = project() / ".vscode/mcp.json";
    const fs::path hooks = project() / ".github/hooks/agentcom-vscode.json";
    const json whole_entry = json::parse(read(entry));
    const json whole_hooks = json::parse(read(hooks));
    // Only what `connect` would do to it finds this one.
    json odd = whole_entry;
    odd["inputs"] = "none";
    json fewer = whole_hooks;
    fewer["hooks"].erase("PostToolUse");
    write(entry, odd.dump());
    write(hooks, fewer.dump());
    std::string report = run({"doctor", "vscode"}).output;
    EXPECT_EQ(lines_with(report, "FAIL  " + entry.string() + " has a member 'inputs'").size(), 1U)
        << report;
    EXPECT_EQ(lines_with(report, "FAIL  " + hooks.string() + " is not as").size(), 1U) << report;
    EXPECT_EQ(lines_with(report, "FAIL").size(), 2U) << report;
    write(entry, "{");
    write(hooks, whole_hooks.dump());
    report = run({"doctor", "vscode"}).output;
    EXPECT_EQ(lines_with(report, "FAIL").size(), 1U) << report;
    EXPECT_EQ(lines_with(report, "FAIL  " + entry.string() + " is not valid JSON").size(), 1U);
    EXPECT_EQ(lines_with(report, "ok    hook ").size(), 3U) << report;
    fs::remove(entry);
    fs::create_directory(entry);
    write(hooks, "[]");
    report = run({"doctor", "vscode"}).output;
    EXPECT_EQ(lines_with(report, "FAIL  " + entry.string() + " is not a file").size(), 1U)
        << report;
    EXPECT_EQ(lines_with(report, "FAIL  " + hooks.string() + " does not hold").size(), 1U);
    EXPECT_EQ(lines_with(report, "FAIL").size(), 2U) << report;
}

TEST_F(ClientDoctor, AnEntryOfAnotherHubOrOfNoneAndHooksOfNobodyAreFound) {
    ASSERT_EQ(connect("cursor").status, 0);
    const fs::path entry = home() / ".cursor/mcp.json";
    const fs::path hooks = home() / ".cursor/hooks.json";
    json other = json::parse(read(entry));
    other["mcpServers"]["agentcom"]["url"] = "http://127.0.0.1:1/mcp";
    write(entry, other.dump());
    std::string report = run({"doctor", "cursor"}).output;
    EXPECT_EQ(
        lines_with(report, "FAIL  " + entry.string() + " names http://127.0.0.1:1/mcp").size(), 1U)
        << report;
    EXPECT_EQ(lines_with(report, "FAIL").size(), 1U) << report;
    write(entry, "{}");
    write(hooks, R"({"version":1,"hooks":{"stop":[{"command":"say done"}]}})");
    report = run({"doctor", "cursor"}).output;
    EXPECT_EQ(lines_with(report, "FAIL  " + entry.string() + " does not name the hub").size(), 1U)
        << report;
    EXPECT_EQ(lines_with(report, "FAIL  " + hooks.string() + " holds no hooks").size(), 1U);
    EXPECT_EQ(lines_with(report, "FAIL").size(), 2U) << report;
}

TEST_F(ClientDoctor, WhetherHooksAreOffIsSaidByTheFirstOfClaudeCodesFiles) {
    ASSERT_EQ(connect("claude", {"--http"}).status, 0);
    const fs::path user = home() / ".claude/settings.json";
    const fs::path team = project() / ".claude/settings.json";
    const fs::path local = project() / ".claude/settings.local.json";
    const auto found = [this](const fs::path& file) {
        const std::string report = run({"doctor", "claude"}).output;
        return lines_with(report, "FAIL  " + file.string() + " switches all hooks off").size();
    };
    json settings = json::parse(read(user));
    settings["disableAllHooks"] = true;
    write(user, settings.dump());
    EXPECT_EQ(found(user), 1U);
    write(team, R"({"disableAllHooks":false})");
    EXPECT_EQ(run({"doctor", "claude"}).status, 0) << "the project's file comes first";
    write(team, R"({"disableAllHooks":true})");
    EXPECT_EQ(found(team), 1U);
    EXPECT_EQ(found(user), 0U);
    write(local, R"({"disableAllHooks":false})");
    EXPECT_EQ(run({"doctor", "claude"}).status, 0);
    write(local, "{");
    const std::string report = run({"doctor", "claude"}).output;
    EXPECT_EQ(lines_with(report, "FAIL  " + local.string() + " is not valid JSON").size(), 1U);
    EXPECT_EQ(lines_with(report, "FAIL  " + team.string() + " switches").size(), 1U) << report;
}

TEST_F(ClientDoctor, CodexWithoutAHookForTheEndOfATurnIsFound) {
    ASSERT_EQ(connect("codex").status, 0);
    const fs::path hooks = home() / ".codex/hooks.json";
    json fewer = json::parse(read(hooks));
    fewer["hooks"].erase("Stop");
    write(hooks, fewer.dump());
    const std::string report = run({"doctor", "codex"}).output;
    EXPECT_EQ(lines_with(report, "FAIL  " + hooks.string() + " holds no hook for the end").size(),
              1U)
        << report;
}

TEST_F(ClientDoctor, ATokenThatTheHubDoesNotTakeIsFound) {
    ASSERT_EQ(connect("gemini").status, 0);
    HttpClient admin(hub_->port(), hub_->admin_token());
    ASSERT_EQ(admin.request("DELETE", "/admin/tokens/gemini").status, 200);
    const Ran ran = run({"doctor", "gemini"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_EQ(lines_with(ran.output, "FAIL").size(), 1U) << ran.output;
    EXPECT_EQ(lines_with(ran.output, "ok    hook ").size(), 0U) << "no hook is tried without a hub";
}

/// Hooks that are run are replaced by a program that says what the test wants.
class DoctorOfHooks : public ClientDoctor {
protected:
    void SetUp() override {
        ClientDoctor::SetUp();
        ASSERT_EQ(connect("claude").status, 0);
    }
    /// The doctor's line about this hook, when its command does this instead.
    std::string line_about(const std::string& moment, const std::string& script,
                           const std::string& patience = "30000") {
        const fs::path program = home() / "other-agentcom";
        write(program, "#!/bin/sh\n" + script + "\n");
        fs::permissions(program, fs::perms::owner_all);
        const fs::path settings = home() / ".claude/settings.json";
        const std::string whole = read(settings);
        const json all = json::parse(whole).at("hooks");
        json alone;
        for (const auto& [event, groups] : all.items()) {
            for (json hook : groups.at(0).at("hooks")) {
                const std::string command = hook.at("command");
                const std::size_t at = command.find(" hook claude " + moment + " ");
                if (at == std::string::npos) continue;
                hook["command"] = program.string() + command.substr(at);
                alone["hooks"][event][0]["hooks"][0] = hook;
            }
        }
        write(settings, alone.dump());
        const std::string report = run({"doctor", "claude"}, patience).output;
        write(settings, whole);
        for (const std::string& line : lines_with(report, "FAIL  hook " + moment)) return line;
        return report;
    }
};

TEST_F(DoctorOfHooks, OneThatIsTooSlowIsToldFromOneThatIsBroken) {
    const std::string broken = line_about("prompt", "exit 0");
    EXPECT_TRUE(broken.ends_with("ends with status 0 and says ''")) << broken;
    const std::string slow = line_about("prompt", "exit 0", "1");
    EXPECT_TRUE(slow.starts_with("FAIL  hook prompt gave up: it took ")) << slow;
    EXPECT_NE(slow.find(" ms of 1; AGENTCOM_HOOK_TIMEOUT"), std::string::npos) << slow;
    const std::string failed = line_about("tool", "echo no >&2; exit 3", "1");
    EXPECT_TRUE(failed.ends_with("ends with status 3 and says 'no\\n'")) << failed;
}

TEST_F(DoctorOfHooks, WhatAWaiterSaysIsShownOnce) {
    const std::string line = line_about("wait", "echo out of order >&2; exit 1");
    EXPECT_TRUE(line.ends_with("ends with status 1 and says 'out of order\\n'")) << line;
}

TEST_F(DoctorOfHooks, OneThatAnnouncesAMessageTwiceIsFound) {
    EXPECT_EQ(line_about("stop", "echo 'AgentCom: 1 unread message'"),
              "FAIL  hook stop announces the same message again");
}

TEST_F(ClientDoctor, AHubWithoutMcpOrWithOtherAnswersToHooksIsFound) {
    std::atomic<int> answered = 503;
    cli::StandIn hub([&answered](const auto& request, const auto& peer) {
        const auto asks = [&request](const char* path) {
            return request.line.find(path) != std::string::npos;
        };
        const std::string type = "application/json";
        if (asks(" /api/me ")) {
            peer.answer(200, type, R"({"agent_id":"ada","role":"agent"})");
        } else if (asks("/unread ")) {
            peer.answer(200, type,
                        R"({"agent_id":"ada","count":2,"last_seq":2,"epoch":"e","by_sender":[]})");
        } else if (asks(" /api/message ")) {
            peer.answer(200, type, R"({"seq":2})");
        } else if (asks(" /hooks/claude ")) {
            const int status = answered;
            peer.answer(status, type, status == 200 ? "AgentCom: 1 unread message" : "busy");
        } else {
            peer.answer(404, type, "{}");
        }
        return true;
    });
    ASSERT_EQ(run({"connect", "claude", "--http", "--url", hub.url(), "--token-file",
                   (dir_.path() / "admin").string()})
                  .status,
              0);
    std::string report = run({"doctor", "claude"}).output;
    EXPECT_EQ(lines_with(report, "FAIL  " + hub.url() + "/mcp answers 404").size(), 1U) << report;
    EXPECT_EQ(
        lines_with(report, "FAIL  hook stop: " + hub.url() + "/hooks/claude answers 503 'busy'")
            .size(),
        1U)
        << report;
    answered = 200;
    report = run({"doctor", "claude"}).output;
    EXPECT_EQ(lines_with(report, "FAIL  hook stop announces the same message again").size(), 1U)
        << report;
}

TEST_F(ClientDoctor, TheDoctorOfTheStoreIsStillThere) {
    const Ran ran = run({"doctor", "--data-dir", (dir_.path() / "data").string()});
    EXPECT_EQ(ran.status, 0) << ran.errors;
    EXPECT_NE(ran.output.find("sound"), std::string::npos);
}

}  // namespace
}  // namespace agentcom::test
