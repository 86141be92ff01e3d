#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agentcom/core/seq.hpp"
#include "agentcom/core/time.hpp"
#include "agentcom/core/token.hpp"
#include "store/bytes.hpp"

/// Every key layout of the store. DO NOT CHANGE without a new schema version (schema.hpp): these
/// bytes are on disk. docs/storage_format.md draws the values as well.
///
///   be64     eight bytes, big-endian
///   text'    a byte with the length, then the text (no separator that a text could contain)
///
///   table            key                                    value
///   meta             a name from kMeta...                   see schema.hpp
///   settings         name of the setting                    u64
///   log              be64 seq of the block's first message  log block (message_log.hpp)
///   kept             be64 seq                               one record whose block is gone
///   postings         kind, owner', be64 place of the first  posting block (postings.hpp)
///   trimmed          kind, owner'                           last entries retention removed
///   agents           agent id                               AgentRow (rows.hpp)
///   copies           agent id                               CopiesRow
///   tokens           32 bytes of digest                     TokenRow
///   tokens_by_agent  agent', digest                         empty
///   token_expiry     be64 milliseconds, digest              empty
///   web_sessions     32 bytes of digest                     WebSessionRow
///   web_sessions_by_token  digest of the token, digest      empty
///   web_session_expiry     be64 milliseconds, digest        empty
///   channels         name                                   ChannelRow
///   subscriptions    agent', channel name                   SubscriptionRow
///   subscribers      channel', agent id                     empty
///   members          channel', agent id                     MemberRow
///   memberships      agent', channel name                   empty
///   removals         name of a channel being deleted        ChannelRow, moved here
///   endings          id of an agent being removed           empty
///   usage            agent id                               UsageRow
///   unclaimed        be64 seq, agent id                     empty; see write_upkeep.cpp
///   idempotency_keys   agent', idempotency key              IdempotencyRow
///   idempotency_order  be64 seq of the keyed message        KeyOrderRow
///
/// The longest key is that of idempotency_keys: 1 + 128 + 255 bytes; LMDB's limit is 511.
namespace agentcom::store {

inline constexpr std::string_view kMetaSchema = "schema_version";
inline constexpr std::string_view kMetaEpoch = "epoch";
inline constexpr std::string_view kMetaEarlierEpochs = "earlier_epochs";
inline constexpr std::string_view kMetaState = "state";
inline constexpr std::string_view kMetaUpgrade = "upgrading_from";

/// Lists of messages. The first byte of their keys in `postings` and `trimmed`.
enum class Feed : char {
    to_agent = 'a',            // owner: agent id; direct messages to it
    from_agent = 'f',          // owner: agent id; everything it sent
    broadcasts = 'b',          // owner: ""
    spelled_broadcasts = 'B',  // owner: ""; broadcasts whose sender wrote "broadcast"
    channel = 'c',             // owner: channel name; placed by channel seq instead of seq
    replies = 'r',             // owner: reply_to as the sender wrote it
    thread = 't',              // owner: id of the root; all messages of the thread but the root
};

inline constexpr std::size_t kMaxIdempotencyKeyBytes = 255;

inline std::string be64_key(std::uint64_t value) {
    std::string key;
    append_be64(key, value);
    return key;
}

/// What all keys of one list begin with; `out` is replaced.
inline void make_feed_prefix(std::string& out, Feed feed, std::string_view owner) {
    out.clear();
    out.push_back(static_cast<char>(feed));
    append_short_text(out, owner);
}
inline std::string feed_prefix(Feed feed, std::string_view owner) {
    std::string prefix;
    make_feed_prefix(prefix, feed, owner);
    return prefix;
}

inline std::string owner_prefix(std::string_view owner) {
    std::string key;
    append_short_text(key, owner);
    return key;
}
inline std::string pair_key(std::string_view owner, std::string_view member) {
    std::string key = owner_prefix(owner);
    key.append(member);
    return key;
}

inline std::string_view digest_key(const core::TokenDigest& digest) noexcept {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

inline std::string token_expiry_key(core::Timestamp at, std::string_view digest) {
    std::string key = be64_key(static_cast<std::uint64_t>(at.ms));
    key.append(digest);
    return key;
}

inline std::string unclaimed_key(core::Seq seq, std::string_view agent) {
    std::string key = be64_key(seq.value);
    key.append(agent);
    return key;
}

}  // namespace agentcom::store
