#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "agentcom/protocol/json_writer.hpp"
#include "decoders.hpp"

namespace agentcom::bench {

[[nodiscard]] inline std::string* find_field(FrameFields& fields, std::string_view key) {
    if (key == "type") return &fields.type;
    if (key == "to") return &fields.to;
    if (key == "channel") return &fields.channel;
    if (key == "message_type") return &fields.message_type;
    if (key == "payload") return &fields.payload;
    if (key == "reply_to") return &fields.reply_to;
    if (key == "idempotency_key") return &fields.idempotency_key;
    if (key == "ref") return &fields.ref;
    return nullptr;
}

/// Takes the events of a parser that builds no tree and keeps the fields of the top-level object:
/// strings and numbers as they are, the payload as JSON text. Every event answers true, as parsers
/// want it: go on.
class FieldEvents {
public:
    [[nodiscard]] FrameFields& fields() noexcept { return fields_; }

    bool open(char bracket) {
        if (++depth_ > 1 && in_payload_) {
            separate();
            fields_.payload.push_back(bracket);
            separate_ = false;
        }
        return true;
    }
    bool close(char bracket) {
        if (in_payload_ && depth_ > 1) {
            fields_.payload.push_back(bracket);
            separate_ = true;
        }
        --depth_;
        if (depth_ == 1) in_payload_ = false;
        return true;
    }
    bool key(std::string_view name) {
        if (depth_ == 1) {
            field_ = find_field(fields_, name);
            in_payload_ = field_ == &fields_.payload;
            separate_ = false;
            if (in_payload_) fields_.payload.clear();
        } else if (in_payload_) {
            separate();
            protocol::append_json_string(fields_.payload, name);
            fields_.payload.push_back(':');
            separate_ = false;
        }
        return true;
    }
    bool string(std::string_view text) {
        if (in_payload_) {
            separate();
            protocol::append_json_string(fields_.payload, text);
        } else if (depth_ == 1 && field_ != nullptr) {
            field_->assign(text);
        }
        return end_scalar();
    }
    template <class Number>
    bool number(Number value) {
        char digits[32];
        const char* end = std::to_chars(digits, digits + sizeof digits, value).ptr;
        return literal(std::string_view(digits, end));
    }
    bool literal(std::string_view text) {
        if (in_payload_) {
            separate();
            fields_.payload.append(text);
        } else if (depth_ == 1 && field_ != nullptr && text != "null") {
            field_->assign(text);
        }
        return end_scalar();
    }

private:
    void separate() {
        if (separate_) fields_.payload.push_back(',');
        separate_ = true;
    }
    bool end_scalar() {
        if (depth_ == 1) in_payload_ = false;
        return true;
    }

    FrameFields fields_;
    std::string* field_ = nullptr;
    int depth_ = 0;
    bool in_payload_ = false;
    bool separate_ = false;  // a comma is due before the payload's next value
};

}  // namespace agentcom::bench
