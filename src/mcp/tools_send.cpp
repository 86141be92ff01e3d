// What the caller tells others: messages, publications, its status.

#include <openssl/sha.h>

#include <array>
#include <utility>

#include "agentcom/protocol/codec.hpp"
#include "mcp/messages.hpp"
#include "mcp/tools.hpp"

namespace agentcom::mcp {

namespace {

/// The same for the same call and another for every other: a client that does not know whether its
/// call arrived repeats it as it was, with its id.
std::string derived_key(const Context& context, std::string_view body) {
    const std::string text = context.id + '\n' + std::string(body);
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string key = "mcp:";
    for (const unsigned char byte : digest) {
        key.push_back(kDigits[byte >> 4U]);
        key.push_back(kDigits[byte & 0xFU]);
    }
    return key;
}

/// The message as the operation is asked over HTTP, so that its fields have one rule; or what is
/// wrong with it.
std::variant<protocol::Request, Answer> message_request(const Context& context,
                                                        const Arguments& arguments,
                                                        protocol::Operation operation,
                                                        std::string_view destination) {
    const auto text = arguments.text("text");
    const auto payload = arguments.json("payload");
    if (text.has_value() == payload.has_value()) {
        return tool_error(context, text ? "Give either text or payload, not both."
                                        : "Nothing to send: give text, or payload with JSON.");
    }
    std::string body;
    JsonWriter writer(body);
    writer.begin_object();
    if (operation == protocol::Operation::send_message) writer.member("to", destination);
    writer.key("payload");
    if (payload) {
        writer.raw(*payload);
    } else {
        writer.begin_object().member("text", *text).end_object();
    }
    for (const std::string_view name : {"type", "reply_to", "idempotency_key"}) {
        if (const auto value = arguments.text(name)) writer.member(name, *value);
    }
    writer.end_object();
    const std::string key = derived_key(context, std::string(destination) + body);
    protocol::HttpInput input{.operation = operation,
                              .path_argument = destination,
                              .query = {},
                              .body = body,
                              .idempotency_key = std::nullopt};
    if (!arguments.text("idempotency_key")) input.idempotency_key = key;
    auto request = protocol::decode_http(input);
    if (!request) return tool_error(context, request.error());
    return std::move(*request);
}

std::string seen(const protocol::AgentDetails& agent, core::Timestamp now) {
    return agent.last_seen ? "last seen " + time_ago(*agent.last_seen, now)
                           : "not seen since the hub was started";
}

std::string did_you_mean(const protocol::AgentDetails& agent) {
    if (agent.similar.empty()) return "list_agents shows who there is.";
    std::string text = "Did you mean ";
    for (std::size_t i = 0; i < agent.similar.size(); ++i) {
        if (i > 0) text += " or ";
        text += defused_word(agent.similar[i]);
    }
    return text + '?';
}

/// Whether it will be read, as far as that can be known.
std::string prospects(const protocol::AgentDetails& agent, core::Timestamp now) {
    const std::string name = defused_word(agent.agent.str());
    const std::string unread = (agent.more_unread ? "at least " : "") +
                               std::to_string(agent.unread) + " unread with this one";
    if (!agent.known) {
        return "Nobody has the name " + name + ". " + did_you_mean(agent) +
               " The hub keeps the message for an agent of that name, in case there will be one.";
    }
    if (agent.connected) {
        return name +
               " is connected now and was handed the message, which does not mean that it "
               "has read it (" +
               unread + ").";
    }
    return name + " is known, " + seen(agent, now) + ", " + unread +
           ": the message waits in its mailbox.";
}

std::string sent_text(const protocol::MessageSent& sent, std::string_view to) {
    if (sent.duplicate) {
        return "The hub has this message already (id " + sent.id.str() +
               "): the same call came a moment ago, so nothing was sent. To say it once more, "
               "give another idempotency_key. ";
    }
    return "Sent to " + std::string(to) + ", id " + sent.id.str() + ". ";
}

void write_sent(JsonWriter& writer, const protocol::MessageSent& sent) {
    writer.begin_object().member("id", sent.id).member_integer("seq", sent.seq.value);
    writer.key("duplicate").boolean(sent.duplicate);
}

std::string structured_sent(const protocol::MessageSent& sent,
                            const protocol::AgentDetails* recipient) {
    std::string json;
    JsonWriter writer(json);
    write_sent(writer, sent);
    if (recipient == nullptr) {
        writer.member("delivery", "broadcast").end_object();
        return json;
    }
    writer.member("delivery", !recipient->known      ? "nobody"
                              : recipient->connected ? "handed_over"
                                                     : "waiting");
    writer.key("recipient").begin_object();
    writer.member("name", recipient->agent.str()).key("known").boolean(recipient->known);
    writer.key("connected").boolean(recipient->connected);
    writer.member_integer("unread", recipient->unread);
    if (recipient->last_seen) writer.member("last_seen", iso_time(*recipient->last_seen));
    if (!recipient->similar.empty()) writer.member_texts("did_you_mean", recipient->similar);
    writer.end_object().end_object();
    return json;
}

/// After the send, so that what is unread counts it; a send stands whatever comes of the look-up.
Step tell_prospects(const Context& context, const protocol::MessageSent& sent, std::string to) {
    protocol::GetAgent look_up{.agent = to};
    return look_up_then<protocol::AgentDetails>(
        std::move(look_up),
        [context, sent, to = std::move(to)](const protocol::AgentDetails* agent) {
            const std::string text = sent_text(sent, defused_word(to));
            if (agent == nullptr) return step(tool_result(context, text));
            return step(tool_result(context, text + prospects(*agent, context.now),
                                    structured_sent(sent, agent)));
        });
}

/// Refused: a misspelled name is the likely reason.
Step tell_why_not(const Context& context, const core::Error& error, std::string to) {
    const bool of_name = error.code == core::ErrorCode::unknown_recipient_limit ||
                         error.code == core::ErrorCode::invalid_recipient;
    if (!of_name || !core::AgentId::parse_issued(to)) return step(tool_error(context, error));
    protocol::GetAgent look_up{.agent = std::move(to)};
    return look_up_then<protocol::AgentDetails>(
        std::move(look_up), [context, error](const protocol::AgentDetails* agent) {
            if (agent == nullptr) return step(tool_error(context, error));
            return step(tool_error(
                context, "Not sent: nobody has the name " + defused_word(agent->agent.str()) +
                             ". " + did_you_mean(*agent) + " (" + error.wire_name() + ')'));
        });
}

Answer tell_published(const Context& context, const protocol::Published& published,
                      const protocol::ChannelInfo* info) {
    std::string text;
    if (published.duplicate) {
        text = "The hub has this already (id " + published.id.str() +
               "): the same call came a moment ago, so nothing was published. To say it once "
               "more, give another idempotency_key.";
    } else {
        text = "Published in #" + published.channel.str() + ", id " + published.id.str() + '.';
        if (info != nullptr) text += ' ' + counted(info->subscriber_count, "subscriber") + '.';
        if (info != nullptr && info->subscriber_count == 0) text += " Nobody is told of it.";
    }
    std::string json;
    JsonWriter writer(json);
    writer.begin_object()
        .member("channel", published.channel.str())
        .member("id", published.id)
        .member_integer("channel_seq", published.seq.value);
    if (info != nullptr) writer.member_integer("subscribers", info->subscriber_count);
    writer.key("duplicate").boolean(published.duplicate).end_object();
    return tool_result(context, text, json);
}

}  // namespace

Step send_message(const Context& context, const Arguments& arguments) {
    const std::string to = arguments.text("to").value_or("");
    const bool to_all = to == "broadcast";  // the one name that no agent can have
    auto request = message_request(context, arguments, protocol::Operation::send_message, to);
    if (auto* wrong = std::get_if<Answer>(&request)) return step(std::move(*wrong));
    return Step{Ask{std::move(std::get<protocol::Request>(request)),
                    [context, to, to_all](protocol::Reply&& reply) -> Step {
                        if (!reply) return tell_why_not(context, reply.error(), to);
                        const auto& sent = std::get<protocol::MessageSent>(*reply);
                        if (!to_all) return tell_prospects(context, sent, to);
                        return step(
                            tool_result(context,
                                        sent_text(sent, "everyone") +
                                            "It is in the mailbox of everybody who holds a token.",
                                        structured_sent(sent, nullptr)));
                    }}};
}

Step publish(const Context& context, const Arguments& arguments) {
    const std::string channel = arguments.text("channel").value_or("");
    auto request = message_request(context, arguments, protocol::Operation::publish, channel);
    if (auto* wrong = std::get_if<Answer>(&request)) return step(std::move(*wrong));
    return ask<protocol::Published>(
        context, std::move(std::get<protocol::Request>(request)),
        [context](protocol::Published&& published) {
            return look_up_then<protocol::ChannelInfo>(
                protocol::GetChannel{published.channel, {.limit = 1, .cursor = {}}},
                [context, published](const protocol::ChannelInfo* info) {
                    return step(tell_published(context, published, info));
                });
        });
}

Step set_status(const Context& context, const Arguments& arguments) {
    protocol::SetProfile profile{
        .status = protocol::json_string(arguments.text("status").value_or("")),
        .capabilities = std::nullopt};
    if (auto capabilities = arguments.json("capabilities")) {
        profile.capabilities = core::JsonText{std::move(*capabilities)};
    }
    return ask<protocol::StatusUpdated>(
        context, std::move(profile), [context](protocol::StatusUpdated&&) {
            return step(tool_result(context, "Others see it now.", R"({"status":"updated"})"));
        });
}

}  // namespace agentcom::mcp
