#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "integration/support/record.hpp"
#include "integration/support/tools.hpp"
#include "support/program.hpp"

namespace agentcom::test {

/// A coding agent as Claude Code is one at the hub: its hooks are started with the input that the
/// client writes, their output is read as the client reads it, and mail is read and written with
/// the hub's tools. What a model would decide, the test does.
class CodingAgent {
public:
    /// Whether the client starts the hook that wakes an idle session.
    enum class Waking : bool { by_hook, otherwise };

    /// `home` holds what hooks keep; `variables` say which hub and as whom.
    CodingAgent(std::filesystem::path home, std::vector<std::string> variables, Waking waking);

    /// A session with these tools. What the hook says at its start is returned, as by `told`.
    std::string begin(const std::string& session, std::unique_ptr<Tools> tools);
    /// The hub is another process now: the client connects again.
    void connect(std::unique_ptr<Tools> tools) { tools_ = std::move(tools); }

    /// What the hook of this moment tells the model; empty when it is silent.
    std::string told_at_prompt(const std::string& prompt);
    std::string told_after_tool();
    /// The turn ends. When something is told, the client goes on with it, otherwise it is idle.
    std::string told_at_end();
    /// Waits for the waiter to wake the idle session; what it says.
    std::string woken();
    /// SessionEnd, which ends the waiter.
    void end();

    /// What is unread, with bodies.
    [[nodiscard]] std::vector<Letter> look();
    /// Reads all that is unread and does what has to be done: work, then the record, then the
    /// acknowledgement.
    void handle_mail(const std::function<void(const Letter&)>& work = {});
    /// The id of the message.
    std::string send(const std::string& to, const std::string& text,
                     const std::string& reply_to = {});
    /// The answer to a message, once, however often the work is begun.
    Json answer(const Letter& letter, const std::string& text);
    void acknowledge(const Letter& letter);

    Record record;

private:
    std::string hook(const std::string& moment, Json input);
    [[nodiscard]] Json input(const std::string& event, Json more) const;

    std::filesystem::path home_;
    std::vector<std::string> variables_;
    Waking waking_;
    std::string session_;
    std::unique_ptr<Tools> tools_;
    std::unique_ptr<Program> waiter_;
    bool goes_on_ = false;  // this turn was made to go on
};

}  // namespace agentcom::test
