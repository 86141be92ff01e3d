// Boost.JSON is used here only, so its non-template code is compiled into this file.
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/src.hpp>
#include <utility>

#include "agentcom/protocol/codec.hpp"
#include "decoders.hpp"
#include "field_events.hpp"

namespace agentcom::bench {

namespace {

namespace json = boost::json;
using Code = boost::system::error_code;

/// The hub's limit instead of the library's, which is lower.
json::parse_options options() {
    json::parse_options options;
    options.max_depth = protocol::kMaxJsonDepth;
    return options;
}

/// Text comes in parts around escapes; `whole` puts them together when there is more than one.
class EventHandler {
public:
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);

    FieldEvents events;

    bool on_document_begin(Code&) { return true; }
    bool on_document_end(Code&) { return true; }
    bool on_array_begin(Code&) { return events.open('['); }
    bool on_array_end(std::size_t, Code&) { return events.close(']'); }
    bool on_object_begin(Code&) { return events.open('{'); }
    bool on_object_end(std::size_t, Code&) { return events.close('}'); }
    bool on_string_part(json::string_view part, std::size_t, Code&) { return keep(part); }
    bool on_string(json::string_view part, std::size_t, Code&) {
        return events.string(whole(part));
    }
    bool on_key_part(json::string_view part, std::size_t, Code&) { return keep(part); }
    bool on_key(json::string_view part, std::size_t, Code&) { return events.key(whole(part)); }
    bool on_number_part(json::string_view, Code&) { return true; }
    bool on_int64(std::int64_t value, json::string_view, Code&) { return events.number(value); }
    bool on_uint64(std::uint64_t value, json::string_view, Code&) { return events.number(value); }
    bool on_double(double value, json::string_view, Code&) { return events.number(value); }
    bool on_bool(bool value, Code&) { return events.literal(value ? "true" : "false"); }
    bool on_null(Code&) { return events.literal("null"); }
    bool on_comment_part(json::string_view, Code&) { return true; }
    bool on_comment(json::string_view, Code&) { return true; }

private:
    bool keep(json::string_view part) {
        parts_.append(part.data(), part.size());
        return true;
    }
    /// The text of an event that ends with this part; valid until the next event.
    std::string_view whole(json::string_view last) {
        text_.swap(parts_);
        parts_.clear();
        if (text_.empty()) return {last.data(), last.size()};
        return text_.append(last.data(), last.size());
    }

    std::string text_;
    std::string parts_;
};

}  // namespace

std::optional<FrameFields> boost_tree(std::string_view text) {
    unsigned char buffer[4096];
    json::monotonic_resource memory(buffer, sizeof buffer);
    Code error;
    const json::value tree = json::parse({text.data(), text.size()}, error, &memory, options());
    if (error || !tree.is_object()) return std::nullopt;
    FrameFields fields;
    for (const auto& [key, value] : tree.get_object()) {
        std::string* field = find_field(fields, {key.data(), key.size()});
        if (field == nullptr || (value.is_null() && field != &fields.payload)) continue;
        if (value.is_string() && field != &fields.payload) {
            field->assign(value.get_string().data(), value.get_string().size());
        } else {
            *field = json::serialize(value);
        }
    }
    return fields;
}

std::optional<FrameFields> boost_events(std::string_view text) {
    json::basic_parser<EventHandler> parser(options());
    Code error;
    const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
    if (error || read != text.size()) return std::nullopt;
    return std::move(parser.handler().events.fields());
}

}  // namespace agentcom::bench
