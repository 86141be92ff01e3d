#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agentcom/core/ids.hpp"
#include "agentcom/core/message.hpp"
#include "agentcom/core/time.hpp"
#include "agentcom/protocol/observation.hpp"
#include "agentcom/services/analytics.hpp"
#include "agentcom/services/presence.hpp"
#include "agentcom/services/quota.hpp"
#include "agentcom/services/roster.hpp"
#include "agentcom/services/settings.hpp"
#include "router/backlog_sweep.hpp"

namespace agentcom::router {

/// What observers are shown of agents is gathered from these.
struct AgentSources {
    const services::Analytics& analytics;
    const services::Presence& presence;
    const services::Roster& roster;
    const services::Quota& streams;
    const services::Quota& looking;  // of them, those by which no agent is present
    const services::Settings& settings;
};

/// What a profile's JSON says as a text, cut to what a row shows: of a JSON text what it holds, of
/// another value its JSON; nothing for null.
[[nodiscard]] std::optional<std::string> shown_text(const core::JsonText& json);
/// The names in a list of capabilities: its texts, and the `name` of its objects.
[[nodiscard]] std::vector<std::string> shown_capabilities(const core::JsonText& json);

/// One row, made of what is known now; nothing: no such agent. `finding`: of the last sweep, or
/// null.
[[nodiscard]] std::optional<protocol::ObservedAgent> observe_agent(
    const AgentSources& sources, const core::AgentId& agent, const BacklogSweep::Finding* finding,
    core::Timestamp now);

/// Whoever has asked for something within this is there, also without a connection: two minutes, or
/// half as long again as agents are asked to leave between two heartbeats. Reads the store.
[[nodiscard]] core::Millis polls_within(const services::Settings& settings);

/// All but what it says of itself. `row.agent`, and its status, are set before.
void fill_row(protocol::ObservedAgent& row, const AgentSources& sources,
              const services::AgentActivity& activity, const services::Roster::Glance& glance,
              const BacklogSweep::Finding* finding, core::Timestamp now, core::Millis polls_within);
/// What it says of itself: over its connection, or without one.
void describe_row(protocol::ObservedAgent& row, const services::Profile& profile);
void describe_row(protocol::ObservedAgent& row,
                  const std::optional<services::Roster::Entry>& entry);

}  // namespace agentcom::router
