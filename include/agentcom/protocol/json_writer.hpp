#pragma once

#include <charconv>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "agentcom/core/json_string.hpp"
#include "agentcom/core/pieces.hpp"
#include "agentcom/core/seq.hpp"

namespace agentcom::protocol {

using core::append_json_string;

/// Appends decimal digits without a temporary.
template <class Integer>
void append_integer(std::string& out, Integer value) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    out.append(digits, end);
}

/// Writes one JSON text by appending: `begin_object("key")` and so on, commas by itself. The caller
/// keeps the nesting right. Values named raw are JSON text already. Given pieces, it sets full ones
/// aside between values, so a text of any length takes no large allocation.
class JsonWriter {
public:
    explicit JsonWriter(std::string& out) : out_(out) {}
    explicit JsonWriter(core::Pieces& pieces) : out_(pieces.open()), pieces_(&pieces) {}

    JsonWriter& begin_object() { return open('{'); }
    JsonWriter& end_object() { return close('}'); }
    JsonWriter& begin_array() { return open('['); }
    JsonWriter& end_array() { return close(']'); }

    /// Keys are ours and need no escaping.
    JsonWriter& key(std::string_view name) {
        separate();
        out_.push_back('"');
        out_.append(name);
        out_.append("\":");
        separate_ = false;
        return *this;
    }
    JsonWriter& string(std::string_view text) {
        separate();
        append_json_string(out_, text);
        return *this;
    }
    template <class Integer>
    JsonWriter& integer(Integer value) {
        separate();
        append_integer(out_, value);
        return *this;
    }
    JsonWriter& boolean(bool value) { return raw(value ? "true" : "false"); }
    JsonWriter& null() { return raw("null"); }
    JsonWriter& raw(std::string_view text) {
        separate();
        if (pieces_ != nullptr) {
            pieces_->append(text);
        } else {
            out_.append(text);
        }
        return *this;
    }
    /// A large text is moved, not copied.
    JsonWriter& raw_moved(std::string&& text) {
        if (pieces_ == nullptr) return raw(std::string_view(text));
        separate();
        pieces_->append(std::move(text));
        return *this;
    }
    /// A large text is kept alive until it has been sent, not copied.
    JsonWriter& raw_shared(core::SharedBytes text) {
        if (pieces_ == nullptr) return raw(std::string_view(*text));
        separate();
        pieces_->append_reference(std::move(text));
        return *this;
    }

    /// For a value that its caller appends itself; one raw value may be part of it.
    std::string& begin_value() {
        separate();
        separate_ = false;
        return out_;
    }

    JsonWriter& member(std::string_view name, std::string_view text) {
        return key(name).string(text);
    }
    JsonWriter& member(std::string_view name, core::MessageId id) {
        key(name).separate();
        out_.push_back('"');
        id.append_to(out_);
        out_.push_back('"');
        return *this;
    }
    JsonWriter& member_raw(std::string_view name, std::string_view text) {
        return key(name).raw(text);
    }
    template <class Integer>
    JsonWriter& member_integer(std::string_view name, Integer value) {
        return key(name).integer(value);
    }
    /// True, or not there at all.
    JsonWriter& member_if(std::string_view name, bool holds) {
        if (holds) key(name).boolean(true);
        return *this;
    }
    /// A list of texts: what `text_of` says of each.
    template <class List, class TextOf = std::identity>
    JsonWriter& member_texts(std::string_view name, const List& list, TextOf text_of = {}) {
        key(name).begin_array();
        for (const auto& each : list) string(std::invoke(text_of, each));
        return end_array();
    }

private:
    void separate() {
        if (pieces_ != nullptr) pieces_->spill();
        if (separate_) out_.push_back(',');
        separate_ = true;
    }
    JsonWriter& open(char bracket) {
        separate();
        out_.push_back(bracket);
        separate_ = false;
        return *this;
    }
    JsonWriter& close(char bracket) {
        out_.push_back(bracket);
        separate_ = true;
        return *this;
    }

    std::string& out_;  // of the pieces the open one, if there are any
    core::Pieces* pieces_ = nullptr;
    bool separate_ = false;
};

}  // namespace agentcom::protocol
