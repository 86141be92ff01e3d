// The part of Examiner that looks at agents, tokens, and the store's own numbers.

#include <algorithm>

#include "store/examiner.hpp"
#include "store/schema.hpp"

namespace agentcom::store {

void Examiner::look_at_meta() {
    const MDB_dbi meta = txn_.tables().meta;
    const auto number = [&](std::string_view key) -> std::optional<std::uint64_t> {
        try {
            if (const auto row = txn_.get(meta, key)) return parse_number(*row);
            find("the store has no " + std::string(key));
        } catch (const DamagedStore& error) {
            find("the store's " + std::string(key) + " is damaged: " + error.what());
        }
        return std::nullopt;
    };
    found_.schema = number(kMetaSchema).value_or(0);
    try {
        if (const auto epoch = txn_.get(meta, kMetaEpoch)) {
            epochs_ = Epochs::parse(*epoch, txn_.get(meta, kMetaEarlierEpochs));
            found_.epoch = epochs_->newest();
        } else {
            find("the store has no epoch");
        }
    } catch (const DamagedStore& error) {
        find(std::string("the store's epoch is damaged: ") + error.what());
    }
    try {
        if (const auto row = txn_.get(meta, kMetaState)) stored_state_ = StateRow::parse(*row);
    } catch (const DamagedStore&) {
        // compare_state says so when it is known what it should be.
    }
    if (stored_state_) {
        state_.evicted = stored_state_->evicted;
        found_.head = stored_state_->head;
    }
}

void Examiner::look_at_settings() {
    walk("settings", txn_.tables().settings,
         [](std::string_view, std::string_view value) { (void)parse_number(value); });
}

void Examiner::look_at_agents() {
    std::vector<std::pair<std::string, core::Seq>> made;  // unclaimed mailboxes, by creator
    walk("agents", txn_.tables().agents, [&](std::string_view key, std::string_view value) {
        (void)stored_agent_id(key);
        const AgentRow row = AgentRow::parse(value);
        agents_.emplace(std::string(key), Agent{row.claimed, row.born});
        if (!row.claimed) {
            ++state_.unclaimed_mailboxes;
            if (!row.creator.empty()) made.emplace_back(row.creator, row.born);
        }
        if (!stored_state_) return;
        const core::Seq head = stored_state_->head;
        require(row.cursor <= head, "it has acknowledged more than there is");
        require(row.born <= head, "it was made later than the newest message");
        for (const auto* spans : {&row.spans, &row.acked, &row.shown}) {
            core::Seq before;
            for (const ReadSpan& span : *spans) {
                require(span.after < span.up_to && span.up_to <= head && before <= span.after,
                        "the stretches it has read are out of order");
                before = span.up_to;
            }
        }
    });
    for (const auto& [creator, born] : made) {
        if (may_be_of(creator, born)) ++usage_[creator].unclaimed_mailboxes;
    }
}

bool Examiner::may_be_of(std::string_view agent, core::Seq born) const {
    const auto known = agents_.find(agent);
    return known == agents_.end() || counts_against(known->second.born, born);
}

void Examiner::look_at_tokens() {
    const Tables& tables = txn_.tables();
    walk("tokens", tables.tokens, [&](std::string_view key, std::string_view value) {
        require(key.size() == sizeof(core::TokenDigest), "its key is no digest");
        const TokenRecord token = parse_token(value);
        const std::string& agent = token.agent.str();
        if (!txn_.get(tables.tokens_by_agent, pair_key(agent, key))) {
            find("a token of " + shown(agent) + " is in no list, so it cannot be revoked",
                 [key = pair_key(agent, key)](WriteTransaction& txn) {
                     txn.put(txn.tables().tokens_by_agent, key, "");
                 });
        }
        if (!agents_.contains(std::string_view(agent))) {
            find("the agent " + shown(agent) + " has a token and no mailbox");
        }
        if (!token.expires_at) return;
        const std::string expiry = token_expiry_key(*token.expires_at, key);
        if (!txn_.get(tables.token_expiry, expiry)) {
            find("a token of " + shown(agent) +
                     " is in no order, so it is not dropped when it "
                     "has expired",
                 [expiry](WriteTransaction& txn) {
                     txn.put(txn.tables().token_expiry, expiry, "");
                 });
        }
    });
    walk("token_expiry", tables.token_expiry, [&](std::string_view key, std::string_view) {
        const core::Timestamp at{static_cast<std::int64_t>(read_be64(key))};
        const auto token = txn_.get(tables.tokens, key.substr(sizeof(std::uint64_t)));
        if (!token || parse_token(*token).expires_at != at) {
            find_dangling("the order of tokens that expire has one that is gone",
                          tables.token_expiry, key);
        }
    });
    walk("tokens_by_agent", tables.tokens_by_agent, [&](std::string_view key, std::string_view) {
        const auto [agent, digest] = parse_pair(key);
        const auto token = txn_.get(tables.tokens, digest);
        if (!token || parse_token(*token).agent.str() != agent) {
            find_dangling("a token is listed for " + shown(agent) + " that it does not have",
                          tables.tokens_by_agent, key);
        }
    });
}

void Examiner::look_at_web_sessions() {
    const Tables& tables = txn_.tables();
    walk("web_sessions", tables.web_sessions, [&](std::string_view key, std::string_view value) {
        require(key.size() == sizeof(core::TokenDigest), "its key is no digest");
        const WebSessionRecord session = parse_web_session(value);
        const std::string listed = std::string(digest_key(session.token)).append(key);
        const std::string expiry = token_expiry_key(session.expires_at, key);
        if (!txn_.get(tables.tokens, digest_key(session.token))) {
            find_dangling("a session in a browser was left by its token", tables.web_sessions, key);
        } else if (!txn_.get(tables.web_sessions_by_token, listed) ||
                   !txn_.get(tables.web_session_expiry, expiry)) {
            find("a session in a browser is in no list, so it does not end with its token",
                 [listed, expiry](WriteTransaction& txn) {
                     txn.put(txn.tables().web_sessions_by_token, listed, "");
                     txn.put(txn.tables().web_session_expiry, expiry, "");
                 });
        }
    });
    const auto session_at = [&](std::string_view digest) {
        const auto row = txn_.get(tables.web_sessions, digest);
        return row ? std::optional(parse_web_session(*row)) : std::nullopt;
    };
    walk("web_session_expiry", tables.web_session_expiry,
         [&](std::string_view key, std::string_view) {
             const core::Timestamp at{static_cast<std::int64_t>(read_be64(key))};
             const auto session = session_at(key.substr(sizeof(std::uint64_t)));
             if (!session || session->expires_at != at) {
                 find_dangling("the order of sessions that expire has one that is gone",
                               tables.web_session_expiry, key);
             }
         });
    walk("web_sessions_by_token", tables.web_sessions_by_token,
         [&](std::string_view key, std::string_view) {
             require(key.size() == 2 * sizeof(core::TokenDigest), "its key is no pair of digests");
             const auto session = session_at(key.substr(sizeof(core::TokenDigest)));
             if (!session ||
                 digest_key(session->token) != key.substr(0, sizeof(core::TokenDigest))) {
                 find_dangling("a session in a browser is listed that is gone",
                               tables.web_sessions_by_token, key);
             }
         });
}

void Examiner::look_at_copies() {
    const MDB_dbi table = txn_.tables().copies;
    walk("copies", table, [&](std::string_view key, std::string_view value) {
        const CopiesRow row = CopiesRow::parse(value);
        require(std::ranges::is_sorted(row.seqs), "its messages are out of order");
        if (!agents_.contains(key)) {
            find_dangling("copies are kept for " + shown(key) + ", which has no mailbox", table,
                          key);
        }
    });
}

void Examiner::look_at_unclaimed() {
    ByName<bool> listed;
    // The row of it may be one of those that are put right. A lower number is looked at sooner.
    const core::Seq head = stored_state_ ? stored_state_->head : core::Seq{};
    walk("unclaimed", txn_.tables().unclaimed, [&](std::string_view key, std::string_view) {
        (void)read_be64(key);
        listed.emplace(key.substr(sizeof(std::uint64_t)), true);
    });
    for (const auto& [agent, row] : agents_) {
        if (row.claimed || listed.contains(std::string_view(agent))) continue;
        find("the mailbox " + shown(agent) +
                 ", which nobody has a token for, is not listed to be "
                 "forgotten",
             [key = unclaimed_key(head, agent)](WriteTransaction& txn) {
                 txn.put(txn.tables().unclaimed, key, "");
             });
    }
}

void Examiner::look_at_idempotency() {
    const Tables& tables = txn_.tables();
    walk("idempotency_keys", tables.idempotency_keys,
         [&](std::string_view key, std::string_view value) {
             const IdempotencyRow row = IdempotencyRow::parse(value);
             const auto order = txn_.get(tables.idempotency_order, be64_key(row.seq.value));
             if (order && KeyOrderRow::parse(*order).key == key) return;
             // Without its place in the order it would be remembered for ever.
             find("an idempotency key of message " + std::to_string(row.seq.value) +
                      " is in no order, so it does not run out",
                  [key = std::string(key), row](WriteTransaction& txn) {
                      txn.put(txn.tables().idempotency_order, be64_key(row.seq.value),
                              KeyOrderRow{row.stored, key}.encode());
                  });
         });
    // One whose key is gone runs out like the others.
    walk("idempotency_order", tables.idempotency_order,
         [](std::string_view key, std::string_view value) {
             (void)read_be64(key);
             (void)KeyOrderRow::parse(value);
         });
}

void Examiner::look_at_endings() {
    walk("endings", txn_.tables().endings,
         [](std::string_view key, std::string_view) { (void)stored_agent_id(key); });
}

void Examiner::compare_state() {
    struct Number {
        const char* name;
        std::uint64_t StateRow::*value;
    };
    static constexpr std::array kNumbers{
        Number{"unclaimed mailboxes", &StateRow::unclaimed_mailboxes},
        Number{"channels", &StateRow::channels},
        Number{"kept messages", &StateRow::kept},
        Number{"bytes of kept messages", &StateRow::kept_bytes},
        Number{"bytes of the log", &StateRow::log_bytes},
    };
    // What cannot be read cannot be counted; an empty log begins behind the newest message.
    if (stored_state_ && !log_is_whole_) state_.log_bytes = stored_state_->log_bytes;
    if (stored_state_ && state_.head.value == 0) state_.first = stored_state_->head.next();
    const auto fix = [right = state_](WriteTransaction& txn) {
        StateRow changed;
        changed.clock = right.clock;
        try {
            if (const auto row = txn.get(txn.tables().meta, kMetaState)) {
                changed = StateRow::parse(*row);
            }
        } catch (const DamagedStore&) {
            // All of it is made anew.
        }
        for (const Number& number : kNumbers) changed.*number.value = right.*number.value;
        changed.head = std::max(changed.head, right.head);
        changed.first = right.first;
        changed.last_timestamp = std::max(changed.last_timestamp, right.last_timestamp);
        txn.put(txn.tables().meta, kMetaState, changed.encode());
    };
    if (!stored_state_) {
        // With an empty log nobody knows which numbers were given out.
        if (log_is_whole_ && state_.head.value > 0) {
            find("the store's own numbers are missing or damaged", fix);
        } else {
            find("the store's own numbers are missing or damaged");
        }
        return;
    }
    bool wrong = false;
    const auto compare = [&](const std::string& name, std::uint64_t stored, std::uint64_t right) {
        if (stored == right) return;
        const std::string text = "the store counts " + std::to_string(stored) + ' ' + name +
                                 " and has " + std::to_string(right);
        // One change puts all of them right.
        if (std::exchange(wrong, true)) {
            find(text, [](WriteTransaction&) {});
        } else {
            find(text, fix);
        }
    };
    for (const Number& number : kNumbers) {
        compare(number.name, (*stored_state_).*number.value, state_.*number.value);
    }
    if (state_.head > stored_state_->head) {
        compare("as the newest message", stored_state_->head.value, state_.head.value);
    } else if (state_.head.value != 0 && state_.head < stored_state_->head) {
        find("the newest messages of the log are missing: it ends with " +
             std::to_string(state_.head.value) + " instead of " +
             std::to_string(stored_state_->head.value));
    }
    compare("as the oldest message", stored_state_->first.value, state_.first.value);
    if (stored_state_->evicted > stored_state_->head) {
        find("the store has evicted messages that it does not have yet");
    }
    if (newest_ > stored_state_->last_timestamp) {
        compare("ms as the newest time",
                static_cast<std::uint64_t>(stored_state_->last_timestamp.ms),
                static_cast<std::uint64_t>(newest_.ms));
    }
}

}  // namespace agentcom::store
