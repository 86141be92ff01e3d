#pragma once

#include "agentcom/protocol/json_writer.hpp"
#include "agentcom/protocol/replies.hpp"
#include "agentcom/protocol/shapes.hpp"

namespace agentcom::protocol {

/// The members of a card of A2A 1.0, of the hub or of an agent.
void write_card(JsonWriter& writer, const AgentCard& card);

}  // namespace agentcom::protocol
