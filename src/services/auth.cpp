#include "agentcom/services/auth.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace agentcom::services {

namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::size_t kMaxUses = 10'000;

}  // namespace

std::uint32_t day_of(core::Timestamp time) noexcept {
    return static_cast<std::uint32_t>(std::max<std::int64_t>(0, time.ms) / kDayMs);
}

Auth::Auth(const store::Store& store, const core::Clock& clock,
           std::vector<core::AgentId> admin_agents)
    : store_(store), clock_(clock), admin_agents_(std::move(admin_agents)) {}

std::optional<store::TokenRecord> Auth::record(const core::TokenDigest& digest,
                                               core::Timestamp now) const {
    auto record = store_.find_token(digest);
    if (!record || record->expired(now)) return std::nullopt;
    return record;
}

Identity Auth::identity(const core::TokenDigest& digest, store::TokenRecord&& record) const {
    const core::Role role = role_of(record.agent, record.role);
    return {std::move(record.agent), role, digest, record.expires_at};
}

core::Role Auth::role_of(const core::AgentId& agent, core::Role of_token) const {
    const bool listed = std::ranges::find(admin_agents_, agent) != admin_agents_.end();
    return listed ? core::Role::admin : of_token;
}

std::optional<store::HolderRecord> Auth::holder(std::string_view agent) const {
    auto found = store_.find_holder(agent, clock_.now());
    if (found) found->role = role_of(found->agent, found->role);
    return found;
}

core::Page<store::HolderRecord> Auth::holders(std::string_view after, core::Budget& budget) const {
    auto page = store_.list_holders(after, clock_.now(), budget);
    for (store::HolderRecord& holder : page.entries) {
        holder.role = role_of(holder.agent, holder.role);
    }
    return page;
}

std::optional<Identity> Auth::verify(std::string_view token) {
    const auto parsed = core::Token::parse(token);
    if (!parsed) return std::nullopt;
    const core::TokenDigest digest = parsed->digest();
    const core::Timestamp now = clock_.now();
    auto found = record(digest, now);
    if (!found) return std::nullopt;
    note_use(digest, *found, now);
    return identity(digest, std::move(*found));
}

std::optional<Identity> Auth::verify_web_session(std::string_view cookie) {
    // Made as tokens are.
    const auto parsed = core::Token::parse(cookie);
    if (!parsed) return std::nullopt;
    const core::TokenDigest digest = parsed->digest();
    const auto session = store_.find_web_session(digest);
    if (!session) return std::nullopt;
    auto found = find(session->token, digest);
    if (!found) return std::nullopt;
    const core::Timestamp now = clock_.now();
    if (const auto token = record(session->token, now)) note_use(session->token, *token, now);
    return found;
}

void Auth::note_use(const core::TokenDigest& digest, const store::TokenRecord& record,
                    core::Timestamp now) {
    const std::uint32_t day = day_of(now);
    if (record.last_used_day >= day) return;
    uses_.with([&](auto& uses) {
        if (uses.size() < kMaxUses) uses.insert_or_assign(digest, day);
    });
}

std::optional<Identity> Auth::find(const core::TokenDigest& digest,
                                   const std::optional<core::TokenDigest>& web_session) const {
    const core::Timestamp now = clock_.now();
    auto found = record(digest, now);
    if (!found) return std::nullopt;
    Identity self = identity(digest, std::move(*found));
    if (!web_session) return self;
    const auto session = store_.find_web_session(*web_session);
    if (!session || session->token != digest || session->expires_at <= now) return std::nullopt;
    self.web_session = web_session;
    if (!self.expires_at || session->expires_at < *self.expires_at) {
        self.expires_at = session->expires_at;
    }
    return self;
}

bool Auth::holds_token(const core::AgentId& agent, const std::optional<core::TokenDigest>& digest,
                       const std::optional<core::TokenDigest>& web_session) const {
    return digest ? find(*digest, web_session).has_value() : store_.has_token(agent.str());
}

std::optional<store::NoteTokenUse> Auth::take_uses() {
    auto uses = uses_.with([](auto& kept) { return std::exchange(kept, {}); });
    if (uses.empty()) return std::nullopt;
    store::NoteTokenUse note;
    note.tokens.reserve(uses.size());
    for (const auto& [digest, day] : uses) {
        note.tokens.push_back(digest);
        note.day = std::max(note.day, day);
    }
    return note;
}

core::result<store::TokenPage> Auth::list(std::string_view cursor,
                                          const std::optional<std::string>& agent,
                                          core::Budget& budget) const {
    return store_.list_tokens(cursor, budget, agent);
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
