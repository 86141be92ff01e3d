// The part of WriteBatch that changes people's sessions in browsers. One stands in three tables:
// its row, the list of its token, and the list by time. None outlives its token.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "store/keys.hpp"
#include "store/write_batch.hpp"

namespace agentcom::store {
namespace {

constexpr std::size_t kMaxSessionsDropped = 1'000;  // expired ones, in one call

}  // namespace

std::optional<WebSessionRecord> WriteBatch::find_web_session_or_none(std::string_view digest) {
    return read_or(txn(), "a session in a browser", std::optional<WebSessionRecord>(),
                   [&]() -> std::optional<WebSessionRecord> {
                       const auto row = txn().get(txn().tables().web_sessions, digest);
                       if (!row) return std::nullopt;
                       return parse_web_session(*row);
                   });
}

void WriteBatch::erase_web_session(std::string_view digest,
                                   const std::optional<WebSessionRecord>& session) {
    txn().erase(txn().tables().web_sessions, digest);
    // Of a damaged one the other rows lead nowhere, and are taken for nothing.
    if (!session) return;
    txn().erase(txn().tables().web_sessions_by_token,
                std::string(digest_key(session->token)).append(digest));
    txn().erase(txn().tables().web_session_expiry, token_expiry_key(session->expires_at, digest));
}

void WriteBatch::end_web_sessions(std::string_view token, std::size_t most) {
    struct Held {
        std::string digest;
        std::optional<WebSessionRecord> record;
        std::int64_t begun = 0;  // a damaged one is older than any other
    };
    std::vector<Held> sessions;
    {
        Cursor list(txn(), txn().tables().web_sessions_by_token);
        for (bool more = list.at_or_after(token); more && list.key().starts_with(token);
             more = list.next()) {
            std::string digest(list.key().substr(token.size()));
            auto record = find_web_session_or_none(digest);
            const std::int64_t begun = record ? record->created_at.ms : 0;
            sessions.push_back({std::move(digest), std::move(record), begun});
        }
    }
    if (sessions.size() <= most) return;
    std::ranges::stable_sort(sessions, {}, &Held::begun);
    sessions.resize(sessions.size() - most);
    for (const Held& session : sessions) {
        erase_web_session(session.digest, session.record);
        txn().erase(txn().tables().web_sessions_by_token,
                    std::string(token).append(session.digest));
    }
}

WriteResult WriteBatch::run(const CreateWebSession& op) {
    if (op.expires_at.ms <= 0) return core::Error(core::ErrorCode::invalid_field, "expires_at");
    if (!stands(op.token)) return core::Error(core::ErrorCode::unauthorized);
    if (!take_room(3 * kRoomOfRow)) return core::Error(core::ErrorCode::storage_full);
    const std::string_view digest = digest_key(op.digest);
    const std::string_view token = digest_key(op.token);
    erase_web_session(digest, find_web_session_or_none(digest));
    const auto most = std::max<std::uint64_t>(rules_.quotas.max_web_sessions_per_token, 1);
    end_web_sessions(token, static_cast<std::size_t>(most - 1));
    txn().put(txn().tables().web_sessions, digest,
              encode_web_session({op.token, now_, op.expires_at}));
    txn().put(txn().tables().web_sessions_by_token, std::string(token).append(digest), "");
    txn().put(txn().tables().web_session_expiry, token_expiry_key(op.expires_at, digest), "");
    return WriteValue(Done{});
}

WriteResult WriteBatch::run(const EndWebSession& op) {
    const std::string_view digest = digest_key(op.digest);
    erase_web_session(digest, find_web_session_or_none(digest));
    return WriteValue(Done{});
}

Trimmed WriteBatch::drop_expired_web_sessions(core::Timestamp before) {
    Trimmed dropped;
    while (true) {
        std::string digest;
        {
            Cursor list(txn(), txn().tables().web_session_expiry);
            if (!list.first()) break;
            // One whose key is cut short stands in nobody's way.
            const core::Timestamp at{read_or(txn(), "a session that expires", std::int64_t{0}, [&] {
                return static_cast<std::int64_t>(read_be64(list.key()));
            })};
            if (at >= before) break;
            if (dropped.messages == kMaxSessionsDropped) {
                dropped.more = true;
                break;
            }
            digest = list.key().substr(std::min(sizeof(std::uint64_t), list.key().size()));
            list.erase();
        }
        if (!digest.empty()) erase_web_session(digest, find_web_session_or_none(digest));
        ++dropped.messages;
    }
    return dropped;
}

}  // namespace agentcom::store
