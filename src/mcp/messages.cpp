#include "mcp/messages.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "mcp/tools.hpp"

namespace agentcom::mcp {

namespace {

std::string destination_of(const core::Message& message) {
    if (const auto* direct = std::get_if<core::ToAgent>(&message.draft.to)) {
        return direct->agent.str();
    }
    if (const auto* channel = std::get_if<core::ToChannel>(&message.draft.to)) {
        return '#' + channel->channel.str();
    }
    return "broadcast";
}

/// What the hub says of a message, in the first line of its fence.
std::string attributes_of(const core::Message& message, const Trust& trust, bool is_json) {
    const core::Draft& draft = message.draft;
    std::string text = "from=\"" + defused_word(draft.from.str()) + "\" trust=";
    text += trust.of(draft.from);
    text += " to=\"" + defused_word(destination_of(message)) + "\" id=" + message.id.str();
    text += " seq=" + std::to_string(message.seq.value) + " at=" + iso_time(message.timestamp);
    text += " type=\"" + defused_word(draft.type) + '"';
    if (draft.reply_to) text += " reply_to=\"" + defused_word(*draft.reply_to) + '"';
    text += is_json ? " format=json" : " format=text";
    return text;
}

/// The members that every view of a message has.
void write_envelope(JsonWriter& writer, const core::Message& message, const Trust& trust) {
    const core::Draft& draft = message.draft;
    writer.member_integer("seq", message.seq.value)
        .member("id", message.id)
        .member("from", draft.from.str())
        .member("trust", trust.of(draft.from))
        .member("to", destination_of(message))
        .member("type", draft.type)
        .member("at", iso_time(message.timestamp))
        .member_integer("bytes", draft.payload.text.size());
    if (draft.reply_to) writer.member("reply_to", *draft.reply_to);
    if (std::holds_alternative<core::ToChannel>(draft.to)) {
        writer.member_integer("channel_seq", message.channel_seq.value);
    }
}

struct TrustQuery : std::enable_shared_from_this<TrustQuery> {
    using Then = std::function<Step(std::vector<core::MessagePtr>&&, Trust&&)>;

    TrustQuery(const Context& asker, std::vector<core::MessagePtr> of, Then next)
        : context(asker), messages(std::move(of)), then(std::move(next)) {}

    Context context;
    std::vector<core::MessagePtr> messages;
    Then then;
    Trust trust;
    std::size_t at = 0;

    Step go_on() {
        while (at < messages.size() && trust.knows(messages[at]->draft.from)) ++at;
        if (at == messages.size()) return then(std::move(messages), std::move(trust));
        return ask<protocol::AgentDetails>(
            context, protocol::GetAgent{.agent = messages[at]->draft.from.str(), .in_full = false},
            [self = shared_from_this()](protocol::AgentDetails&& found) {
                self->trust.note(found.agent, found.known, found.role);
                return self->go_on();
            });
    }
};

}  // namespace

void Trust::note(const core::AgentId& agent, bool known, core::Role role) {
    const bool admin = role == core::Role::admin;
    labels_.insert_or_assign(agent, !known ? "unknown" : admin ? "admin" : "agent");
}

std::string_view Trust::of(const core::AgentId& agent) const {
    const auto found = labels_.find(agent);
    return found == labels_.end() ? "unknown" : found->second;
}

Step with_trust(const Context& context, std::vector<core::MessagePtr> messages,
                std::function<Step(std::vector<core::MessagePtr>&&, Trust&&)> then) {
    return std::make_shared<TrustQuery>(context, std::move(messages), std::move(then))->go_on();
}

Body body_of(const core::Message& message) {
    const std::string& payload = message.draft.payload.text;
    const auto first = payload.find_first_not_of(" \t\r\n");
    if (first != std::string::npos && payload[first] == '"') {
        return {protocol::decode_json_string(
                    std::string_view(payload).substr(first, payload.find_last_of('"') + 1 - first),
                    true),
                false};
    }
    if (const auto object = Object::parse(payload); object && object->members().size() == 1) {
        if (auto text = object->text("text")) return {std::move(*text), false};
    }
    return {payload, true};
}

Shown show_manifest(const Context& context, const std::vector<core::MessagePtr>& messages,
                    const Trust& trust) {
    const Fence fence;
    Shown shown;
    shown.text = fence.begin("manifest");
    JsonWriter writer(shown.json);
    writer.begin_array();
    for (const core::MessagePtr& message : messages) {
        const core::Draft& draft = message->draft;
        const Body body = body_of(*message);
        const std::string line = first_line(body.text);
        shown.text += "seq " + std::to_string(message->seq.value) + " from \"" +
                      defused_word(draft.from.str()) + "\" (" + std::string(trust.of(draft.from)) +
                      ") to " + defused_word(destination_of(*message)) + ", " +
                      time_ago(message->timestamp, context.now) + ", type \"" +
                      defused_word(draft.type) + "\", " + counted(body.text.size(), "byte") +
                      ", id " + message->id.str();
        if (draft.reply_to) shown.text += ", answers " + defused_word(*draft.reply_to);
        shown.text += ": " + line + '\n';
        writer.begin_object();
        write_envelope(writer, *message, trust);
        writer.member("first_line", line).end_object();
    }
    writer.end_array();
    shown.text += fence.end();
    return shown;
}

Shown show_in_full(const std::vector<core::MessagePtr>& messages, const Trust& trust,
                   std::size_t max_bytes) {
    const Fence fence;
    Shown shown;
    JsonWriter writer(shown.json);
    writer.begin_array();
    for (const core::MessagePtr& message : messages) {
        const Body body = body_of(*message);
        const bool fits = body.text.size() <= max_bytes;
        max_bytes -= fits ? body.text.size() : 0;
        shown.text += fence.begin("message", attributes_of(*message, trust, body.is_json));
        shown.text += fits ? defused(body.text) : first_line(body.text);
        shown.text += '\n' + fence.end();
        if (!fits) {
            shown.text += "(only its first line: " + counted(body.text.size(), "byte") +
                          "; read_message " + message->id.str() + ")\n";
        }
        writer.begin_object();
        write_envelope(writer, *message, trust);
        if (fits) {
            writer.member_raw("payload", message->draft.payload.text);
        } else {
            writer.member("first_line", first_line(body.text));
        }
        writer.end_object();
    }
    writer.end_array();
    return shown;
}

Shown show_one(const core::MessagePtr& message, const Trust& trust, std::size_t offset,
               std::size_t max_bytes) {
    const Fence fence;
    const Body body = body_of(*message);
    std::string_view rest(body.text);
    offset = cut(rest, offset).size();
    rest.remove_prefix(offset);
    const std::string_view piece = cut(rest, max_bytes);
    Shown shown;
    shown.text = fence.begin("message", attributes_of(*message, trust, body.is_json)) +
                 defused(piece) + '\n' + fence.end();
    const bool whole = piece.size() == body.text.size();
    if (!whole) {
        const std::size_t next = offset + piece.size();
        shown.text += "(bytes " + std::to_string(offset) + " to " + std::to_string(next) + " of " +
                      std::to_string(body.text.size());
        if (next < body.text.size()) {
            shown.text += "; for the rest: offset " + std::to_string(next);
        }
        shown.text += ")\n";
    }
    JsonWriter writer(shown.json);
    writer.begin_object();
    write_envelope(writer, *message, trust);
    if (whole) {
        writer.member_raw("payload", message->draft.payload.text);
    } else {
        writer.member_integer("offset", offset).member("piece", piece);
    }
    writer.end_object();
    return shown;
}

}  // namespace agentcom::mcp
