// The part of WriteBatch that changes tokens. A token stands in three tables: its row, the list of
// its agent, and, if it expires, the list by time.

#include <algorithm>
#include <utility>

#include "store/keys.hpp"
#include "store/write_batch.hpp"

namespace agentcom::store {
namespace {

constexpr std::size_t kMaxTokensDropped = 1'000;  // expired ones, in one call

core::Error invalid(const char* field) { return {core::ErrorCode::invalid_field, field}; }

}  // namespace

std::optional<TokenRecord> WriteBatch::find_token(std::string_view digest) {
    const auto row = txn().get(txn().tables().tokens, digest);
    if (!row) return std::nullopt;
    return parse_token(*row);
}

std::optional<TokenRecord> WriteBatch::find_token_or_none(std::string_view digest) {
    return read_or(txn(), "a token", std::optional<TokenRecord>(),
                   [&] { return find_token(digest); });
}

bool WriteBatch::stands(const std::optional<core::TokenDigest>& token) {
    return !token || txn().get(txn().tables().tokens, digest_key(*token));
}

void WriteBatch::put_token(std::string_view digest, const TokenRecord& token) {
    if (const auto earlier = find_token_or_none(digest)) {
        erase_token(earlier->agent.str(), digest, earlier->expires_at);
    }
    txn().put(txn().tables().tokens, digest, encode_token(token));
    txn().put(txn().tables().tokens_by_agent, pair_key(token.agent.str(), digest), "");
    if (token.expires_at) {
        txn().put(txn().tables().token_expiry, token_expiry_key(*token.expires_at, digest), "");
    }
}

void WriteBatch::erase_token(std::string_view agent, std::string_view digest,
                             std::optional<core::Timestamp> expires_at) {
    txn().erase(txn().tables().tokens, digest);
    txn().erase(txn().tables().tokens_by_agent, pair_key(agent, digest));
    if (expires_at) {
        txn().erase(txn().tables().token_expiry, token_expiry_key(*expires_at, digest));
    }
}

void WriteBatch::erase_token(std::string_view agent, const HeldToken& token) {
    erase_token(agent, token.digest, token.record ? token.record->expires_at : std::nullopt);
    end_web_sessions(token.digest, 0);
}

std::vector<WriteBatch::HeldToken> WriteBatch::tokens_of(std::string_view agent) {
    std::vector<HeldToken> tokens;
    if (agent.size() > core::kMaxAgentIdBytes) return tokens;
    const std::string prefix = owner_prefix(agent);
    Cursor cursor(txn(), txn().tables().tokens_by_agent);
    for (bool more = cursor.at_or_after(prefix); more && cursor.key().starts_with(prefix);
         more = cursor.next()) {
        std::string digest(cursor.key().substr(prefix.size()));
        auto record = find_token_or_none(digest);
        tokens.push_back({std::move(digest), std::move(record)});
    }
    return tokens;
}

WriteResult WriteBatch::run(const CreateToken& op) {
    constexpr std::size_t kMaxPrefixBytes = 64;
    if (op.prefix.size() > kMaxPrefixBytes) return invalid("prefix");
    if (op.name.size() > core::kMaxTokenNameBytes) return invalid("name");
    if (op.expires_at && op.expires_at->ms <= 0) return invalid("expires_at");
    if (is_ending(op.agent.str())) return core::Error(core::ErrorCode::agent_ending);
    if (!take_room(3 * kRoomOfRow)) return core::Error(core::ErrorCode::storage_full);
    put_token(digest_key(op.digest),
              TokenRecord{op.agent, op.role, op.prefix, now_, op.name, op.expires_at});
    claim(op.agent);
    return WriteValue(Done{});
}

WriteResult WriteBatch::run(const RevokeTokens& op) {
    TokensRevoked revoked;
    for (const HeldToken& token : tokens_of(op.agent)) {
        // Of a damaged one nobody knows how it began; all are all.
        if (!op.prefix.empty() && (!token.record || token.record->prefix != op.prefix)) continue;
        erase_token(op.agent, token);
        ++revoked.count;
    }
    return WriteValue(revoked);
}

WriteResult WriteBatch::run(const RotateToken& op) {
    const auto tokens = tokens_of(op.agent.str());
    const TokenRecord* newest = nullptr;
    for (const HeldToken& token : tokens) {
        if (!token.record || token.record->expired(op.now)) continue;
        if (newest == nullptr || token.record->created_at > newest->created_at) {
            newest = &*token.record;
        }
    }
    if (newest == nullptr) {
        return core::Error(core::ErrorCode::not_found, {}, "the agent holds no token");
    }
    if (op.name && op.name->size() > core::kMaxTokenNameBytes) return invalid("name");
    if (!take_room(3 * kRoomOfRow)) return core::Error(core::ErrorCode::storage_full);

    TokenRecord made{op.agent,     newest->role, op.prefix, now_, op.name.value_or(newest->name),
                     op.expires_at};
    if (!made.expires_at && newest->expires_at) {
        const std::int64_t lifetime = newest->expires_at->ms - newest->created_at.ms;
        made.expires_at = core::Timestamp{op.now.ms + std::max<std::int64_t>(lifetime, 1)};
    }
    for (HeldToken token : tokens) {
        if (op.old_until <= op.now || !token.record) {
            erase_token(op.agent.str(), token);
        } else if (!token.record->expires_at || *token.record->expires_at > op.old_until) {
            token.record->expires_at = op.old_until;
            put_token(token.digest, *token.record);
        }
    }
    put_token(digest_key(op.digest), made);
    return WriteValue(TokenRotated{made.role, made.name, made.expires_at});
}

WriteResult WriteBatch::run(const NoteTokenUse& op) {
    for (const core::TokenDigest& digest : op.tokens) {
        auto token = find_token_or_none(digest_key(digest));
        if (!token || token->last_used_day >= op.day) continue;
        token->last_used_day = op.day;
        txn().put(txn().tables().tokens, digest_key(digest), encode_token(*token));
    }
    return WriteValue(Done{});
}

WriteResult WriteBatch::run(const DropExpiredTokens& op) {
    Trimmed dropped = drop_expired_web_sessions(op.before);
    const std::uint64_t most = dropped.messages + kMaxTokensDropped;
    while (true) {
        std::string digest;
        {
            Cursor cursor(txn(), txn().tables().token_expiry);
            if (!cursor.first()) break;
            // One whose key is cut short stands in nobody's way.
            const core::Timestamp at{read_or(txn(), "a token that expires", std::int64_t{0}, [&] {
                return static_cast<std::int64_t>(read_be64(cursor.key()));
            })};
            if (at >= op.before) break;
            digest = cursor.key().substr(std::min(sizeof(std::uint64_t), cursor.key().size()));
            if (dropped.messages == most) {
                dropped.more = true;
                break;
            }
            cursor.erase();
        }
        if (const auto token = find_token_or_none(digest)) {
            erase_token(token->agent.str(), digest, token->expires_at);
        } else if (!digest.empty()) {
            // Whose it was is not known if it is damaged; its place in the list of that agent says
            // nothing without it.
            txn().erase(txn().tables().tokens, digest);
        }
        if (!digest.empty()) end_web_sessions(digest, 0);
        ++dropped.messages;
    }
    return WriteValue(dropped);
}

}  // namespace agentcom::store
