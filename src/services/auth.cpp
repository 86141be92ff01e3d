#include "agentcom/services/auth.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace agentcom::services {

Auth::Auth(const store::Store& store, std::vector<core::AgentId> admin_agents)
    : store_(store), admin_agents_(std::move(admin_agents)) {}

std::optional<Identity> Auth::verify(std::string_view token) const {
    const auto parsed = core::Token::parse(token);
    if (!parsed) return std::nullopt;
    auto record = store_.find_token(parsed->digest());
    if (!record) return std::nullopt;
    const bool listed = std::ranges::find(admin_agents_, record->agent) != admin_agents_.end();
    return Identity{std::move(record->agent), listed ? core::Role::admin : record->role};
}

bool Auth::holds_token(const core::AgentId& agent) const { return store_.has_token(agent.str()); }

core::result<store::TokenPage> Auth::list(std::string_view cursor, core::Budget& budget) const {
    return store_.list_tokens(cursor, budget);
}

void for_each_token(const store::Store& store,
                    const std::function<void(const store::TokenRecord&)>& function) {
    std::string cursor;
    do {
        core::Budget budget({});
        auto page = store.list_tokens(cursor, budget).value();
        for (const store::TokenRecord& token : page.entries) function(token);
        cursor = std::move(page.cursor);
    } while (!cursor.empty());
}

}  // namespace agentcom::services
