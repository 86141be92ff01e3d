#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "crash/support/stored.hpp"
#include "fuzz/fuzz.hpp"

namespace agentcom::test {

using fuzz::Random;

/// Something that a request changes: what it is for sure, and what it may be as well while no
/// answer to a request has come. Half-way between the two is always wrong.
template <class State>
class Doubt {
public:
    explicit Doubt(State state) : sure_(std::move(state)) {}

    void ask(State state) { maybe_ = std::move(state); }
    void confirmed() {
        sure_ = std::move(*maybe_);
        maybe_.reset();
    }
    void refused() { maybe_.reset(); }
    [[nodiscard]] bool in_doubt() const { return maybe_.has_value(); }
    [[nodiscard]] const State& sure() const { return sure_; }
    [[nodiscard]] bool allows(const State& state) const {
        return state == sure_ || (maybe_ && state == *maybe_);
    }
    /// It was looked at.
    void settle(State state) {
        sure_ = std::move(state);
        maybe_.reset();
    }

private:
    State sure_;
    std::optional<State> maybe_;
};

/// The messages of one sender, numbered from 0; message n has the idempotency key "n<n>".
class Stream {
public:
    Stream(std::string agent, std::vector<std::string> recipients,
           std::vector<std::string> channels);

    /// The number of the next message to send: one that was sent without an answer before the
    /// connection was lost, or a new one.
    [[nodiscard]] std::size_t next(Random& random);
    [[nodiscard]] nlohmann::json frame(std::size_t number) const;
    /// Path and body over HTTP.
    [[nodiscard]] std::pair<std::string, nlohmann::json> request(std::size_t number) const;

    /// What a frame or an answer over HTTP said of it.
    void acknowledged(std::size_t number, const nlohmann::json& answer);
    /// "Nothing was stored", said the hub.
    void refused(std::size_t number);
    /// The connection has ended: what had no answer is sent again, and the last that had one.
    void connection_lost();
    /// Compares with what a restarted hub has.
    void verify(const Stored& stored);
    [[nodiscard]] std::size_t acknowledgements() const noexcept { return acknowledgements_; }
    [[nodiscard]] const std::string& agent() const noexcept { return agent_; }
    /// The id of the message that later ones answer; empty while it is not known.
    [[nodiscard]] std::string first_id() const { return sent_.empty() ? "" : sent_.front().id; }
    /// The id of some message that was acknowledged; empty when there is none.
    [[nodiscard]] std::string some_id(Random& random) const;

private:
    enum class Fate : std::uint8_t { unanswered, acknowledged, refused };
    struct Sent {
        std::string to;       // agent or "broadcast"; empty for a channel
        std::string channel;  // empty for other messages
        nlohmann::json payload;
        std::string reply_to;  // empty: none
        Fate fate = Fate::unanswered;
        std::string id;                 // once known
        std::uint64_t seq = 0;          // once known
        std::uint64_t channel_seq = 0;  // once known
    };
    void expect_same(std::size_t number, const nlohmann::json& stored) const;

    std::string agent_;
    std::vector<std::string> recipients_;
    std::vector<std::string> channels_;
    std::vector<Sent> sent_;
    std::vector<std::size_t> again_;  // to be sent again, the first one last
    std::size_t acknowledgements_ = 0;
};

/// What one agent may find in its mailbox.
class MailboxLedger {
public:
    MailboxLedger(std::string agent, std::set<std::string> channels)
        : agent_(std::move(agent)), channels_(std::move(channels)) {}

    /// A message was shown, by a poll or a push.
    void shown(std::uint64_t seq) { shown_ = std::max(shown_, seq); }
    [[nodiscard]] std::uint64_t newest_shown() const noexcept { return shown_; }
    void ack_sent(std::uint64_t seq) { asked_ = std::max(asked_, seq); }
    void ack_confirmed(std::uint64_t seq) { confirmed_ = std::max(confirmed_, seq); }
    [[nodiscard]] std::uint64_t asked() const noexcept { return asked_; }
    [[nodiscard]] std::uint64_t confirmed() const noexcept { return confirmed_; }

    /// The mailbox as a restarted hub shows it: all that was stored for the agent behind some
    /// position that it had acknowledged, and nothing else.
    void verify(const Stored& stored, const std::vector<nlohmann::json>& unread);
    /// Frames that one connection with acks was pushed: they follow one another in the mailbox.
    void verify_pushes(const Stored& stored, const std::vector<std::uint64_t>& seqs) const;
    [[nodiscard]] const std::string& agent() const noexcept { return agent_; }

private:
    [[nodiscard]] std::vector<std::uint64_t> eligible(const Stored& stored) const;

    std::string agent_;
    std::set<std::string> channels_;  // subscribed to before the first message
    std::uint64_t shown_ = 0;
    std::uint64_t asked_ = 0;
    std::uint64_t confirmed_ = 0;
};

}  // namespace agentcom::test
