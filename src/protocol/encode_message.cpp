#include "protocol/encode_message.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <utility>

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

/// Text that is put together within room that was made for all of it: pages consist of such texts,
/// and looking at the room for each of their twenty parts took longer than copying them.
class TextInRoom {
public:
    /// `most`: as many bytes as will be put, or more.
    explicit TextInRoom(std::size_t most) {
        if (most > usual_.size()) {
            large_.resize(most);
            begin_ = end_ = large_.data();
        }
    }

    void put(std::string_view text) noexcept {
        std::memcpy(end_, text.data(), text.size());
        end_ += text.size();
    }
    void put(char c) noexcept { *end_++ = c; }
    template <class Integer>
    void put_integer(Integer value) noexcept {
        constexpr std::ptrdiff_t kMostDigits = 20;
        end_ = std::to_chars(end_, end_ + kMostDigits, value).ptr;
    }
    void put_string(std::string_view text) {
        if (core::is_plain_json_string(text)) {
            put('"');
            put(text);
            put('"');
        } else {
            std::string escaped;
            append_json_string(escaped, text);
            put(escaped);
        }
    }
    [[nodiscard]] std::string_view view() const noexcept {
        return {begin_, static_cast<std::size_t>(end_ - begin_)};
    }
    void clear() noexcept { end_ = begin_; }

private:
    std::array<char, 1'024> usual_;
    std::string large_;
    char* begin_ = usual_.data();
    char* end_ = usual_.data();
};

/// What the texts beside the payload may take: each with quotation marks, and each byte escaped;
/// the keys and numbers.
std::size_t most_beside_payload(const core::MessageParts& message) noexcept {
    constexpr std::size_t kKeysAndNumbers = 256;
    constexpr std::size_t kEscaped = 6;
    return kKeysAndNumbers +
           kEscaped * (message.from.size() + 2 * message.destination.size() + message.type.size() +
                       message.reply_to.value_or("").size());
}

void put_to(TextInRoom& out, const core::MessageParts& message) {
    using To = core::MessageParts::To;
    if (message.to == To::agent) {
        out.put_string(message.destination);
    } else if (message.to == To::everyone_spelled) {
        out.put(R"("broadcast")");
    } else {
        out.put("null");
    }
}

/// `shared`: the payload, which goes out by reference; null: it is copied.
void write(JsonWriter& writer, const core::MessageParts& message, MessageView view,
           core::SharedBytes shared) {
    const bool of_channel = message.to == core::MessageParts::To::channel;
    TextInRoom text(most_beside_payload(message));
    text.put(R"({"id":")");
    const auto id = message.id.digits();
    text.put(std::string_view(id.data(), id.size()));
    text.put(R"(","from":)");
    text.put_string(message.from);
    text.put(R"(,"to":)");
    put_to(text, message);
    text.put(R"(,"type":)");
    text.put_string(message.type);
    text.put(R"(,"payload":)");
    std::string& out = writer.begin_value();
    out.append(text.view());
    if (view == MessageView::mailbox && of_channel) {
        writer.raw_moved(payload_with_channel(message.payload, message.destination));
    } else if (shared) {
        writer.raw_shared(std::move(shared));
    } else {
        writer.raw(message.payload);
    }
    text.clear();
    text.put(R"(,"reply_to":)");
    if (message.reply_to) {
        text.put_string(*message.reply_to);
    } else {
        text.put("null");
    }
    text.put(R"(,"timestamp":)");
    text.put_integer(message.timestamp.ms);
    if (view != MessageView::plain) {
        text.put(R"(,"seq":)");
        text.put_integer(message.seq.value);
    }
    if (of_channel) {
        text.put(R"(,"channel":")");
        text.put(message.destination);  // a channel name needs no escaping
        text.put(R"(","channel_seq":)");
        text.put_integer(message.channel_seq.value);
    }
    text.put('}');
    out.append(text.view());
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
    const std::string& payload = pointer->draft.payload.text;
    const bool by_reference = payload.size() >= core::Pieces::kOwnPieceBytes;
    write(writer, core::parts_of(*pointer), view,
          by_reference ? core::SharedBytes(pointer, &payload) : nullptr);
}

void write_message(JsonWriter& writer, const core::MessageParts& message, MessageView view) {
    write(writer, message, view, nullptr);
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
