#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agentcom/protocol/operations.hpp"
#include "mcp/json.hpp"

namespace agentcom::mcp {

/// `object`: any JSON object. `texts`: an array of strings.
enum class ArgumentType : std::uint8_t { text, integer, flag, object, texts };

/// One argument of a tool, as its schema says it and as it is read.
struct ArgumentSpec {
    std::string_view name;
    ArgumentType type = ArgumentType::text;
    std::string_view about{};
    bool required = false;
    std::int64_t least = 0;
    std::int64_t most = 0;  // of integers, if positive
    std::int64_t otherwise = 0;
    std::size_t longest = 512;  // bytes of texts: names, ids and cursors, which wait with the call
    /// The operation that has a field of this name, which it becomes: bounds are that field's.
    std::optional<protocol::Operation> field_of{};
};

/// That field; null when it is none.
[[nodiscard]] const protocol::FieldSpec* field_of(const ArgumentSpec& spec) noexcept;

/// Writes the JSON Schema of an object with these members.
void write_schema(JsonWriter& writer, std::span<const ArgumentSpec> specs);

/// The arguments of one call, which fit their specs. Owns what it holds.
class Arguments {
public:
    /// What to do instead, in a sentence, when they do not fit. Null counts as absent, and numbers
    /// and flags may come as text, as models write them now and then.
    [[nodiscard]] static std::variant<Arguments, std::string> read(
        const JsonValue* value, std::span<const ArgumentSpec> specs);

    [[nodiscard]] std::optional<std::string> text(std::string_view name) const;
    /// The spec's default when absent.
    [[nodiscard]] std::int64_t integer(std::string_view name) const;
    [[nodiscard]] std::optional<std::int64_t> given_integer(std::string_view name) const;
    [[nodiscard]] bool flag(std::string_view name) const;
    /// The JSON text of an object or an array of texts.
    [[nodiscard]] std::optional<std::string> json(std::string_view name) const;

private:
    /// Texts decoded, integers and flags as digits, the rest as JSON text.
    std::map<std::string, std::string, std::less<>> values_;
    std::span<const ArgumentSpec> specs_;
};

}  // namespace agentcom::mcp
