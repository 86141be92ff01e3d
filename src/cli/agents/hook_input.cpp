#include "cli/agents/hook_input.hpp"

#include <cstdint>
#include <nlohmann/json.hpp>

namespace agentcom::cli::agents {
namespace {

using hooks::InputValue;

InputValue value_of(const nlohmann::json& member) {
    if (member.is_string()) return member.get<std::string>();
    if (member.is_boolean()) return member.get<bool>();
    if (member.is_number_integer()) return member.get<std::int64_t>();
    return {};
}

}  // namespace

std::optional<HookInput> parse_hook_input(std::string_view text, Dialect named) {
    const nlohmann::json input = nlohmann::json::parse(text, nullptr, false);
    if (!input.is_object()) return std::nullopt;
    HookInput found = hooks::read_hook_input(
        [&input](std::string_view name) -> std::optional<InputValue> {
            const auto member = input.find(name);
            if (member == input.end()) return std::nullopt;
            return value_of(*member);
        },
        named);
    if (found.session.empty()) return std::nullopt;
    return found;
}

}  // namespace agentcom::cli::agents
