// Mailboxes against a slow and obvious model: random sends, subscriptions, acknowledgements, live
// connections, evictions, clock moves and kills on a real store, and after every few of them the
// mailbox of every agent must be what the model says. The model keeps, for every agent, the plain
// list of what is unread, and for every number of the log whether it was shown and acknowledged; it
// knows no cursors into shared feeds, no spans and no blocks.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agentcom/store/store.hpp"
#include "fuzz/fuzz.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::fuzz {
namespace {

using core::AgentId;
using core::ChannelName;

AgentId agent_id(const std::string& name) { return AgentId::parse(name).value(); }
ChannelName channel_name(const std::string& name) { return ChannelName::parse(name).value(); }

enum class Way { direct, broadcast, channel };

struct Sent {
    std::uint64_t seq = 0;
    std::int64_t timestamp = 0;
};

struct Copy {
    Sent sent;
    Way way = Way::direct;
    std::string channel;
    bool kept = false;  // of a channel that it has left meanwhile
};

/// One agent's mailbox as the contract describes it: a list.
struct ModelAgent {
    bool claimed = false;
    std::uint64_t cursor = 0;
    std::uint64_t dropped = 0;  // newest of the kept that found no room
    std::set<std::string> channels;
    std::vector<Copy> unread;  // in order
    std::vector<bool> shown;   // by number
    std::vector<bool> acked;

    [[nodiscard]] bool is_acked(std::uint64_t seq) const {
        return seq <= cursor || (seq < acked.size() && acked[seq]);
    }
};

void mark(std::vector<bool>& numbers, const store::ReadSpan& span, std::uint64_t most) {
    if (numbers.size() <= most) numbers.resize(most + 1);
    for (std::uint64_t n = span.after.value + 1; n <= std::min(span.up_to.value, most); ++n) {
        numbers[n] = true;
    }
}

class Model {
public:
    std::map<std::string, ModelAgent> agents;
    std::uint64_t head = 0;
    std::uint64_t evicted = 0;
    std::int64_t last_timestamp = 0;
    std::vector<Sent> log;

    void send(const std::string& from, Way way, const std::string& to, std::int64_t now) {
        last_timestamp = std::max(last_timestamp, now);
        const Sent sent{++head, last_timestamp};
        log.push_back(sent);
        if (way == Way::direct) {
            agents[to].unread.push_back({sent, way, {}});
            return;
        }
        for (auto& [name, agent] : agents) {
            if (name == from) continue;
            const bool reached =
                way == Way::broadcast ? agent.claimed : agent.channels.contains(to);
            if (reached) agent.unread.push_back({sent, way, to});
        }
    }
    /// What is unread stays unread, as far as there is room for it.
    void leave_channel(const std::string& who, const std::string& channel) {
        constexpr std::ptrdiff_t kMostKept = 1'000;
        ModelAgent& agent = agents[who];
        if (agent.channels.erase(channel) == 0) return;
        for (Copy& copy : agent.unread) {
            if (copy.way == Way::channel && copy.channel == channel) copy.kept = true;
        }
        std::ptrdiff_t surplus = std::ranges::count_if(agent.unread, &Copy::kept) - kMostKept;
        std::erase_if(agent.unread, [&](const Copy& copy) {
            if (!copy.kept || surplus <= 0) return false;
            --surplus;
            agent.dropped = std::max(agent.dropped, copy.sent.seq);
            return true;
        });
    }
    void show(const std::string& who, const std::vector<store::ReadSpan>& spans) {
        for (const store::ReadSpan& span : spans) mark(agents[who].shown, span, head);
    }
    void ack(const std::string& who, std::uint64_t up_to,
             const std::vector<store::ReadSpan>& spans) {
        ModelAgent& agent = agents[who];
        const std::uint64_t wanted = std::min(up_to, head);
        if (wanted <= agent.cursor) return;
        std::vector<bool> known = agent.shown;
        known.resize(head + 1);
        for (const store::ReadSpan& span : spans) mark(known, span, head);
        const bool is_unread = std::ranges::any_of(
            agent.unread, [&](const Copy& copy) { return copy.sent.seq == up_to; });
        // Shown by an earlier run, with all that comes before it and is not known either.
        if (!known[wanted] && is_unread) {
            for (std::uint64_t n = wanted; n > agent.cursor && !known[n]; --n) known[n] = true;
        }
        agent.acked.resize(head + 1);
        for (std::uint64_t n = agent.cursor + 1; n <= wanted; ++n) {
            if (known[n]) agent.acked[n] = true;
        }
        while (agent.cursor < head && agent.acked[agent.cursor + 1]) ++agent.cursor;
        std::erase_if(agent.unread,
                      [&](const Copy& copy) { return agent.is_acked(copy.sent.seq); });
    }
    /// What a connection without acks was sent.
    void read_live(const std::string& who, std::uint64_t after, std::uint64_t up_to) {
        show(who, {{core::Seq{after}, core::Seq{up_to}}});
        std::erase_if(agents[who].unread, [&](const Copy& copy) {
            return copy.way != Way::channel && copy.sent.seq > after && copy.sent.seq <= up_to;
        });
    }
    void evict(std::int64_t older_than) {
        for (const Sent& sent : log) {
            if (sent.timestamp < older_than) evicted = std::max(evicted, sent.seq);
        }
    }

    struct View {
        std::vector<std::uint64_t> seqs;
        bool truncated = false;
        bool more = false;
    };
    View view(const store::MailboxQuery& query, std::uint64_t limit, std::int64_t now,
              std::int64_t ttl) {
        const std::int64_t oldest = std::max(now, last_timestamp) - ttl;
        // A position beyond the newest message is another store's.
        const std::uint64_t since = query.since.value > head ? 0 : query.since.value;
        std::vector<Copy> unread = agents[query.agent.str()].unread;
        std::erase_if(unread, [&](const Copy& copy) {
            const std::uint64_t seq = copy.sent.seq;
            const bool live = query.live && copy.way != Way::channel &&
                              seq > query.live->after.value && seq <= query.live->up_to.value;
            return live || seq <= since || seq > query.up_to.value;
        });
        View view;
        const ModelAgent& agent = agents[query.agent.str()];
        view.truncated = agent.dropped > since && !agent.is_acked(agent.dropped) &&
                         agent.dropped <= query.up_to.value;
        if (unread.size() > query.cap) {
            unread.erase(unread.begin(), unread.end() - static_cast<long>(query.cap));
            view.truncated = true;
        }
        for (const Copy& copy : unread) {
            if (copy.sent.seq <= evicted || copy.sent.timestamp < oldest) {
                view.truncated = true;
            } else if (view.seqs.size() < limit) {
                view.seqs.push_back(copy.sent.seq);
            } else {
                view.more = true;
            }
        }
        return view;
    }
};

/// The store and the model, driven by the same random steps.
class Duel {
public:
    explicit Duel(std::uint64_t seed) : random_(seed) {
        options_.directory = dir_.path() / "data";
        options_.map_size = std::size_t{1} << 30;
        options_.durability = store::Durability::relaxed;
        // All that is written since the store was opened stays in its journal.
        options_.checkpoint_interval = core::Millis(1'000'000'000);
        reopen();
        for (const char* name : {"a", "b", "c", "d", "E.x"}) names_.emplace_back(name);
        for (const char* name : {"ops", "dev", "all"}) {
            channels_.emplace_back(name);
            submit(store::CreateChannel{channel_name(name), "", agent_id("a")});
        }
        // A mailbox is made by the first message to it, and begins before that.
        for (const std::string& name : names_) {
            model_.agents[name].cursor = model_.head;
            send_one("a", Way::direct, name);
        }
        wait();
    }

    /// A handful of steps, which share one or few commits, and then the comparison.
    void round() {
        if (random_.one_in(40)) random_.one_in(2) ? reopen() : reopen_unclosed();
        if (random_.one_in(3)) {
            clock_.advance(core::Millis{static_cast<std::int64_t>(random_.below(2'000))});
            // Now and then it is set, either way, which is not to matter.
            const auto by = static_cast<std::int64_t>(random_.below(200'000));
            if (random_.one_in(12)) clock_.step(core::Millis{100'000 - by});
        }
        for (std::size_t steps = 1 + random_.below(12); steps > 0; --steps) step();
        wait();
    }
    [[nodiscard]] testing::AssertionResult agree() {
        if (failed_) return testing::AssertionFailure() << "an operation was refused";
        if (store_->head().value != model_.head) {
            return testing::AssertionFailure() << "head " << store_->head().value;
        }
        for (const std::string& name : names_) {
            const AgentId agent = agent_id(name);
            if (store_->mailbox_cursor(agent).value != model_.agents[name].cursor) {
                return testing::AssertionFailure() << "the cursor of " << name;
            }
            const store::MailboxQuery whole{.agent = agent, .cap = 100'000, .live = live(name)};
            if (auto same = compare(whole, 100'000); !same) return same;
            const store::MailboxQuery part = part_of(whole);
            if (auto same = compare(part, random_.below(part.cap + 1)); !same) return same;
            if (auto same = compare_pages(part); !same) return same;
        }
        return testing::AssertionSuccess();
    }
    [[nodiscard]] std::uint64_t messages() const { return model_.head; }

private:
    void reopen() {
        store_.reset();
        store_ = store::Store::open(options_, clock_);
        store_->start(nullptr);
    }
    /// As after a kill: what the journal has is applied again.
    void reopen_unclosed() {
        const auto copy = dir_.path() / ("data-" + std::to_string(++kills_));
        std::filesystem::copy(options_.directory, copy, std::filesystem::copy_options::recursive);
        store_.reset();
        std::filesystem::remove_all(options_.directory);
        options_.directory = copy;
        reopen();
    }
    void submit(store::WriteOp op) {
        pending_.push_back(store::Submission{std::move(op),
                                             [this](const store::WriteResult& result) {
                                                 if (!result) failed_ = true;
                                             },
                                             store::kNoLoop});
    }
    void wait() {
        if (pending_.empty()) return;
        std::promise<void> done;
        auto inner = std::move(pending_.back().completion);
        pending_.back().completion = [&](const store::WriteResult& result) {
            inner(result);
            done.set_value();
        };
        store_->submit(std::exchange(pending_, {}));
        done.get_future().wait();
    }

    void step() {
        const std::string who = random_.pick(names_);
        switch (random_.below(16)) {
            case 0:
            case 1:
            case 2:
            case 3:
                return send(who, Way::direct, random_.pick(names_));
            case 4:
            case 5:
                return send(who, Way::broadcast, {});
            case 6:
            case 7:
            case 8:
                return send(who, Way::channel, random_.pick(channels_));
            case 9:
                return subscribe(who, random_.pick(channels_));
            case 10:
                return unsubscribe(who, random_.pick(channels_));
            case 11:
                return ack(who);
            case 12:
                return connect(who);
            case 13:
            case 14:
                return read(who);
            default:
                return rarely(who);
        }
    }
    void send(const std::string& from, Way way, const std::string& to) {
        // Now and then as many as fill several blocks of a list.
        for (std::size_t count = random_.one_in(60) ? 300 : 1; count > 0; --count) {
            send_one(from, way, to);
        }
    }
    void send_one(const std::string& from, Way way, const std::string& to) {
        core::Destination destination = core::ToEveryone{random_.one_in(2)};
        if (way == Way::direct) destination = core::ToAgent{agent_id(to)};
        if (way == Way::channel) destination = core::ToChannel{channel_name(to)};
        submit(store::AppendMessage{
            core::Draft{agent_id(from), destination, "chat",
                        core::JsonText{std::string(random_.below(200), ' ') + "{}"}, std::nullopt},
            std::nullopt});
        model_.send(from, way, to, store_->time().ms);
    }
    void subscribe(const std::string& who, const std::string& channel) {
        submit(store::Subscribe{channel_name(channel), agent_id(who)});
        model_.agents[who].channels.insert(channel);
    }
    void unsubscribe(const std::string& who, const std::string& channel) {
        submit(store::Unsubscribe{channel_name(channel), agent_id(who)});
        model_.leave_channel(who, channel);
    }
    void ack(const std::string& who) {
        const std::uint64_t up_to =
            random_.one_in(10) ? model_.head + 100 : random_.below(model_.head + 1);
        std::vector<store::ReadSpan> shown;
        if (random_.one_in(2)) {
            shown.push_back({{}, core::Seq{core::kMaxSeq}});
        } else {
            shown = some_spans();
        }
        model_.ack(who, up_to, shown);
        submit(store::AckMailbox{agent_id(who), core::Seq{up_to}, std::move(shown)});
    }
    std::vector<store::ReadSpan> some_spans() {
        std::vector<store::ReadSpan> spans;
        for (std::size_t count = random_.below(3); count > 0; --count) {
            const std::uint64_t after = random_.below(model_.head + 1);
            spans.push_back({core::Seq{after}, core::Seq{after + 1 + random_.below(50)}});
        }
        return spans;
    }
    /// A connection without acks begins; an earlier one ends with what it has read.
    void connect(const std::string& who) {
        disconnect(who);
        connections_[who] = {core::Seq{model_.head}, core::Seq{model_.head}};
    }
    void disconnect(const std::string& who) {
        const auto found = connections_.find(who);
        if (found == connections_.end()) return;
        mark_read(who, found->second);
        connections_.erase(found);
    }
    /// Some of what has come since has been written to the connection.
    void read(const std::string& who) {
        const auto found = connections_.find(who);
        if (found == connections_.end()) return;
        store::ReadSpan& span = found->second;
        span.up_to.value += random_.below(model_.head - span.up_to.value + 1);
        if (random_.one_in(3)) mark_read(who, span);  // as it is stored now and then
        if (random_.one_in(6)) disconnect(who);
    }
    void mark_read(const std::string& who, store::ReadSpan span) {
        if (span.up_to <= span.after || ++marks_[who] > 90) return;  // a hundred are remembered
        submit(store::MarkRead{agent_id(who), span});
        model_.read_live(who, span.after.value, span.up_to.value);
    }
    void rarely(const std::string& who) {
        switch (random_.below(5)) {
            case 4: {
                auto spans = some_spans();
                model_.show(who, spans);
                submit(store::MarkShown{agent_id(who), std::move(spans)});
                return;
            }
            case 0: {
                store::CreateToken op{agent_id(who), {}, "", core::Role::agent};
                std::copy(who.begin(), who.end(), op.digest.begin());
                submit(op);
                model_.agents[who].claimed = true;
                return;
            }
            case 1:
                submit(store::RevokeTokens{who});  // the mailbox goes on
                return;
            case 2: {
                const std::int64_t older_than =
                    store_->time().ms - static_cast<std::int64_t>(random_.below(60'000));
                submit(store::EvictMailboxes{core::Timestamp{older_than}});
                model_.evict(older_than);
                return;
            }
            default:
                ttl_ = 1'000 + static_cast<std::int64_t>(random_.below(200'000));
                submit(store::PutSetting{"mailbox_ttl_ms", static_cast<std::uint64_t>(ttl_)});
                return;
        }
    }

    std::optional<store::ReadSpan> live(const std::string& name) const {
        const auto found = connections_.find(name);
        return found == connections_.end() ? std::nullopt : std::optional(found->second);
    }
    store::MailboxQuery part_of(store::MailboxQuery query) {
        query.since.value = random_.below(model_.head + 2);
        if (random_.one_in(2)) query.up_to.value = random_.below(model_.head + 2);
        query.cap = 1 + random_.below(40);
        return query;
    }
    /// Over as many turns as it takes, most of them short.
    store::MailboxView read(const store::MailboxQuery& query, std::uint64_t limit) {
        store::MailboxView view;
        core::Budget budget({.count = limit, .steps = 1 + random_.below(200)});
        while (!view.complete()) {
            budget.next_turn();
            store_->read_mailbox(query, budget, view);
        }
        return view;
    }
    testing::AssertionResult compare(const store::MailboxQuery& query, std::uint64_t limit) {
        const store::MailboxView got = read(query, limit);
        const Model::View expected = model_.view(query, limit, store_->time().ms, ttl_);
        std::vector<std::uint64_t> seqs;
        for (const core::MessagePtr& message : got.messages) seqs.push_back(message->seq.value);
        if (seqs == expected.seqs && got.truncated == expected.truncated &&
            got.more == expected.more) {
            return testing::AssertionSuccess();
        }
        return testing::AssertionFailure()
               << "mailbox of " << query.agent.str() << " since " << query.since.value << " up to "
               << query.up_to.value << " cap " << query.cap << " limit " << limit << "\n  is       "
               << testing::PrintToString(seqs) << " truncated " << got.truncated << " more "
               << got.more << "\n  expected " << testing::PrintToString(expected.seqs)
               << " truncated " << expected.truncated << " more " << expected.more;
    }
    /// As the backlog of a connection is read: from where the cap lets it begin, piece by piece.
    testing::AssertionResult compare_pages(store::MailboxQuery query) {
        const Model::View expected = model_.view(query, 100'000, store_->time().ms, ttl_);
        core::Seq position = read(query, 0).position;
        query.cap = core::kUnbounded;
        std::vector<std::uint64_t> seqs;
        for (bool more = true; more;) {
            query.since = position;
            const store::MailboxView page = read(query, 1 + random_.below(20));
            for (const auto& message : page.messages) seqs.push_back(message->seq.value);
            if (page.more && page.position <= position) {
                return testing::AssertionFailure() << "a page that leads nowhere";
            }
            position = page.position;
            more = page.more;
        }
        if (seqs == expected.seqs) return testing::AssertionSuccess();
        return testing::AssertionFailure() << "pages of " << query.agent.str() << "\n  are      "
                                           << testing::PrintToString(seqs) << "\n  expected "
                                           << testing::PrintToString(expected.seqs);
    }

    Random random_;
    test::TempDir dir_;
    core::ManualClock clock_;
    store::StoreOptions options_;
    std::unique_ptr<store::Store> store_;
    Model model_;
    std::vector<std::string> names_;
    std::vector<std::string> channels_;
    std::map<std::string, store::ReadSpan> connections_;
    std::map<std::string, int> marks_;
    std::vector<store::Submission> pending_;
    std::int64_t ttl_ = 604'800'000;
    bool failed_ = false;  // written before the wait for a round is over
    int kills_ = 0;
};

TEST(MailboxModel, EveryMailboxIsWhatTheModelSays) {
    std::uint64_t messages = 0;
    for (std::uint64_t duel = 0; duel < (kSanitized ? 2U : 10U); ++duel) {
        Duel both(seed() + duel);
        for (int round = 0; round < 200; ++round) {
            both.round();
            ASSERT_TRUE(both.agree()) << "seed " << seed() + duel << ", round " << round;
        }
        messages += both.messages();
    }
    EXPECT_GT(messages, 1'000U);
}

}  // namespace
}  // namespace agentcom::fuzz
