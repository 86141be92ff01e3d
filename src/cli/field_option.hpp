#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "agentcom/protocol/operations.hpp"

namespace agentcom::cli {

/// A field of an operation, by its name over HTTP, that an option of a command becomes. What the
/// help says of the option, and which numbers it takes, are the field's.
struct OptionField {
    protocol::Operation operation;
    std::string_view name;
};

/// Numbers that a command takes of those that its field takes.
struct OptionBounds {
    std::int64_t least = INT64_MIN;
    std::int64_t most = INT64_MAX;
};

/// Throws std::logic_error when the operation has no such field.
[[nodiscard]] const protocol::FieldSpec& spec_of(OptionField field);
/// Those of the field and of the command together; of what is no number, of any.
[[nodiscard]] OptionBounds bounds_of(const protocol::FieldSpec& spec, OptionBounds own) noexcept;
/// What it is, its bounds and, unless the parser says it, its default; then `more`, which is the
/// command's own.
[[nodiscard]] std::string help_of(const protocol::FieldSpec& spec, OptionBounds bounds,
                                  bool with_default, std::string_view more = {});

/// Adds an option for the field. A value that is a plain number is given the field's default.
template <class Value>
CLI::Option* add_field(CLI::App& command, const char* flag, Value& value, OptionField field,
                       OptionBounds own = {}, std::string_view more = {}) {
    const protocol::FieldSpec& spec = spec_of(field);
    const OptionBounds bounds = bounds_of(spec, own);
    bool parser_says_default = false;
    if constexpr (std::is_same_v<Value, std::int64_t>) {
        value = spec.otherwise;
        parser_says_default = value > 0;
    }
    auto* option =
        command.add_option(flag, value, help_of(spec, bounds, !parser_says_default, more));
    if (parser_says_default) option->capture_default_str();
    if (spec.type == protocol::FieldType::integer) {
        option->check(CLI::Range(bounds.least, bounds.most).description(""));
    }
    return option;
}

}  // namespace agentcom::cli
