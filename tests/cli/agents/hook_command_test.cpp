// `agentcom hook` as clients run it, against a real hub.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "support/hub_process.hpp"
#include "support/program.hpp"
#include "support/socket_client.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Said {
    int status = -1;
    std::string output;
    std::string errors;
};

/// A hub, alice with a session, and bob who writes to her.
class HookCommand : public testing::Test {
protected:
    void SetUp() override {
        hub_ = std::make_unique<HubProcess>(dir_.path() / "data");
        token_ = hub_->create_token("alice");
        bob_ = hub_->create_token("bob");
    }

    std::uint64_t bob_writes(const std::string& text) {
        HttpClient client(hub_->port(), bob_);
        const auto sent =
            client.post("/api/message", {{"to", "alice"}, {"payload", {{"text", text}}}});
        EXPECT_EQ(sent.status, 200) << sent.body;
        return sent.json().at("seq");
    }
    void alice_reads() {
        HttpClient client(hub_->port(), token_);
        const auto mail = client.get("/api/mailbox/alice").json();
        client.post("/api/mailbox/alice/ack", {{"seq", mail.at("last_seq")}});
    }

    [[nodiscard]] std::vector<std::string> variables() const {
        // On a machine with much to do a hook may take longer than people would wait.
        return {"HOME=" + dir_.path().string(),
                "AGENTCOM_TOKEN=" + token_,
                "AGENTCOM_AGENT=alice",
                "AGENTCOM_URL=http://127.0.0.1:" + std::to_string(hub_->port()),
                "AGENTCOM_HOOK_TIMEOUT=30000",
                "CLAUDECODE=1"};
    }

    static std::unique_ptr<Program> run(const std::vector<std::string>& arguments,
                                        const std::vector<std::string>& variables,
                                        const json& input) {
        auto program = std::make_unique<Program>(arguments, variables, Program::Input::written);
        program->write(input.dump());
        program->end_input();
        return program;
    }
    std::unique_ptr<Program> start(const std::string& client, const std::string& moment,
                                   const json& input = {{"session_id", "s1"}}) {
        return run({"hook", client, moment}, variables(), input);
    }
    static Said finish(Program& program) {
        const int status = program.wait();
        return {status, program.output(), program.errors()};
    }
    Said hook(const std::string& client, const std::string& moment,
              const json& input = {{"session_id", "s1"}}) {
        return finish(*start(client, moment, input));
    }
    /// Whether the hook said something, and as it should.
    bool announces(const std::string& moment, const json& input = {{"session_id", "s1"}}) {
        const Said said = hook("claude", moment, input);
        EXPECT_EQ(said.status, 0);
        EXPECT_EQ(said.errors, "");
        return said.output.find("AgentCom: ") != std::string::npos;
    }

    /// The state of the only session.
    json session_state() const {
        for (const auto& file : fs::directory_iterator(sessions())) {
            std::ifstream stream(file.path());
            return json::parse(stream, nullptr, false);
        }
        return {};
    }
    fs::path sessions() const { return dir_.path() / ".local/state/agentcom/sessions"; }
    void wait_until_waiter_is(pid_t pid) const {
        const auto deadline = std::chrono::steady_clock::now() + kPatience;
        while (std::chrono::steady_clock::now() < deadline) {
            const json state = fs::exists(sessions()) ? session_state() : json();
            if (state.is_object() && state.at("waiter") == pid) return;
        }
        FAIL() << "the waiter does not wait";
    }

    TempDir dir_;
    std::unique_ptr<HubProcess> hub_;
    std::string token_;
    std::string bob_;
};

TEST_F(HookCommand, TellsEachSessionOnceAndOnlyOfWhatIsUnread) {
    EXPECT_FALSE(announces("session-start"));
    bob_writes("one");
    EXPECT_TRUE(announces("prompt"));
    EXPECT_FALSE(announces("tool"));
    EXPECT_FALSE(announces("stop", {{"session_id", "s1"}, {"stop_hook_active", false}}));
    EXPECT_TRUE(announces("prompt", {{"session_id", "s2"}}));
    bob_writes("two");
    alice_reads();
    EXPECT_FALSE(announces("tool"));
    bob_writes("three");
    const Said said = hook("claude", "tool");
    EXPECT_NE(said.output.find("1 unread message for alice: 1 from bob"), std::string::npos);
    EXPECT_EQ(said.output.find("three"), std::string::npos);
}

TEST_F(HookCommand, LooksWithoutTakingAnythingAsRead) {
    bob_writes("one");
    EXPECT_TRUE(announces("prompt"));
    HttpClient client(hub_->port(), token_);
    EXPECT_EQ(client.get("/api/mailbox/alice/unread").json().at("count"), 1);
}

TEST_F(HookCommand, FindsOutWhoItIsWhenOnlyTheTokenIsGiven) {
    bob_writes("one");
    auto without_agent = variables();
    std::erase(without_agent, "AGENTCOM_AGENT=alice");
    const auto program = run({"hook", "gemini", "prompt"}, without_agent, {{"session_id", "g"}});
    EXPECT_EQ(program->wait(), 0);
    EXPECT_EQ(json::parse(program->output()).at("hookSpecificOutput").at("hookEventName"),
              "BeforeAgent");
}

TEST_F(HookCommand, ItsStateIsThePersonsOnly) {
    bob_writes("one");
    EXPECT_TRUE(announces("prompt"));
    struct stat status {};
    for (const auto& file : fs::directory_iterator(sessions())) {
        ASSERT_EQ(::stat(file.path().c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0777U, 0600U);
    }
    ASSERT_EQ(::stat(sessions().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST_F(HookCommand, IsSilentInSubagentsWithoutAContextAndWithInputItCannotUse) {
    bob_writes("one");
    EXPECT_FALSE(announces("tool", {{"session_id", "s1"}, {"agent_id", "sub"}}));
    EXPECT_FALSE(announces("tool", {{"cwd", "/"}}));
    const auto nobody = run({"hook", "cursor", "stop"}, {"HOME=" + dir_.path().string()},
                            {{"conversation_id", "c"}});
    EXPECT_EQ(nobody->wait(), 0);
    EXPECT_EQ(nobody->output(), "{}");
    EXPECT_EQ(nobody->errors(), "");
    token_ = std::string(64, '0');
    EXPECT_FALSE(announces("prompt"));
}

TEST_F(HookCommand, AWrongCommandLineIsNoVeto) {
    for (const std::vector<std::string>& arguments : {std::vector<std::string>{"hook"},
                                                      {"hook", "claude"},
                                                      {"hook", "claude", "lunch"},
                                                      {"hook", "emacs", "stop"},
                                                      {"hook", "claude", "stop", "--new-flag"},
                                                      {"hook", "claude", "stop", "--context"},
                                                      {"hook", "claude", "stop", "more"}}) {
        Program program(arguments, variables(), Program::Input::written);
        program.end_input();
        EXPECT_EQ(program.wait(), 0) << testing::PrintToString(arguments);
        EXPECT_EQ(program.output().find("block"), std::string::npos);
        EXPECT_EQ(program.errors(), "") << testing::PrintToString(arguments);
    }
}

TEST_F(HookCommand, AHubThatIsDownOrDoesNotAnswerCostsLittle) {
    Socket silent(hub_->port());  // so that the process is known to accept
    ::kill(hub_->pid(), SIGSTOP);
    auto impatient = variables();
    std::erase(impatient, "AGENTCOM_HOOK_TIMEOUT=30000");
    const auto begun = std::chrono::steady_clock::now();
    const auto stopped = run({"hook", "gemini", "stop"}, impatient, {{"session_id", "g"}});
    EXPECT_EQ(stopped->wait(), 0);
    EXPECT_EQ(stopped->output(), "{}");
    // The hook's own limit is 200 ms; the rest is for a machine that does not get to it.
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
    ::kill(hub_->pid(), SIGCONT);
    hub_->kill();
    EXPECT_FALSE(announces("stop"));
}

TEST_F(HookCommand, AClientThatNeverEndsItsInputIsLeft) {
    auto impatient = variables();
    std::erase(impatient, "AGENTCOM_HOOK_TIMEOUT=30000");
    Program program({"hook", "cursor", "prompt"}, impatient, Program::Input::written);
    EXPECT_EQ(program.wait(), 0);
    EXPECT_EQ(program.output(), "{}");
}

TEST_F(HookCommand, ATurnGoesOnThreeTimesForNewMail) {
    for (int i = 0; i < 3; ++i) {
        bob_writes("again");
        EXPECT_TRUE(announces("stop", {{"session_id", "s1"}, {"stop_hook_active", i > 0}}));
    }
    bob_writes("once more");
    EXPECT_FALSE(announces("stop", {{"session_id", "s1"}, {"stop_hook_active", true}}));
    EXPECT_TRUE(announces("prompt", {{"session_id", "s1"}, {"prompt", "well?"}}));
}

TEST_F(HookCommand, TheWaiterWakesAnIdleSession) {
    const auto waiter = start("claude", "wait", {{"session_id", "s1"}, {"stop_hook_active", true}});
    wait_until_waiter_is(waiter->pid());
    bob_writes("wake up");
    const Said said = finish(*waiter);
    EXPECT_EQ(said.status, 2);
    EXPECT_EQ(said.output, "");
    EXPECT_TRUE(said.errors.starts_with("AgentCom: 1 unread message for alice: 1 from bob"));
    // The turn that it began is told nothing twice, and neither is the next waiter.
    EXPECT_FALSE(announces("prompt", {{"session_id", "s1"}, {"prompt", "<task-notification>"}}));
    EXPECT_FALSE(announces("stop", {{"session_id", "s1"}, {"stop_hook_active", true}}));
    const auto next = start("claude", "wait", {{"session_id", "s1"}, {"stop_hook_active", true}});
    wait_until_waiter_is(next->pid());
    bob_writes("and again");
    EXPECT_EQ(finish(*next).status, 2);
}

TEST_F(HookCommand, TheNewestWaiterIsTheOnlyOne) {
    const auto first = start("claude", "wait", {{"session_id", "s1"}});
    wait_until_waiter_is(first->pid());
    const auto second = start("claude", "wait", {{"session_id", "s1"}});
    EXPECT_EQ(first->wait(), 128 + SIGTERM);
    wait_until_waiter_is(second->pid());
    bob_writes("one");
    EXPECT_EQ(second->wait(), 2);
}

TEST_F(HookCommand, TheEndOfASessionEndsItsWaiter) {
    const auto waiter = start("claude", "wait", {{"session_id", "s1"}});
    wait_until_waiter_is(waiter->pid());
    EXPECT_FALSE(announces("end"));
    EXPECT_EQ(waiter->wait(), 128 + SIGTERM);
    EXPECT_EQ(session_state().at("waiter"), 0);
}

TEST_F(HookCommand, TheWaiterOfAKilledClientKeepsNoMailFromTheNextSession) {
    // Any process stands for the client: this one waits for input that does not come.
    Program client({"mcp"}, variables(), Program::Input::written);
    auto known = variables();
    known.push_back("CLAUDE_PID=" + std::to_string(client.pid()));
    const auto orphan = run({"hook", "claude", "wait"}, known, {{"session_id", "s1"}});
    wait_until_waiter_is(orphan->pid());
    client.signal(SIGKILL);
    EXPECT_EQ(client.wait(), 128 + SIGKILL);
    bob_writes("one");
    EXPECT_EQ(orphan->wait(), 0) << "nobody is left to be woken";
    EXPECT_EQ(orphan->errors(), "");
    // The same session, resumed, is told.
    EXPECT_TRUE(announces("prompt"));
}

TEST_F(HookCommand, OnlyClaudeCodeAndThePluginAreWaitedFor) {
    bob_writes("one");
    auto other = variables();
    std::erase(other, "CLAUDECODE=1");
    const auto program = run({"hook", "claude", "wait"}, other, {{"session_id", "s1"}});
    EXPECT_EQ(program->wait(), 0);
    EXPECT_EQ(hook("claude", "wait", {{"conversation_id", "c"}, {"cursor_version", "3"}}).status,
              0);
    auto unattended = variables();
    unattended.emplace_back("CLAUDE_CODE_ENTRYPOINT=sdk-cli");
    EXPECT_EQ(run({"hook", "claude", "wait"}, unattended, {{"session_id", "s1"}})->wait(), 0);
    const auto plugin = run({"hook", "opencode", "wait"}, other, {{"session_id", "s1"}});
    EXPECT_EQ(plugin->wait(), 2);
}

TEST_F(HookCommand, AWaiterOutlivesARestartOfTheHub) {
    const std::uint16_t port = hub_->port();
    const auto waiter = start("claude", "wait", {{"session_id", "s1"}});
    wait_until_waiter_is(waiter->pid());
    hub_->kill();
    Program again(
        {"serve", "--data-dir", (dir_.path() / "data").string(), "--port", std::to_string(port)});
    again.wait_for_line("listening");
    HttpClient bob(port, bob_);
    EXPECT_EQ(bob.post("/api/message", {{"to", "alice"}, {"payload", {{"text", "back"}}}}).status,
              200);
    EXPECT_EQ(waiter->wait(), 2);
}

TEST_F(HookCommand, AnIdleCodexIsWokenByItsOwnQueue) {
    // A shell of that name stands for the client: its hooks have it above them, and what it is
    // asked to queue goes to a script that writes it down.
    const fs::path home = dir_.path();
    fs::copy_file("/bin/sh", home / "codex");
    std::ofstream(home / "input") << R"({"session_id":"t1","stop_hook_active":false})";
    std::ofstream(home / "queue") << "echo \"$1\" >queue.new; echo \"$2\" >>queue.new\n"
                                     "echo \"token $AGENTCOM_TOKEN\" >>queue.new\n"
                                     "mv queue.new queued\n";
    std::ofstream(home / "session")
        << "cd '" << home.string() << "'\n'" << built_binary()
        << "' hook codex stop <input >said\nmv said hooked\nread over\n";
    std::string command = "env";
    for (const std::string& variable : variables()) command += " '" + variable + "'";
    command += " '" + (home / "codex").string() + "' '" + (home / "session").string() + "'";
    FILE* session = ::popen(command.c_str(), "w");
    ASSERT_NE(session, nullptr);
    const auto appears = [&](const char* name) {
        const auto deadline = std::chrono::steady_clock::now() + kPatience;
        while (!fs::exists(home / name)) {
            if (std::chrono::steady_clock::now() > deadline) return false;
            std::this_thread::yield();
        }
        return true;
    };
    EXPECT_TRUE(appears("hooked"));
    bob_writes("wake up");
    EXPECT_TRUE(appears("queued"));
    std::ifstream queued(home / "queued");
    std::string thread;
    std::string message;
    std::string token;
    std::getline(queued, thread);
    std::getline(queued, message);
    std::getline(queued, token);
    EXPECT_EQ(thread, "--thread=t1");
    EXPECT_TRUE(message.starts_with("--message=AgentCom: 1 unread message for alice: 1 from bob"));
    EXPECT_EQ(token, "token ");
    ::pclose(session);
}

}  // namespace
}  // namespace agentcom::test
