#include "agentcom/protocol/rights.hpp"

#include <array>
#include <cstddef>

namespace agentcom::protocol {

namespace {

using core::ErrorCode;

// The rights by the callers. The rows stand in the order of Right, the columns in that of Standing.

constexpr std::optional<ErrorCode> kYes = std::nullopt;
constexpr std::optional<ErrorCode> kToken = ErrorCode::unauthorized;
constexpr std::optional<ErrorCode> kReadOnly = ErrorCode::read_only;
constexpr std::optional<ErrorCode> kAdminOnly = ErrorCode::admin_only;
constexpr std::optional<ErrorCode> kWatchersOnly = ErrorCode::forbidden;

constexpr std::array<std::array<std::optional<ErrorCode>, 4>, 8> kRefusals{{
    // nobody, agent, admin, observer
    {kYes, kYes, kYes, kYes},                // anyone
    {kToken, kYes, kYes, kYes},              // reader
    {kToken, kYes, kYes, kYes},              // holder
    {kToken, kYes, kYes, kReadOnly},         // sender
    {kToken, kYes, kYes, kReadOnly},         // connection
    {kToken, kAdminOnly, kYes, kAdminOnly},  // admin
    {kToken, kWatchersOnly, kYes, kYes},     // watcher
    {kToken, kWatchersOnly, kYes, kYes},     // overseer
}};

}  // namespace

Standing standing_of(core::Role role) noexcept {
    switch (role) {
        case core::Role::admin:
            return Standing::admin;
        case core::Role::observer:
            return Standing::observer;
        case core::Role::agent:
            break;
    }
    return Standing::agent;
}

std::optional<ErrorCode> refusal(Right right, Standing standing) noexcept {
    return kRefusals[static_cast<std::size_t>(right)][static_cast<std::size_t>(standing)];
}

}  // namespace agentcom::protocol
