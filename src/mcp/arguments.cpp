#include "mcp/arguments.hpp"

#include <algorithm>
#include <charconv>

#include "mcp/text.hpp"

namespace agentcom::mcp {

namespace {

/// Bytes of the field that the argument becomes; nothing when it is none, or has no bound.
std::optional<std::size_t> bound_of_field(const ArgumentSpec& spec) {
    const protocol::FieldSpec* field = field_of(spec);
    if (field == nullptr || field->most == INT64_MAX) return std::nullopt;
    return static_cast<std::size_t>(field->most);
}

std::size_t longest_of(const ArgumentSpec& spec) {
    return bound_of_field(spec).value_or(spec.longest);
}

std::int64_t least_of(const ArgumentSpec& spec) {
    const protocol::FieldSpec* field = field_of(spec);
    return field != nullptr ? field->least : spec.least;
}

std::string expected(const ArgumentSpec& spec) {
    switch (spec.type) {
        case ArgumentType::text: {
            const std::size_t longest = longest_of(spec);
            return longest == SIZE_MAX ? "a text" : "a text of at most " + counted(longest, "byte");
        }
        case ArgumentType::integer: {
            const std::string least = std::to_string(least_of(spec));
            return spec.most > 0 ? "an integer from " + least + " to " + std::to_string(spec.most)
                                 : "an integer of at least " + least;
        }
        case ArgumentType::flag:
            return "true or false";
        case ArgumentType::object:
            return "a JSON object";
        case ArgumentType::texts:
            return "an array of texts";
    }
    return {};
}

std::optional<std::int64_t> to_integer(std::string_view text) {
    std::int64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (text.empty() || rest != end || error != std::errc()) return std::nullopt;
    return value;
}

/// The value as it is kept; nothing when it does not fit.
std::optional<std::string> kept_value(const ArgumentSpec& spec, const JsonValue& value) {
    switch (spec.type) {
        case ArgumentType::text:
            if (value.kind == JsonKind::string) {
                std::string text = text_of(value);
                if (text.size() > longest_of(spec)) return std::nullopt;
                return text;
            }
            // An id that is a number to whoever calls.
            if (const auto number = integer_of(value)) return std::to_string(*number);
            return std::nullopt;
        case ArgumentType::integer: {
            const auto number =
                value.kind == JsonKind::string ? to_integer(text_of(value)) : integer_of(value);
            if (!number || *number < least_of(spec) || (spec.most > 0 && *number > spec.most)) {
                return std::nullopt;
            }
            return std::to_string(*number);
        }
        case ArgumentType::flag: {
            const std::string text =
                value.kind == JsonKind::string ? text_of(value) : std::string(value.raw);
            if (text != "true" && text != "false") return std::nullopt;
            return text;
        }
        case ArgumentType::object:
            if (value.kind != JsonKind::object) return std::nullopt;
            return std::string(value.raw);
        case ArgumentType::texts:
            if (!texts_of(value)) return std::nullopt;
            return std::string(value.raw);
    }
    return std::nullopt;
}

std::string all_names(std::span<const ArgumentSpec> specs) {
    std::string names;
    for (const ArgumentSpec& spec : specs) {
        if (!names.empty()) names += ", ";
        names += spec.name;
    }
    return names.empty() ? "none" : names;
}

std::string_view schema_type(ArgumentType type) {
    switch (type) {
        case ArgumentType::text:
            return "string";
        case ArgumentType::integer:
            return "integer";
        case ArgumentType::flag:
            return "boolean";
        case ArgumentType::object:
            return "object";
        case ArgumentType::texts:
            return "array";
    }
    return {};
}

}  // namespace

const protocol::FieldSpec* field_of(const ArgumentSpec& spec) noexcept {
    return spec.field_of ? protocol::field_of(*spec.field_of, spec.name) : nullptr;
}

void write_schema(JsonWriter& writer, std::span<const ArgumentSpec> specs) {
    writer.begin_object().member("type", "object");
    if (!specs.empty()) {
        writer.key("properties").begin_object();
        for (const ArgumentSpec& spec : specs) {
            writer.key(spec.name).begin_object().member("type", schema_type(spec.type));
            if (spec.type == ArgumentType::integer) {
                writer.member_integer("minimum", least_of(spec));
                if (spec.most > 0) writer.member_integer("maximum", spec.most);
            }
            if (spec.type == ArgumentType::text) {
                // Nothing of more characters has fewer bytes.
                if (const auto most = bound_of_field(spec)) {
                    writer.member_integer("maxLength", *most);
                }
            }
            if (spec.type == ArgumentType::texts) {
                writer.key("items").begin_object().member("type", "string").end_object();
            }
            if (!spec.about.empty()) writer.member("description", spec.about);
            writer.end_object();
        }
        writer.end_object();
    }
    if (std::ranges::any_of(specs, &ArgumentSpec::required)) {
        writer.key("required").begin_array();
        for (const ArgumentSpec& spec : specs) {
            if (spec.required) writer.string(spec.name);
        }
        writer.end_array();
    }
    writer.key("additionalProperties").boolean(false).end_object();
}

std::variant<Arguments, std::string> Arguments::read(const JsonValue* value,
                                                     std::span<const ArgumentSpec> specs) {
    Arguments arguments;
    arguments.specs_ = specs;
    if (value != nullptr && value->kind != JsonKind::object && value->kind != JsonKind::null) {
        return "The arguments must be a JSON object. They are: " + all_names(specs) + '.';
    }
    const Object members = Object::of(value);
    for (const auto& [name, given] : members.members()) {
        if (given.kind == JsonKind::null) continue;
        const auto spec = std::ranges::find(specs, name, &ArgumentSpec::name);
        if (spec == specs.end()) {
            return "There is no argument \"" + shortened(name) +
                   "\". There are: " + all_names(specs) + '.';
        }
        auto kept = kept_value(*spec, given);
        if (!kept) return "The argument \"" + name + "\" must be " + expected(*spec) + '.';
        arguments.values_.insert_or_assign(name, std::move(*kept));
    }
    for (const ArgumentSpec& spec : specs) {
        if (spec.required && !arguments.values_.contains(spec.name)) {
            return "The argument \"" + std::string(spec.name) + "\" is missing: " + expected(spec) +
                   ", " + std::string(spec.about) + '.';
        }
    }
    return arguments;
}

std::optional<std::string> Arguments::text(std::string_view name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) return std::nullopt;
    return found->second;
}

std::optional<std::string> Arguments::json(std::string_view name) const { return text(name); }

std::optional<std::int64_t> Arguments::given_integer(std::string_view name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) return std::nullopt;
    return to_integer(found->second);
}

std::int64_t Arguments::integer(std::string_view name) const {
    if (const auto given = given_integer(name)) return *given;
    const auto spec = std::ranges::find(specs_, name, &ArgumentSpec::name);
    return spec == specs_.end() ? 0 : spec->otherwise;
}

bool Arguments::flag(std::string_view name) const { return text(name) == "true"; }

}  // namespace agentcom::mcp
