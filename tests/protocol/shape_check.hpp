#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "agentcom/protocol/shapes.hpp"

/// JSON against the shapes that are described.
namespace agentcom::protocol {

[[nodiscard]] std::string misfit(const Structure& shape, const nlohmann::json& value);

/// What is wrong with the value of one member; empty: nothing.
[[nodiscard]] inline std::string misfit(const Member& member, const nlohmann::json& value) {
    const auto fits = [&]() -> bool {
        if (value.is_null() && member.nullable) return true;
        switch (member.kind) {
            case ValueKind::text:
            case ValueKind::date:
                return value.is_string();
            case ValueKind::integer:
            case ValueKind::time:
                return value.is_number_integer();
            case ValueKind::number:
                return value.is_number();
            case ValueKind::flag:
                return value.is_boolean();
            case ValueKind::any:
                return true;
            case ValueKind::object:
                return value.is_object();
            case ValueKind::constant:
                return value == member.words;
            case ValueKind::choice:
                return value.is_string() &&
                       (' ' + std::string(member.words) + ' ')
                               .find(' ' + value.get<std::string>() + ' ') != std::string::npos;
            case ValueKind::truth:
                return value == true;
            case ValueKind::texts:
                return value.is_array() && std::ranges::all_of(value, [](const auto& each) {
                           return each.is_string();
                       });
            case ValueKind::structure:
                return misfit(*member.of, value).empty();
            case ValueKind::list:
                return value.is_array() && std::ranges::all_of(value, [&](const auto& each) {
                           return misfit(*member.of, each).empty();
                       });
        }
        return false;
    };
    return fits() ? std::string() : std::string(member.name) + " is " + value.dump();
}

/// The same of an object, which has all members that it must have and none that is not described.
inline std::string misfit(const Structure& shape, const nlohmann::json& value) {
    if (!value.is_object()) return value.dump() + " is no object";
    for (const Member& member : shape.members) {
        const std::string name(member.name);
        if (!value.contains(name)) {
            if (!member.optional) return name + " is missing";
        } else if (std::string wrong = misfit(member, value.at(name)); !wrong.empty()) {
            return wrong;
        }
    }
    for (const auto& [name, ignored] : value.items()) {
        if (std::ranges::find(shape.members, name, &Member::name) == shape.members.end()) {
            return name + " is not described";
        }
    }
    return {};
}

}  // namespace agentcom::protocol
