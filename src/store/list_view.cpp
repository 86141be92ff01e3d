#include "store/list_view.hpp"

#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "store/channel_access.hpp"
#include "store/cursor.hpp"
#include "store/keys.hpp"
#include "store/rows.hpp"

namespace agentcom::store {
namespace {

/// What an entry takes besides its texts, as JSON.
constexpr std::uint64_t kRowBytes = 200;
/// A cursor in the list of tokens is the key of the last one shown, with so much of its digest.
constexpr std::size_t kCursorDigestBytes = 16;

/// Every stored name is shorter, so cutting a longer one does not change what lies behind it, and
/// LMDB takes it as a key.
std::string_view cut(std::string_view name) { return name.substr(0, core::kMaxAgentIdBytes + 1); }

/// Walks the keys that begin with `prefix`, from behind `prefix` + `after`. `size(rest of the key,
/// value)` is what an entry takes, `make` makes it, or nothing when it is not to be shown. Returns
/// how far it has come.
template <class T, class Size, class Make>
std::string walk(const Transaction& txn, MDB_dbi table, const std::string& prefix,
                 std::string_view after, core::Budget& budget, core::Page<T>& page, Size&& size,
                 Make&& make) {
    const std::string start = prefix + std::string(after);
    Cursor cursor(txn, table);
    bool more = start.empty() ? cursor.first() : cursor.at_or_after(start);
    if (more && !after.empty() && cursor.key() == start) more = cursor.next();
    std::string passed(after);
    for (; more && cursor.key().starts_with(prefix); more = cursor.next()) {
        const std::string_view rest = cursor.key().substr(prefix.size());
        if (!budget.step()) {
            page.more = true;
            break;
        }
        // One that is damaged is passed over.
        const bool fits = read_or(txn, "a list", true, [&] {
            const std::string_view value = cursor.value();
            auto entry = make(rest, value);
            if (!entry) return true;
            if (!budget.take(size(rest, value))) return false;
            page.entries.push_back(std::move(*entry));
            return true;
        });
        if (!fits) {
            page.more = true;
            break;
        }
        passed = rest;
    }
    return passed;
}

std::uint64_t name_size(std::string_view name, std::string_view) { return 2 * name.size() + 3; }

std::optional<std::string> from_hex(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        unsigned char value = 0;
        const char* const end = text.data() + i + 2;
        const auto [stopped, error] = std::from_chars(text.data() + i, end, value, 16);
        if (error != std::errc() || stopped != end) return std::nullopt;
        bytes.push_back(static_cast<char>(value));
    }
    return bytes;
}

/// Nothing when the text is not a cursor.
std::optional<std::string> parse_token_cursor(std::string_view text) {
    constexpr std::size_t kMaxBytes = 1 + core::kMaxAgentIdBytes + kCursorDigestBytes;
    if (text.size() > 2 * kMaxBytes) return std::nullopt;
    auto key = from_hex(text);
    if (!key || key->empty()) return std::nullopt;
    const std::size_t agent = static_cast<unsigned char>(key->front());
    if (key->size() != 1 + agent + kCursorDigestBytes) return std::nullopt;
    return key;
}

}  // namespace

core::result<TokenPage> read_tokens(const Transaction& txn, std::string_view cursor,
                                    const std::optional<std::string_view>& agent,
                                    core::Budget& budget) {
    TokenPage page;
    // Longer ones cannot have been stored, and would not fit a key.
    if (agent && agent->size() > core::kMaxAgentIdBytes) return page;
    const std::string prefix = agent ? owner_prefix(*agent) : std::string();
    Cursor list(txn, txn.tables().tokens_by_agent);
    bool more = false;
    if (cursor.empty()) {
        more = prefix.empty() ? list.first() : list.at_or_after(prefix);
    } else {
        const auto last = parse_token_cursor(cursor);
        if (!last) {
            return core::Error(core::ErrorCode::invalid_field, "cursor",
                               "cursor must be one of an earlier answer");
        }
        more = list.at_or_after(*last);
        if (more && list.key().starts_with(*last)) more = list.next();
        if (more && list.key() < prefix) more = list.at_or_after(prefix);
    }
    std::string last;
    for (; more && list.key().starts_with(prefix); more = list.next()) {
        constexpr std::size_t kDigestBytes = std::tuple_size_v<core::TokenDigest>;
        const std::string_view key = list.key();
        std::uint64_t size = 0;
        const auto token = read_or(txn, "a token", std::optional<TokenRecord>(), [&] {
            if (key.size() <= kDigestBytes) throw DamagedStore("it is listed under a wrong key");
            const auto row = txn.get(txn.tables().tokens, key.substr(key.size() - kDigestBytes));
            if (!row) throw DamagedStore("it is listed and not there");
            size = kRowBytes + 2 * key.size() + 6 * row->size();
            return std::optional(parse_token(*row));
        });
        if (!token) continue;
        if (!budget.step() || !budget.take(size)) {
            page.more = true;
            page.cursor = last.empty() ? std::string(cursor) : to_hex(last);
            break;
        }
        page.entries.push_back(*token);
        last = key.substr(0, key.size() - kDigestBytes + kCursorDigestBytes);
    }
    return page;
}

std::optional<HolderRecord> read_holder(const Transaction& txn, std::string_view agent,
                                        core::Timestamp now) {
    const std::string prefix = owner_prefix(agent);
    Cursor list(txn, txn.tables().tokens_by_agent);
    std::optional<HolderRecord> holder;
    for (bool more = list.at_or_after(prefix); more && list.key().starts_with(prefix);
         more = list.next()) {
        const auto token = read_or(txn, "a token", std::optional<TokenRecord>(), [&] {
            const auto row = txn.get(txn.tables().tokens, list.key().substr(prefix.size()));
            if (!row) throw DamagedStore("it is listed and not there");
            return std::optional(parse_token(*row));
        });
        if (!token || token->expired(now)) continue;
        if (!holder) holder = HolderRecord{token->agent, token->role};
        if (token->role == core::Role::admin || holder->role == core::Role::observer) {
            holder->role = token->role;
        }
    }
    return holder;
}

core::Page<HolderRecord> read_holders(const Transaction& txn, std::string_view after,
                                      core::Timestamp now, core::Budget& budget) {
    // No digest is greater, so it stands behind all tokens of the agent.
    const std::string beyond_digest(std::tuple_size_v<core::TokenDigest>, '\xff');
    core::Page<HolderRecord> page;
    Cursor list(txn, txn.tables().tokens_by_agent);
    bool more = after.empty() ? list.first() : list.at_or_after(pair_key(after, beyond_digest));
    while (more) {
        if (!budget.step()) {
            page.more = true;
            break;
        }
        const std::string_view key = list.key();
        const std::size_t size = static_cast<unsigned char>(key.front());
        if (key.size() != 1 + size + beyond_digest.size()) {
            txn.report_damage("the list of tokens: a wrong key");
            more = list.next();
            continue;
        }
        const std::string agent(key.substr(1, size));
        if (auto holder = read_holder(txn, agent, now)) {
            if (!budget.take(kRowBytes + size)) {
                page.more = true;
                break;
            }
            page.entries.push_back(std::move(*holder));
        }
        more = list.at_or_after(pair_key(agent, beyond_digest));
    }
    return page;
}

ChannelPage read_channels(const Transaction& txn, std::string_view after, core::Budget& budget,
                          const std::optional<Viewer>& viewer) {
    ChannelPage page;
    page.cursor = walk(
        txn, txn.tables().channels, "", cut(after), budget, page,
        // A control character of the description is escaped with six bytes.
        [](std::string_view name, std::string_view row) {
            return kRowBytes + name.size() + 6 * row.size();
        },
        [&](std::string_view name, std::string_view row) -> std::optional<ChannelRecord> {
            ChannelRecord channel = parse_channel(stored_channel_name(name), row);
            if (!may_know(txn, channel, viewer)) return std::nullopt;
            return channel;
        });
    return page;
}

core::Page<core::AgentId> read_subscribers(const Transaction& txn, const core::ChannelName& name,
                                           std::string_view after, core::Budget& budget) {
    core::Page<core::AgentId> page;
    walk(txn, txn.tables().subscribers, owner_prefix(name.str()), cut(after), budget, page,
         name_size, [](std::string_view agent, std::string_view) {
             return std::optional(stored_agent_id(agent));
         });
    return page;
}

ChannelNamePage read_subscriptions(const Transaction& txn, std::string_view agent,
                                   std::string_view after, core::Budget& budget,
                                   const std::optional<Viewer>& viewer) {
    ChannelNamePage page;
    // A deleted channel's subscriptions end one after the other; until then nobody is shown them.
    const bool removing = Cursor(txn, txn.tables().removals).first();
    const auto is_shown = [&](std::string_view channel) {
        if (removing && txn.get(txn.tables().removals, channel)) return false;
        if (!viewer) return true;
        const auto row = txn.get(txn.tables().channels, channel);
        return row && may_know(txn, parse_channel(stored_channel_name(channel), *row), viewer);
    };
    page.cursor = walk(
        txn, txn.tables().subscriptions, owner_prefix(agent), cut(after), budget, page, name_size,
        [&](std::string_view channel, std::string_view) -> std::optional<core::ChannelName> {
            if (!is_shown(channel)) return std::nullopt;
            return stored_channel_name(channel);
        });
    return page;
}

}  // namespace agentcom::store
