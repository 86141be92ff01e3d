#include "protocol/encode_message.hpp"

#include <array>

#include "agentcom/protocol/codec.hpp"
#include "agentcom/protocol/json_scanner.hpp"
#include "agentcom/protocol/vocabulary.hpp"

namespace agentcom::protocol {

namespace {

void append_reply_to(std::string& out, const core::Message& message) {
    if (message.draft.reply_to) {
        append_json_string(out, *message.draft.reply_to);
    } else {
        out.append("null");
    }
}

/// `to` as JSON text: an agent's id, "broadcast" if the sender spelled it, or null.
void append_to(std::string& out, const core::Destination& to) {
    if (const auto* direct = std::get_if<core::ToAgent>(&to)) {
        append_json_string(out, direct->agent.str());
    } else if (const auto* everyone = std::get_if<core::ToEveryone>(&to);
               everyone != nullptr && everyone->spelled) {
        out.append("\"broadcast\"");
    } else {
        out.append("null");
    }
}

}  // namespace

std::string payload_with_channel(std::string_view payload, std::string_view channel) {
    std::string out = "{\"channel\":";
    append_json_string(out, channel);
    JsonScanner scanner(payload, kMaxJsonDepth);
    if (scanner.open() == JsonKind::object) {
        JsonScanner::Member member;
        while (scanner.next(member) == JsonScanner::Step::member) {
            if (member.key == "channel") continue;
            if (member.key_escaped && member.name() == "channel") continue;
            out.push_back(',');
            out.append(member.quoted());
            out.push_back(':');
            out.append(member.value.raw);
        }
    }
    out.push_back('}');
    return out;
}

void write_message(JsonWriter& writer, const core::MessagePtr& pointer, MessageView view) {
    // Pages consist of these: appended by hand, as pushes are.
    const core::Message& message = *pointer;
    const core::Draft& draft = message.draft;
    const auto* channel = std::get_if<core::ToChannel>(&draft.to);
    std::string& out = writer.begin_value();
    out.append(R"({"id":")");
    message.id.append_to(out);
    out.append(R"(","from":)");
    append_json_string(out, draft.from.str());
    out.append(R"(,"to":)");
    append_to(out, draft.to);
    out.append(R"(,"type":)");
    append_json_string(out, draft.type);
    out.append(R"(,"payload":)");
    if (view == MessageView::mailbox && channel != nullptr) {
        writer.raw_moved(payload_with_channel(draft.payload.text, channel->channel.str()));
    } else {
        writer.raw_shared(core::SharedBytes(pointer, &draft.payload.text));
    }
    out.append(R"(,"reply_to":)");
    append_reply_to(out, message);
    out.append(R"(,"timestamp":)");
    append_integer(out, message.timestamp.ms);
    if (view != MessageView::plain) {
        out.append(R"(,"seq":)");
        append_integer(out, message.seq.value);
    }
    if (channel != nullptr) {
        out.append(R"(,"channel":")");
        out.append(channel->channel.str());  // a channel name needs no escaping
        out.append(R"(","channel_seq":)");
        append_integer(out, message.channel_seq.value);
    }
    out.push_back('}');
}

void encode_push(const core::Message& message, std::string& out) {
    // On the hot path, once per message: appended by hand, no temporaries.
    const core::Draft& draft = message.draft;
    const auto* channel = std::get_if<core::ToChannel>(&draft.to);
    out.reserve(out.size() + draft.payload.text.size() + 256);
    if (channel != nullptr) {
        out.append(R"({"type":"channel_message","channel":")");
        out.append(channel->channel.str());  // a channel name needs no escaping
        out.append(R"(","id":")");
    } else {
        out.append(R"({"type":"message","id":")");
    }
    message.id.append_to(out);
    out.append(R"(","from":)");
    append_json_string(out, draft.from.str());
    if (channel == nullptr) {
        out.append(R"(,"to":)");
        append_to(out, draft.to);
    }
    out.append(R"(,"message_type":)");
    append_json_string(out, draft.type);
    out.append(R"(,"payload":)");
    out.append(draft.payload.text);
    out.append(R"(,"reply_to":)");
    append_reply_to(out, message);
    out.append(R"(,"timestamp":)");
    append_integer(out, message.timestamp.ms);
    if (channel != nullptr) {
        out.append(R"(,"channel_seq":)");
        append_integer(out, message.channel_seq.value);
    }
    out.append(R"(,"seq":)");
    append_integer(out, message.seq.value);
    out.push_back('}');
}

}  // namespace agentcom::protocol
