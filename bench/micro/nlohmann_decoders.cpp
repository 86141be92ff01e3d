#include <nlohmann/json.hpp>

#include "decoders.hpp"
#include "field_events.hpp"

namespace agentcom::bench {

namespace {

using Json = nlohmann::json;

struct SaxHandler {
    FieldEvents events;

    bool null() { return events.literal("null"); }
    bool boolean(bool value) { return events.literal(value ? "true" : "false"); }
    bool number_integer(Json::number_integer_t value) { return events.number(value); }
    bool number_unsigned(Json::number_unsigned_t value) { return events.number(value); }
    bool number_float(Json::number_float_t, const std::string& text) {
        return events.literal(text);
    }
    bool string(std::string& text) { return events.string(text); }
    bool binary(Json::binary_t&) { return false; }
    bool start_object(std::size_t) { return events.open('{'); }
    bool key(std::string& name) { return events.key(name); }
    bool end_object() { return events.close('}'); }
    bool start_array(std::size_t) { return events.open('['); }
    bool end_array() { return events.close(']'); }
    bool parse_error(std::size_t, const std::string&, const Json::exception&) { return false; }
};

}  // namespace

std::optional<FrameFields> nlohmann_tree(std::string_view text) {
    const Json tree = Json::parse(text, nullptr, false);
    if (!tree.is_object()) return std::nullopt;
    FrameFields fields;
    for (const auto& [key, value] : tree.items()) {
        std::string* field = find_field(fields, key);
        if (field == nullptr || (value.is_null() && field != &fields.payload)) continue;
        const bool as_text = value.is_string() && field != &fields.payload;
        *field = as_text ? value.get_ref<const std::string&>() : value.dump();
    }
    return fields;
}

std::optional<FrameFields> nlohmann_events(std::string_view text) {
    SaxHandler handler;
    if (!Json::sax_parse(text, &handler)) return std::nullopt;
    return std::move(handler.events.fields());
}

}  // namespace agentcom::bench
