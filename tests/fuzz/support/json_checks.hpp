#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "agentcom/core/message.hpp"

/// The JSON reader against an independent one.
namespace agentcom::fuzz {

/// What the other reader makes of a text.
struct Judgement {
    bool accepted = false;
    bool beyond_double = false;  // the grammar allows such numbers, this judge does not
    nlohmann::json value;
};
[[nodiscard]] Judgement judge(std::string_view text);
[[nodiscard]] bool is_json(const core::JsonText& text);

/// Both readers accept the text, with the same members, or neither does. Throws Broken.
void check_json(std::string_view text);

}  // namespace agentcom::fuzz
