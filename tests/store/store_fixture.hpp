#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "agentcom/store/store.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::store {

inline core::AgentId agent(std::string_view text) { return core::AgentId::parse(text).value(); }
inline core::ChannelName channel(std::string_view text) {
    return core::ChannelName::parse(text).value();
}

/// Reads a mailbox to the end, over as many turns as it takes.
inline MailboxView read_mailbox(const Store& store, const MailboxQuery& query,
                                core::PageLimit limit) {
    MailboxView view;
    core::Budget budget(limit);
    while (!view.complete()) {
        budget.next_turn();
        store.read_mailbox(query, budget, view);
    }
    return view;
}

/// A started store in a directory of its own, with a clock that stands still.
class StoreTest : public ::testing::Test {
protected:
    void SetUp() override {
        options_.directory = dir_.path() / "data";
        options_.map_size = std::size_t{1} << 30;
        // All of these tests also run with commits deferred as long as nobody waits for one.
        if (std::getenv("AGENTCOM_TEST_DEFER_COMMITS")) options_.reads_that_wait = core::kUnbounded;
        reopen();
    }
    void TearDown() override { store_.reset(); }

    void reopen() {
        store_.reset();
        store_ = Store::open(options_, clock_);
        store_->start(nullptr);
    }

    /// From now on no commit is deferred.
    void commit_at_once() {
        options_.defer_commits = false;
        reopen();
    }

    template <class Value>
    Value write(WriteOp op) {
        const WriteResult result = store_->submit_and_wait(std::move(op));
        if (!result) throw std::runtime_error("refused: " + result.error().wire_name());
        return std::get<Value>(*result);
    }
    core::ErrorCode error_of(WriteOp op) {
        const WriteResult result = store_->submit_and_wait(std::move(op));
        if (result) throw std::runtime_error("was not refused");
        return result.error().code;
    }

    static AppendMessage direct(std::string_view from, std::string_view to,
                                std::string payload = "{}") {
        return AppendMessage{core::Draft{agent(from), core::ToAgent{agent(to)}, "chat",
                                         core::JsonText{std::move(payload)}, std::nullopt},
                             std::nullopt};
    }
    static AppendMessage broadcast(std::string_view from, bool spelled = false) {
        return AppendMessage{core::Draft{agent(from), core::ToEveryone{spelled}, "chat",
                                         core::JsonText{"{}"}, std::nullopt},
                             std::nullopt};
    }
    static AppendMessage publication(std::string_view from, std::string_view to) {
        return AppendMessage{core::Draft{agent(from), core::ToChannel{channel(to)}, "chat",
                                         core::JsonText{"{}"}, std::nullopt},
                             std::nullopt};
    }
    core::MessagePtr append(AppendMessage op) { return write<Appended>(std::move(op)).message; }
    /// All at once, so that they share a few commits; every one must succeed.
    std::vector<core::MessagePtr> append_all(std::vector<AppendMessage> ops) {
        std::vector<core::MessagePtr> messages(ops.size());
        std::vector<Submission> submissions;
        std::promise<void> all;
        for (std::size_t i = 0; i < ops.size(); ++i) {
            submissions.push_back(Submission{std::move(ops[i]),
                                             [&messages, &all, i](const WriteResult& result) {
                                                 if (result) {
                                                     messages[i] =
                                                         std::get<Appended>(*result).message;
                                                 }
                                                 if (i + 1 == messages.size()) all.set_value();
                                             },
                                             kNoLoop});
        }
        store_->submit(std::move(submissions));
        all.get_future().wait();
        for (const auto& message : messages) {
            if (!message) throw std::runtime_error("an append was refused");
        }
        return messages;
    }
    core::MessagePtr reply(AppendMessage op, std::string_view to) {
        op.draft.reply_to = std::string(to);
        return append(std::move(op));
    }

    static core::TokenDigest digest(std::uint8_t number) {
        core::TokenDigest out{};
        out[0] = number;
        return out;
    }
    [[nodiscard]] core::Timestamp in(std::int64_t ms) const {
        return core::Timestamp{clock_.now().ms + ms};
    }

    void create_agent(std::string_view name) {
        CreateToken op{agent(name), {}, "01234567", core::Role::agent};
        std::copy_n(name.begin(), std::min<std::size_t>(name.size(), 32), op.digest.begin());
        write<Done>(op);
    }
    void create_channel(std::string_view name) {
        write<Done>(CreateChannel{channel(name), "about", agent("maker")});
    }
    void subscribe(std::string_view who, std::string_view name) {
        write<SubscriptionChanged>(Subscribe{channel(name), agent(who)});
    }
    void unsubscribe(std::string_view who, std::string_view name) {
        write<SubscriptionChanged>(Unsubscribe{channel(name), agent(who)});
    }
    /// By one to whom everything has been shown.
    core::Seq ack(std::string_view who, std::uint64_t up_to) {
        return ack(who, up_to, {{core::Seq{0}, core::Seq{core::kMaxSeq}}});
    }
    core::Seq ack(std::string_view who, std::uint64_t up_to, std::vector<ReadSpan> shown) {
        return write<CursorMoved>(AckMailbox{agent(who), core::Seq{up_to}, std::move(shown)})
            .cursor;
    }
    void mark_read(std::string_view who, std::uint64_t after, std::uint64_t up_to) {
        write<Done>(MarkRead{agent(who), ReadSpan{core::Seq{after}, core::Seq{up_to}}});
    }

    /// A poll and how many of the messages it wants.
    struct Poll : MailboxQuery {
        std::uint64_t limit = 100;
    };
    static Poll query(const core::AgentId& who) { return {{.agent = who}}; }
    static Poll query(std::string_view who) { return query(agent(who)); }
    MailboxView read(const Poll& poll) { return read(poll, {.count = poll.limit}); }
    MailboxView read(const MailboxQuery& poll, core::PageLimit limit) {
        return read_mailbox(*store_, poll, limit);
    }
    /// The first `count`, whatever their bytes and the work.
    template <class Read>
    static auto read_all(std::uint64_t count, Read&& read) {
        core::Budget budget({.count = count, .steps = core::kUnbounded});
        return read(budget).entries;
    }
    template <class Read>
    static auto read_all(Read&& read) {
        return read_all(core::kUnbounded, read);
    }
    std::vector<core::MessagePtr> history(const HistoryQuery& of, std::uint64_t count) {
        return read_all(count, [&](core::Budget& budget) { return store_->history(of, budget); });
    }
    std::vector<core::MessagePtr> thread(std::string_view root, core::Seq after,
                                         std::uint64_t count) {
        return read_all(count,
                        [&](core::Budget& budget) { return store_->thread(root, after, budget); });
    }
    std::vector<core::MessagePtr> replies(std::string_view to, core::Seq after,
                                          std::uint64_t count) {
        return read_all(count,
                        [&](core::Budget& budget) { return store_->replies(to, after, budget); });
    }
    std::vector<core::MessagePtr> channel_history(std::string_view name,
                                                  std::optional<std::uint64_t> since,
                                                  std::uint64_t count) {
        ChannelHistoryQuery of{channel(name), std::nullopt, std::nullopt};
        if (since) of.since = core::ChannelSeq{*since};
        return read_all(count,
                        [&](core::Budget& budget) { return store_->channel_history(of, budget); });
    }
    std::vector<TokenRecord> tokens() {
        return read_all([&](core::Budget& budget) { return *store_->list_tokens("", budget); });
    }
    std::vector<ChannelRecord> channels() {
        return read_all([&](core::Budget& budget) { return store_->list_channels("", budget); });
    }
    std::vector<core::AgentId> subscribers(std::string_view name) {
        return read_all(
            [&](core::Budget& budget) { return store_->subscribers(channel(name), "", budget); });
    }
    std::vector<core::ChannelName> subscriptions(std::string_view who) {
        return read_all(
            [&](core::Budget& budget) { return store_->subscriptions(who, "", budget); });
    }
    MailboxView mailbox(std::string_view who) { return read(query(who)); }
    static std::vector<std::uint64_t> seqs(const std::vector<core::MessagePtr>& messages) {
        std::vector<std::uint64_t> out;
        for (const auto& message : messages) out.push_back(message->seq.value);
        return out;
    }
    std::vector<std::uint64_t> unread(std::string_view who) { return seqs(mailbox(who).messages); }

    using Seqs = std::vector<std::uint64_t>;

    test::TempDir dir_;
    core::ManualClock clock_;
    StoreOptions options_;
    std::unique_ptr<Store> store_;
};

}  // namespace agentcom::store
