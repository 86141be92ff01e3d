#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "agentcom/describe/describe.hpp"
#include "agentcom/protocol/operations.hpp"
#include "agentcom/protocol/shapes.hpp"

/// Fields and shapes as JSON Schema (2020-12).
namespace agentcom::describe {

/// Members stay in the order in which they were made.
using Json = nlohmann::ordered_json;

inline constexpr std::string_view kJsonMedia = "application/json";

/// Where a field is spelled: texts in a path or a query are never null.
enum class Spelling : std::uint8_t { frame, body, parameter };
[[nodiscard]] Json schema_of(const protocol::FieldSpec& field, Spelling spelling,
                             const Facts& facts);
/// The object with these fields, and with what they may not stand beside.
[[nodiscard]] Json object_of(std::span<const protocol::FieldSpec* const> fields, Spelling spelling,
                             const Facts& facts);
/// What it might be.
[[nodiscard]] Json example_of(const protocol::FieldSpec& field);

/// Of what is put into `schemas`, with all it consists of, under its name.
[[nodiscard]] Json reference_to(const protocol::Structure& shape, Json& schemas);
[[nodiscard]] Json members_of(const protocol::Structure& shape, Json& schemas);
/// Puts Error and ErrorCode there.
void add_errors(Json& schemas);
/// What `error` reads when it is one of these.
[[nodiscard]] Json one_of_errors(std::span<const core::ErrorCode> codes);

}  // namespace agentcom::describe
