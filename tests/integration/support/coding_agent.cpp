#include "integration/support/coding_agent.hpp"

#include <csignal>
#include <utility>

namespace agentcom::test {

namespace {

namespace fs = std::filesystem;

constexpr const char* kNotice = "AgentCom: ";
constexpr int kWoken = 2;  // the status with which a hook of asyncRewake wakes its session

}  // namespace

CodingAgent::CodingAgent(fs::path home, std::vector<std::string> variables, Waking waking)
    : home_(std::move(home)), variables_(std::move(variables)), waking_(waking) {
    // A hook gives up after 200 ms, which on a machine with much to do is not much.
    variables_.insert(variables_.end(), {"HOME=" + home_.string(), "AGENTCOM_HOOK_TIMEOUT=30000",
                                         "CLAUDECODE=1", "CLAUDE_CODE_ENTRYPOINT=cli"});
}

std::string CodingAgent::begin(const std::string& session, std::unique_ptr<Tools> tools) {
    session_ = session;
    tools_ = std::move(tools);
    goes_on_ = false;
    return hook("session-start", input("SessionStart", {{"source", "startup"}, {"model", "m"}}));
}

std::string CodingAgent::told_at_prompt(const std::string& prompt) {
    goes_on_ = false;
    return hook("prompt",
                input("UserPromptSubmit",
                      {{"prompt_id", "p"}, {"permission_mode", "default"}, {"prompt", prompt}}));
}

std::string CodingAgent::told_after_tool() {
    return hook("tool", input("PostToolUse", {{"permission_mode", "default"},
                                              {"tool_name", "Bash"},
                                              {"tool_input", {{"command", "make"}}},
                                              {"tool_response", {{"stdout", ""}}},
                                              {"tool_use_id", "t"},
                                              {"duration_ms", 3}}));
}

std::string CodingAgent::told_at_end() {
    const Json stop = input("Stop", {{"prompt_id", "p"},
                                     {"permission_mode", "default"},
                                     {"effort", {{"level", "high"}}},
                                     {"stop_hook_active", goes_on_},
                                     {"last_assistant_message", "done"},
                                     {"background_tasks", Json::array()},
                                     {"session_crons", Json::array()}});
    const std::string told = hook("stop", stop);
    goes_on_ = !told.empty();
    if (waking_ != Waking::by_hook) return told;
    // The client starts both hooks at once, and the waiter leaves the other a second. Here it comes
    // after it, so that a slow machine does not decide who tells what.
    auto waiter = std::make_unique<Program>(std::vector<std::string>{"hook", "claude", "wait"},
                                            variables_, Program::Input::written);
    waiter->write(stop.dump());
    waiter->end_input();
    if (waiter_) {
        EXPECT_EQ(waiter_->wait(), 128 + SIGTERM) << "the newest is the only one";
    }
    waiter_ = std::move(waiter);
    return told;
}

std::string CodingAgent::woken() {
    EXPECT_EQ(waiter_->wait(), kWoken) << waiter_->errors();
    EXPECT_EQ(waiter_->output(), "");
    std::string told = waiter_->errors();
    EXPECT_TRUE(told.starts_with(kNotice)) << told;
    waiter_.reset();
    // It has been told, so the hook of the prompt that begins the turn has nothing to add.
    EXPECT_EQ(told_at_prompt("<task-notification>Stop hook feedback</task-notification>"), "");
    return told;
}

void CodingAgent::end() {
    EXPECT_EQ(hook("end", input("SessionEnd", {{"reason", "prompt_input_exit"}})), "");
    if (waiter_) {
        EXPECT_EQ(waiter_->wait(), 128 + SIGTERM);
    }
    waiter_.reset();
}

std::vector<Letter> CodingAgent::look() {
    std::vector<Letter> letters;
    const Json listed = tools_->call("check_inbox", Json::object());
    for (const Json& entry : listed.at("messages")) {
        const Json read = tools_->call("read_message", {{"id", entry.at("id")}}).at("message");
        EXPECT_TRUE(read.contains("payload")) << read.dump();
        letters.push_back(Letter::of(read));
    }
    return letters;
}

void CodingAgent::handle_mail(const std::function<void(const Letter&)>& work) {
    for (const Letter& letter : look()) {
        if (record.has(letter.id)) {
            record.note_repetition(letter);
        } else {
            if (work) work(letter);
            record.enter(letter);
        }
        acknowledge(letter);
    }
}

std::string CodingAgent::send(const std::string& to, const std::string& text,
                              const std::string& reply_to) {
    Json arguments{{"to", to}, {"text", text}};
    if (!reply_to.empty()) arguments["reply_to"] = reply_to;
    return tools_->call("send_message", std::move(arguments)).at("id");
}

Json CodingAgent::answer(const Letter& letter, const std::string& text) {
    return tools_->call("send_message", {{"to", letter.from},
                                         {"text", text},
                                         {"reply_to", letter.id},
                                         {"idempotency_key", "answer to " + letter.id}});
}

void CodingAgent::acknowledge(const Letter& letter) {
    EXPECT_EQ(tools_->call("ack", {{"seq", letter.seq}}).at("acked"), letter.seq);
}

std::string CodingAgent::hook(const std::string& moment, Json input) {
    Program program({"hook", "claude", moment}, variables_, Program::Input::written);
    program.write(input.dump());
    program.end_input();
    EXPECT_EQ(program.wait(), 0) << moment;
    EXPECT_EQ(program.errors(), "") << moment;
    if (program.output().empty()) return {};
    const Json output = Json::parse(program.output());
    const std::string told = output.contains("reason")
                                 ? output.at("reason")
                                 : output.at("hookSpecificOutput").at("additionalContext");
    EXPECT_TRUE(told.starts_with(kNotice)) << told;
    return told;
}

Json CodingAgent::input(const std::string& event, Json more) const {
    more["session_id"] = session_;
    more["transcript_path"] = (home_ / (session_ + ".jsonl")).string();
    more["cwd"] = home_.string();
    more["hook_event_name"] = event;
    return more;
}

}  // namespace agentcom::test
