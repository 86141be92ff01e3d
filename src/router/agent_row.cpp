#include "router/agent_row.hpp"

#include <algorithm>
#include <utility>

#include "agentcom/core/utf8.hpp"
#include "agentcom/protocol/json_scanner.hpp"

namespace agentcom::router {

namespace {

using protocol::AgentState;
using protocol::ObservedAgent;

constexpr std::uint64_t kPollsWithin = 120'000;  // at least, in milliseconds

std::string cut_text(std::string text) {
    if (text.size() <= ObservedAgent::kMostTextBytes) return text;
    std::size_t end = 0;
    for (;;) {
        const std::size_t length = core::utf8_sequence_length(text, end);
        if (length == 0 || end + length > ObservedAgent::kMostTextBytes) break;
        end += length;
    }
    text.resize(end);
    return text + "\u2026";
}

bool says_it_works(const std::optional<std::string>& status) {
    if (!status) return false;
    const auto begins = [&](std::string_view word) {
        return status->size() >= word.size() &&
               std::ranges::equal(word, status->substr(0, word.size()), {}, {}, [](char c) {
                   return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
               });
    };
    return begins("working") || begins("busy");
}

std::optional<core::Timestamp> last_seen(const services::AgentActivity& activity,
                                         const services::Roster::Glance& glance) {
    core::Timestamp seen = glance.last_seen;
    // Who was only written to was not seen.
    if (activity.acted) seen = std::max(seen, activity.last_active);
    if (activity.last_seen) seen = std::max(seen, *activity.last_seen);
    if (seen.ms == 0) return std::nullopt;
    return seen;
}

/// Who has left is not there for having been: only what it asked after its connection ended counts.
bool asks_without_connection(const services::AgentActivity& activity,
                             const services::Roster::Glance& glance, core::Timestamp now,
                             core::Millis polls_within) {
    return glance.last_seen > activity.last_seen.value_or(core::Timestamp{}) &&
           now.ms - glance.last_seen.ms <= polls_within.count();
}

AgentState state_of(const ObservedAgent& agent, const services::AgentActivity& activity,
                    const services::Roster::Glance& glance, core::Timestamp now,
                    core::Millis polls_within) {
    if (activity.connected) {
        const bool active = now.ms - activity.last_active.ms <= services::kIdleAfter.count();
        return active || says_it_works(agent.status) ? AgentState::working : AgentState::idle;
    }
    return asks_without_connection(activity, glance, now, polls_within) || agent.connections > 0
               ? AgentState::polling
               : AgentState::offline;
}

void describe(ObservedAgent& row, const core::JsonText* name, const core::JsonText* status,
              const core::JsonText* capabilities) {
    row.name = (name != nullptr ? shown_text(*name) : std::nullopt).value_or(row.agent);
    row.status = status != nullptr ? shown_text(*status) : std::nullopt;
    row.capabilities.clear();
    if (capabilities != nullptr) row.capabilities = shown_capabilities(*capabilities);
}

}  // namespace

core::Millis polls_within(const services::Settings& settings) {
    const std::uint64_t beat = settings.get(services::kHeartbeatInterval);
    return core::Millis{std::max(kPollsWithin, beat + beat / 2)};
}

void fill_row(ObservedAgent& row, const AgentSources& sources,
              const services::AgentActivity& activity, const services::Roster::Glance& glance,
              const BacklogSweep::Finding* finding, core::Timestamp now,
              core::Millis polls_within) {
    row.known = finding != nullptr ? finding->known : activity.acted || glance.last_seen.ms != 0;
    row.connected_since = activity.connected_since;
    row.last_seen = last_seen(activity, glance);
    row.last_read = glance.last_read;
    row.sent_24h = activity.sent_24h;
    row.received_24h = activity.received_24h;
    row.unread.reset();
    row.unread_more = false;
    row.oldest_unread.reset();
    if (finding != nullptr) {
        row.unread = finding->unread;
        row.unread_more = finding->more;
        row.oldest_unread = finding->oldest;
        if (finding->known) {
            const std::uint64_t all =
                sources.analytics.broadcasts_24h(finding->broadcasts_after, now);
            row.received_24h += finding->of_channels + all - std::min(all, activity.broadcast_24h);
        }
    }
    const std::uint64_t streams = sources.streams.taken_by(row.agent);
    // Another one may have begun meanwhile.
    const std::uint64_t looking = std::min(streams, sources.looking.taken_by(row.agent));
    row.connections = (activity.connected ? 1 : 0) + streams - looking;
    row.state = state_of(row, activity, glance, now, polls_within);
}

void describe_row(ObservedAgent& row, const services::Profile& profile) {
    describe(row, &profile.name, &profile.status, &profile.capabilities);
}

void describe_row(ObservedAgent& row, const std::optional<services::Roster::Entry>& entry) {
    describe(row, nullptr, entry && entry->status ? &*entry->status : nullptr,
             entry && entry->capabilities ? &*entry->capabilities : nullptr);
}

std::optional<std::string> shown_text(const core::JsonText& json) {
    const std::string& text = json.text;
    if (text.empty() || text == "null") return std::nullopt;
    if (text.front() != '"') return cut_text(text);
    return cut_text(protocol::decode_json_string(text, text.find('\\') != std::string::npos));
}

std::vector<std::string> shown_capabilities(const core::JsonText& json) {
    std::vector<std::string> names;
    if (!json.text.starts_with('[')) return names;
    const auto add = [&](const protocol::JsonValue& value) {
        if (value.kind != protocol::JsonKind::string) return;
        names.push_back(cut_text(protocol::decode_json_string(value.raw, value.escaped)));
    };
    for (const protocol::JsonValue& each : protocol::JsonScanner::elements(json.text)) {
        if (names.size() == ObservedAgent::kMostCapabilities) break;
        add(each);
        if (each.kind != protocol::JsonKind::object) continue;
        const auto members = protocol::JsonScanner::members(each.raw);
        if (!members) continue;
        for (const auto& [key, value] : *members) {
            if (key == "name") add(value);
        }
    }
    if (names.size() > ObservedAgent::kMostCapabilities) {
        names.resize(ObservedAgent::kMostCapabilities);
    }
    return names;
}

std::optional<ObservedAgent> observe_agent(const AgentSources& sources, const core::AgentId& agent,
                                           const BacklogSweep::Finding* finding,
                                           core::Timestamp now) {
    const auto activity = sources.analytics.find(agent.str(), now);
    const services::Roster::Glance glance = sources.roster.glance(agent.str());
    const bool acted = activity && activity->acted;
    if (finding == nullptr && !acted && glance.last_seen.ms == 0) return std::nullopt;
    ObservedAgent row;
    row.agent = agent.str();
    if (const auto present = sources.presence.find(agent)) {
        describe_row(row, present->profile);
    } else {
        describe_row(row, sources.roster.find(agent.str()));
    }
    fill_row(row, sources, activity.value_or(services::AgentActivity{}), glance, finding, now,
             polls_within(sources.settings));
    return row;
}

}  // namespace agentcom::router
