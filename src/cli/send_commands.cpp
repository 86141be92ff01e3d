// `send` and `publish`.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "agentcom/core/token.hpp"
#include "cli/command.hpp"
#include "cli/field_option.hpp"
#include "cli/terminal_text.hpp"
#include "cli/text_input.hpp"

namespace agentcom::cli {
namespace {

struct SendFlags : ClientFlags {
    std::string to;  // agent or channel
    std::vector<std::string> words;
    std::string file;
    std::string type;
    std::string reply_to;
    std::string key;
    bool payload = false;
    bool create = false;
    double timeout = 10;
};

std::string fresh_key() {
    return "cli-" + std::to_string(core::random_u64()) + '-' + std::to_string(core::random_u64());
}

/// The payload as JSON.
std::string payload_of(const SendFlags& flags) {
    const std::string text = read_text(flags.words, flags.file);
    if (!flags.payload) {
        return "{\"text\":" + json_text(text) + '}';
    }
    if (!nlohmann::json::accept(text)) {
        throw CommandError(kWrongUsage, "with --payload the text must be JSON, and this is not");
    }
    return text;
}

std::string body_of(const SendFlags& flags, bool to_agent) {
    std::string body = "{\"payload\":" + payload_of(flags);
    const auto add = [&](const char* name, const std::string& value) {
        if (!value.empty()) {
            body += ",\"" + std::string(name) + "\":" + json_text(value);
        }
    };
    add("to", to_agent ? flags.to : "");
    add("type", flags.type);
    add("reply_to", flags.reply_to);
    // With a key the hub takes the message once, however often it has to be sent.
    add("idempotency_key", flags.key.empty() ? fresh_key() : flags.key);
    return body + '}';
}

/// Sends until there is an answer: where one was lost, the message may be stored already, and the
/// key says that it is the same. A hub that cannot be reached to begin with is an error at once.
std::string send_surely(Hub& hub, const std::string& target, const std::string& body,
                        double seconds) {
    const Deadline deadline = from_now(core::Millis(static_cast<std::int64_t>(seconds * 1000)));
    core::Millis pause{100};
    for (bool first = true;; first = false) {
        try {
            return hub.client().ask({.verb = "POST", .target = target, .body = body}, deadline);
        } catch (const HubError& error) {
            const bool nobody = first && error.kind() == HubError::Kind::unreachable;
            if (nobody || !error.may_pass() || from_now(pause) >= deadline) {
                throw;
            }
        }
        std::this_thread::sleep_for(pause);
        pause = std::min(pause * 2, core::Millis{2'000});
    }
}

std::string fate(const std::string& delivery, const std::string& to) {
    if (delivery == "delivered") {
        return " (delivered: " + to + " is connected)";
    }
    return delivery == "queued" ? " (queued: " + to + " is not connected)" : "";
}

int run_send(const SendFlags& flags) {
    const std::string body = body_of(flags, true);
    Hub hub(flags);
    const std::string text = send_surely(hub, "/api/message", body, flags.timeout);
    if (flags.json) {
        print(one_line(text) + '\n');
        return 0;
    }
    const JsonView answer(text);
    const std::string to = printable_line(flags.to == "broadcast" ? "everyone" : flags.to);
    print("sent " + printable_line(answer["id"].text()) + " to " + to +
          fate(answer["delivery"].text(), to) + '\n');
    return 0;
}

int run_publish(const SendFlags& flags) {
    const std::string body = body_of(flags, false);
    Hub hub(flags);
    const std::string target = "/api/channels/" + encode_path_segment(flags.to) + "/publish";
    const std::string text = [&] {
        try {
            return send_surely(hub, target, body, flags.timeout);
        } catch (const HubError& error) {
            if (!flags.create || error.code() != "channel_not_found") {
                throw;
            }
        }
        make_channel(hub, flags.to);
        return send_surely(hub, target, body, flags.timeout);
    }();
    if (flags.json) {
        print(one_line(text) + '\n');
        return 0;
    }
    const JsonView answer(text);
    print("published " + printable_line(answer["id"].text()) + " as number " +
          answer["seq"].text() + " of #" + printable_line(flags.to) + '\n');
    return 0;
}

void add_text_flags(CLI::App& command, SendFlags& flags, protocol::Operation operation) {
    command.add_option("TEXT", flags.words,
                       "What to say; without it, or with -, standard input is read");
    command.add_option("--file", flags.file, "File to read the text from")->type_name("FILE");
    command.add_flag("--payload", flags.payload,
                     "The text is JSON and is the payload itself, not its `text`");
    add_field(command, "--type", flags.type, {operation, "type"})->type_name("TYPE");
    add_field(command, "--reply-to", flags.reply_to, {operation, "reply_to"})->type_name("ID");
    add_field(command, "--idempotency-key", flags.key, {operation, "idempotency_key"}, {},
              "a fresh one when left out")
        ->type_name("KEY");
    command
        .add_option("--timeout", flags.timeout, "How long to send again when the connection breaks")
        ->type_name("SECONDS")
        ->check(in_range(0.001, 86'400.0))
        ->capture_default_str();
}

}  // namespace

void add_send_commands(const CommandSet& set) {
    const auto direct = std::make_shared<SendFlags>();
    auto* command = add_command<SendFlags>(
        set, "send", "Send a message to an agent, or to everyone", direct, run_send);
    command->add_option("TO", direct->to, "Agent id; `broadcast` is everyone")->required();
    add_text_flags(*command, *direct, protocol::Operation::send_message);

    const auto published = std::make_shared<SendFlags>();
    command = add_command<SendFlags>(set, "publish", "Publish a message in a channel", published,
                                     run_publish);
    add_field(*command, "CHANNEL", published->to, {protocol::Operation::publish, "channel"})
        ->required();
    add_text_flags(*command, *published, protocol::Operation::publish);
    command->add_flag("--create", published->create, "Make the channel when there is none");
}

}  // namespace agentcom::cli
