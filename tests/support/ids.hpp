#pragma once

#include <string_view>

#include "agentcom/core/ids.hpp"

namespace agentcom::test {

/// Throws when the text is no id or name.
inline core::AgentId agent(std::string_view id) { return core::AgentId::parse(id).value(); }
inline core::ChannelName channel(std::string_view name) {
    return core::ChannelName::parse(name).value();
}

}  // namespace agentcom::test
