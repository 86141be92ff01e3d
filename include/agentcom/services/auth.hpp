#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "agentcom/core/guarded.hpp"
#include "agentcom/core/ids.hpp"
#include "agentcom/core/time.hpp"
#include "agentcom/core/token.hpp"
#include "agentcom/store/store.hpp"

namespace agentcom::services {

/// Whom a token belongs to, with the rights it gives.
struct Identity {
    core::AgentId agent;
    core::Role role = core::Role::agent;
    core::TokenDigest token{};
    std::optional<core::Timestamp> expires_at;
    /// The session in a browser that stood for the token; it lasts no longer than this says.
    std::optional<core::TokenDigest> web_session{};
};

/// Tokens and rights. Thread-safe; keeps no copy of the tokens: each check reads the store, so a
/// revoked token is refused from its commit on, and an expired one from its time on. Only which
/// tokens were used today and are not stored so yet is remembered.
class Auth {
public:
    /// `admin_agents` are admins whatever the role of their token.
    Auth(const store::Store& store, const core::Clock& clock,
         std::vector<core::AgentId> admin_agents);

    /// Nothing when the text is not a token, or nobody's, or has expired.
    [[nodiscard]] std::optional<Identity> verify(std::string_view token);
    /// The same by what the cookie of a session in a browser holds, while the session and its token
    /// are good.
    [[nodiscard]] std::optional<Identity> verify_web_session(std::string_view cookie);
    /// The same of a token that was shown before, or of a session that stood for it; does not count
    /// as a use.
    [[nodiscard]] std::optional<Identity> find(
        const core::TokenDigest& digest,
        const std::optional<core::TokenDigest>& web_session = {}) const;
    /// The token's row; nothing when there is none, or it has expired.
    [[nodiscard]] std::optional<store::TokenRecord> record(const core::TokenDigest& digest) const {
        return record(digest, clock_.now());
    }
    /// Whether the agent holds a token that is good; a request that waited asks again. With a
    /// digest: whether that one is, and the session that stands for it, if there is one.
    [[nodiscard]] bool holds_token(const core::AgentId& agent,
                                   const std::optional<core::TokenDigest>& digest,
                                   const std::optional<core::TokenDigest>& web_session = {}) const;
    /// Who holds a good token, and with which role it may most: one agent; a page behind `after`,
    /// see store::Store::list_holders.
    [[nodiscard]] std::optional<store::HolderRecord> holder(std::string_view agent) const;
    [[nodiscard]] core::Page<store::HolderRecord> holders(std::string_view after,
                                                          core::Budget& budget) const;
    /// Tokens, or those of one agent, behind the cursor of an earlier page; see
    /// store::Store::list_tokens.
    [[nodiscard]] core::result<store::TokenPage> list(std::string_view cursor,
                                                      const std::optional<std::string>& agent,
                                                      core::Budget& budget) const;

    /// What was used since the last call, and is not stored as used on that day: to be handed to
    /// the store, in one write however many requests there were. Nothing when there is none.
    [[nodiscard]] std::optional<store::NoteTokenUse> take_uses();

private:
    [[nodiscard]] std::optional<store::TokenRecord> record(const core::TokenDigest& digest,
                                                           core::Timestamp now) const;
    void note_use(const core::TokenDigest& digest, const store::TokenRecord& record,
                  core::Timestamp now);
    [[nodiscard]] core::Role role_of(const core::AgentId& agent, core::Role of_token) const;
    [[nodiscard]] Identity identity(const core::TokenDigest& digest,
                                    store::TokenRecord&& record) const;

    const store::Store& store_;
    const core::Clock& clock_;
    std::vector<core::AgentId> admin_agents_;
    /// Bounded; of what finds no room the next use is noted.
    core::Guarded<std::map<core::TokenDigest, std::uint32_t>> uses_;
};

/// The day, counted from 1970-01-01 (UTC), on which this time lies.
[[nodiscard]] std::uint32_t day_of(core::Timestamp time) noexcept;

/// Calls the function with every token, page by page; for start-up and the command line.
void for_each_token(const store::Store& store,
                    const std::function<void(const store::TokenRecord&)>& function);

}  // namespace agentcom::services
