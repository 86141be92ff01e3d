#include "crash/support/ledger.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace agentcom::test {
namespace {

/// Mostly small; now and then of some pages of the store.
std::size_t some_size(Random& random) {
    if (random.one_in(25)) return 2'000 + random.below(40'000);
    return random.below(200);
}

}  // namespace

Stream::Stream(std::string agent, std::vector<std::string> recipients,
               std::vector<std::string> channels)
    : agent_(std::move(agent)),
      recipients_(std::move(recipients)),
      channels_(std::move(channels)) {}

std::size_t Stream::next(Random& random) {
    if (!again_.empty()) {
        const std::size_t number = again_.back();
        again_.pop_back();
        return number;
    }
    Sent sent;
    const std::size_t kind = random.below(10);
    if (kind < 5) {
        sent.to = random.pick(recipients_);
    } else if (kind == 5) {
        sent.to = "broadcast";
    } else {
        sent.channel = random.pick(channels_);
    }
    if (random.one_in(6) && !sent_.empty()) sent.reply_to = sent_.front().id;
    sent.payload = {{"n", sent_.size()}, {"pad", std::string(some_size(random), 'x')}};
    sent_.push_back(std::move(sent));
    return sent_.size() - 1;
}

nlohmann::json Stream::frame(std::size_t number) const {
    const Sent& sent = sent_[number];
    nlohmann::json frame = {{"payload", sent.payload},
                            {"idempotency_key", "n" + std::to_string(number)}};
    if (!sent.reply_to.empty()) frame["reply_to"] = sent.reply_to;
    if (sent.channel.empty()) {
        frame["type"] = "message";
        frame["to"] = sent.to;
    } else {
        frame["type"] = "channel_publish";
        frame["channel"] = sent.channel;
    }
    return frame;
}

std::pair<std::string, nlohmann::json> Stream::request(std::size_t number) const {
    nlohmann::json body = frame(number);
    body.erase("type");
    body.erase("channel");
    const std::string& channel = sent_[number].channel;
    return {channel.empty() ? "/api/message" : "/api/channels/" + channel + "/publish",
            std::move(body)};
}

void Stream::acknowledged(std::size_t number, const nlohmann::json& answer) {
    Sent& sent = sent_[number];
    const std::string id = answer.at("id");
    const std::uint64_t seq = answer.at("seq");
    if (!sent.id.empty()) {
        EXPECT_EQ(id, sent.id) << "message " << number << " of " << agent_ << " is stored twice";
    }
    sent.id = id;
    (sent.channel.empty() ? sent.seq : sent.channel_seq) = seq;
    sent.fate = Fate::acknowledged;
    ++acknowledgements_;
}

void Stream::refused(std::size_t number) { sent_[number].fate = Fate::refused; }

void Stream::connection_lost() {
    again_.clear();
    for (std::size_t i = sent_.size(); i-- > 0;) {
        if (sent_[i].fate == Fate::unanswered) again_.push_back(i);
    }
    const auto last = std::find_if(sent_.rbegin(), sent_.rend(), [](const Sent& sent) {
        return sent.fate == Fate::acknowledged;
    });
    if (last != sent_.rend()) {
        again_.push_back(static_cast<std::size_t>(sent_.rend() - last) - 1);
    }
}

void Stream::expect_same(std::size_t number, const nlohmann::json& stored) const {
    const Sent& sent = sent_[number];
    EXPECT_EQ(stored.at("payload"), sent.payload);
    EXPECT_EQ(stored.value("channel", ""), sent.channel);
    if (sent.channel.empty()) {
        EXPECT_EQ(stored.at("to"), sent.to);
    }
    if (!sent.reply_to.empty()) {
        EXPECT_EQ(stored.at("reply_to"), sent.reply_to);
    }
    if (!sent.id.empty()) {
        EXPECT_EQ(stored.at("id"), sent.id);
    }
    if (sent.seq != 0) {
        EXPECT_EQ(stored.at("seq"), sent.seq);
    }
    if (sent.channel_seq != 0) {
        EXPECT_EQ(stored.at("channel_seq"), sent.channel_seq);
    }
}

void Stream::verify(const Stored& stored) {
    SCOPED_TRACE("messages of " + agent_);
    std::size_t next = 0;  // the first number that has not been passed
    bool hole = false;
    const auto pass = [&](std::size_t until) {
        for (; next < until; ++next) {
            ASSERT_NE(sent_[next].fate, Fate::acknowledged)
                << "message " << next << " was acknowledged and is gone";
            hole = hole || sent_[next].fate == Fate::unanswered;
        }
    };
    for (const auto& message : stored.of_sender(agent_)) {
        const std::size_t number = message.at("payload").at("n");
        ASSERT_GE(number, next) << "doubled or out of order";
        ASSERT_LT(number, sent_.size()) << "never sent";
        ASSERT_NO_FATAL_FAILURE(pass(number));
        Sent& sent = sent_[number];
        ASSERT_NE(sent.fate, Fate::refused) << "message " << number << " was refused";
        // What one connection sends is stored in that order, so a crash takes an end of it.
        ASSERT_FALSE(hole && sent.fate == Fate::unanswered) << "a hole before message " << number;
        expect_same(number, message);
        sent.id = message.at("id");
        next = number + 1;
    }
    pass(sent_.size());
}

std::string Stream::some_id(Random& random) const {
    if (sent_.empty()) return {};
    return sent_[random.below(sent_.size())].id;
}

std::vector<std::uint64_t> MailboxLedger::eligible(const Stored& stored) const {
    std::vector<std::uint64_t> seqs;
    for (const auto& message : stored.messages()) {
        if (message.at("from") == agent_) continue;
        const std::string channel = message.value("channel", "");
        const bool mine = channel.empty()
                              ? message.at("to") == agent_ || message.at("to") == "broadcast" ||
                                    message.at("to").is_null()
                              : channels_.contains(channel);
        if (mine) seqs.push_back(message.at("seq"));
    }
    return seqs;
}

void MailboxLedger::verify(const Stored& stored, const std::vector<nlohmann::json>& unread) {
    SCOPED_TRACE("mailbox of " + agent_);
    const auto all = eligible(stored);
    std::vector<std::uint64_t> shown;
    for (const auto& message : unread) shown.push_back(message.at("seq"));
    ASSERT_LE(shown.size(), all.size());
    const auto first = all.end() - static_cast<std::ptrdiff_t>(shown.size());
    ASSERT_EQ(shown, std::vector<std::uint64_t>(first, all.end())) << "not the newest ones";
    // What lies before it was acknowledged; what lies behind a position that was never asked for,
    // or at one that was confirmed, is on the right side of it.
    if (first != all.begin()) {
        ASSERT_LE(*(first - 1), asked_) << "read by nobody, and gone";
    }
    if (first != all.end()) {
        ASSERT_GT(*first, confirmed_) << "acknowledged, and back";
    }
}

void MailboxLedger::verify_pushes(const Stored& stored,
                                  const std::vector<std::uint64_t>& seqs) const {
    if (seqs.empty()) return;
    SCOPED_TRACE("pushes to " + agent_);
    const auto all = eligible(stored);
    const auto first = std::ranges::find(all, seqs.front());
    ASSERT_GE(static_cast<std::size_t>(all.end() - first), seqs.size()) << "pushed and not stored";
    ASSERT_EQ(seqs,
              std::vector<std::uint64_t>(first, first + static_cast<std::ptrdiff_t>(seqs.size())))
        << "a hole, or out of order";
}

}  // namespace agentcom::test
