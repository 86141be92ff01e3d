// `agentcom hook` as clients run it, against a real hub.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
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

    std::string input_file(const json& input) {
        const fs::path file = dir_.path() / ("input" + std::to_string(++inputs_));
        std::ofstream(file) << input;
        return file.string();
    }

    Program start(const std::string& client, const std::string& moment, const json& input) {
        return Program({"hook", client, moment}, variables(), input_file(input));
    }
    static Said finish(Program& program) {
        const int status = program.wait();
        return {status, program.output(), program.errors()};
    }
    Said hook(const std::string& client, const std::string& moment,
              const json& input = {{"session_id", "s1"}}) {
        Program program = start(client, moment, input);
        return finish(program);
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
    int inputs_ = 0;
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
    Program program({"hook", "gemini", "prompt"}, without_agent, input_file({{"session_id", "g"}}));
    EXPECT_EQ(program.wait(), 0);
    EXPECT_EQ(json::parse(program.output()).at("hookSpecificOutput").at("hookEventName"),
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
    Program nobody({"hook", "cursor", "stop"}, {"HOME=" + dir_.path().string()},
                   input_file({{"conversation_id", "c"}}));
    EXPECT_EQ(nobody.wait(), 0);
    EXPECT_EQ(nobody.output(), "{}");
    EXPECT_EQ(nobody.errors(), "");
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
        Program program(arguments, variables(), input_file({{"session_id", "s1"}}));
        EXPECT_EQ(program.wait(), 0) << testing::PrintToString(arguments);
        EXPECT_EQ(program.output().find("block"), std::string::npos);
    }
}

TEST_F(HookCommand, AHubThatIsDownOrDoesNotAnswerCostsLittle) {
    Socket silent(hub_->port());  // so that the process is known to accept
    ::kill(hub_->pid(), SIGSTOP);
    auto impatient = variables();
    std::erase(impatient, "AGENTCOM_HOOK_TIMEOUT=30000");
    const auto begun = std::chrono::steady_clock::now();
    Program stopped({"hook", "gemini", "stop"}, impatient, input_file({{"session_id", "g"}}));
    EXPECT_EQ(stopped.wait(), 0);
    EXPECT_EQ(stopped.output(), "{}");
    // The hook's own limit is 200 ms; the rest is for a machine that does not get to it.
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
    ::kill(hub_->pid(), SIGCONT);
    hub_->kill();
    EXPECT_FALSE(announces("stop"));
}

TEST_F(HookCommand, AClientThatNeverEndsItsInputIsLeft) {
    auto impatient = variables();
    std::erase(impatient, "AGENTCOM_HOOK_TIMEOUT=30000");
    const fs::path pipe = dir_.path() / "pipe";
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    const int writer = ::open(pipe.c_str(), O_RDWR | O_CLOEXEC);
    Program program({"hook", "cursor", "prompt"}, impatient, pipe.string());
    EXPECT_EQ(program.wait(), 0);
    EXPECT_EQ(program.output(), "{}");
    ::close(writer);
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
    Program waiter = start("claude", "wait", {{"session_id", "s1"}, {"stop_hook_active", true}});
    wait_until_waiter_is(waiter.pid());
    bob_writes("wake up");
    const Said said = finish(waiter);
    EXPECT_EQ(said.status, 2);
    EXPECT_EQ(said.output, "");
    EXPECT_TRUE(said.errors.starts_with("AgentCom: 1 unread message for alice: 1 from bob"));
    // The turn that it began is told nothing twice, and neither is the next waiter.
    EXPECT_FALSE(announces("prompt", {{"session_id", "s1"}, {"prompt", "<task-notification>"}}));
    EXPECT_FALSE(announces("stop", {{"session_id", "s1"}, {"stop_hook_active", true}}));
    Program next = start("claude", "wait", {{"session_id", "s1"}, {"stop_hook_active", true}});
    wait_until_waiter_is(next.pid());
    bob_writes("and again");
    EXPECT_EQ(finish(next).status, 2);
}

TEST_F(HookCommand, TheNewestWaiterIsTheOnlyOne) {
    Program first = start("claude", "wait", {{"session_id", "s1"}});
    wait_until_waiter_is(first.pid());
    Program second = start("claude", "wait", {{"session_id", "s1"}});
    EXPECT_EQ(first.wait(), 128 + SIGTERM);
    wait_until_waiter_is(second.pid());
    bob_writes("one");
    EXPECT_EQ(second.wait(), 2);
}

TEST_F(HookCommand, TheEndOfASessionEndsItsWaiter) {
    Program waiter = start("claude", "wait", {{"session_id", "s1"}});
    wait_until_waiter_is(waiter.pid());
    EXPECT_FALSE(announces("end"));
    EXPECT_EQ(waiter.wait(), 128 + SIGTERM);
    EXPECT_EQ(session_state().at("waiter"), 0);
}

TEST_F(HookCommand, OnlyClaudeCodeAndThePluginAreWaitedFor) {
    bob_writes("one");
    auto other = variables();
    std::erase(other, "CLAUDECODE=1");
    Program program({"hook", "claude", "wait"}, other, input_file({{"session_id", "s1"}}));
    EXPECT_EQ(program.wait(), 0);
    EXPECT_EQ(hook("claude", "wait", {{"conversation_id", "c"}, {"cursor_version", "3"}}).status,
              0);
    Program plugin({"hook", "opencode", "wait"}, other, input_file({{"session_id", "s1"}}));
    EXPECT_EQ(plugin.wait(), 2);
}

TEST_F(HookCommand, AWaiterOutlivesARestartOfTheHub) {
    const std::uint16_t port = hub_->port();
    Program waiter = start("claude", "wait", {{"session_id", "s1"}});
    wait_until_waiter_is(waiter.pid());
    hub_->kill();
    hub_.reset();
    hub_ = std::make_unique<HubProcess>(dir_.path() / "data",
                                        std::vector<std::string>{"--port", std::to_string(port)});
    bob_writes("back again");
    EXPECT_EQ(waiter.wait(), 2);
}

TEST_F(HookCommand, AnIdleCodexIsWokenByItsOwnQueue) {
    // A shell of that name stands for the client: its hooks have it above them, and what it is
    // asked to queue goes to a script that writes it down.
    const fs::path codex = dir_.path() / "codex";
    fs::copy_file("/bin/sh", codex);
    std::ofstream(dir_.path() / "queue")
        << "printf '%s\\n' \"$1\" \"$2\" \"$AGENTCOM_TOKEN\" >queued.new\nmv queued.new queued\n";
    std::ofstream(dir_.path() / "session")
        << "'" << built_binary() << "' hook codex stop <'"
        << input_file({{"session_id", "t1"}, {"stop_hook_active", false}})
        << "'\necho hooked >hooked.new\nmv hooked.new hooked\n"
        << "while [ ! -e over ]; do read line <ticks; done\n";
    ASSERT_EQ(::mkfifo((dir_.path() / "ticks").c_str(), 0600), 0);
    const int ticks = ::open((dir_.path() / "ticks").c_str(), O_RDWR | O_CLOEXEC);
    std::string line = "cd '" + dir_.path().string() + "' && exec";
    for (const std::string& variable : variables()) line = variable + " " + line;
    std::string command = "cd '" + dir_.path().string() + "'; export";
    for (const std::string& variable : variables()) command += " '" + variable + "'";
    command += "; ./codex session & wait";
    FILE* session = ::popen(command.c_str(), "r");
    ASSERT_NE(session, nullptr);
    const auto appears = [&](const char* name) {
        const auto deadline = std::chrono::steady_clock::now() + kPatience;
        while (!fs::exists(dir_.path() / name) && std::chrono::steady_clock::now() < deadline) {
        }
        return fs::exists(dir_.path() / name);
    };
    EXPECT_TRUE(appears("hooked"));
    bob_writes("wake up");
    EXPECT_TRUE(appears("queued"));
    std::ifstream queued(dir_.path() / "queued");
    std::string thread;
    std::string message;
    std::string token;
    std::getline(queued, thread);
    std::getline(queued, message);
    std::getline(queued, token);
    EXPECT_EQ(thread, "--thread=t1");
    EXPECT_TRUE(message.starts_with("--message=AgentCom: 1 unread message for alice: 1 from bob"));
    EXPECT_EQ(token, "");
    std::ofstream(dir_.path() / "over") << "";
    EXPECT_EQ(::write(ticks, "\n", 1), 1);
    ::pclose(session);
    ::close(ticks);
}

}  // namespace
}  // namespace agentcom::test
