#include "router/pair_count.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <string>
#include <unordered_map>
#include <utility>

namespace agentcom::router {

namespace {

constexpr core::Millis kShared{1'000};
constexpr core::Millis kSliceOfPairs{1};
constexpr std::uint64_t kMessagesOfStep = 256;
constexpr const char* kPairs = "";

bool same(const protocol::ObservePairs& left, const protocol::ObservePairs& right) {
    return left.since == right.since && left.until == right.until;
}

}  // namespace

struct PairCount::Count {
    Count(delivery::EventLoop& on, const protocol::ObservePairs& asked,
          std::function<void(Answer)> to)
        : loop(on), request(asked), reply(std::move(to)) {}

    void add(const store::LogGlance& message) {
        if (message.seq > last) return;
        ++made.scanned;
        key.assign(message.from);
        key += '\n';  // in no name
        const std::size_t to = key.size();
        using Kind = store::LogGlance::Kind;
        if (message.kind == Kind::to_everyone) {
            key += '*';
        } else {
            if (message.kind == Kind::to_channel) key += '#';
            key += message.to;
        }
        const auto [found, added] = places.try_emplace(key, made.pairs.size());
        if (added) made.pairs.push_back({std::string(message.from), key.substr(to), 0, 0, {}});
        protocol::ObservedPair& pair = made.pairs[found->second];
        ++pair.messages;
        pair.bytes += message.payload_bytes;
        pair.last_at = message.timestamp;
    }
    void sort() {
        auto& pairs = made.pairs;
        std::ranges::sort(pairs, [](const auto& left, const auto& right) {
            return left.messages != right.messages ? left.messages > right.messages
                                                   : left.last_at > right.last_at;
        });
        if (pairs.size() <= protocol::ObservedPairs::kMostPairs) return;
        pairs.resize(protocol::ObservedPairs::kMostPairs);
        made.truncated = true;
    }

    delivery::EventLoop& loop;
    protocol::ObservePairs request;
    std::function<void(Answer)> reply;
    bool begun = false;
    core::Seq cursor;
    core::Seq last;
    std::string key;
    std::unordered_map<std::string, std::size_t> places;  // in `made.pairs`
    protocol::ObservedPairs made;
};

PairCount::Answer PairCount::known(const protocol::ObservePairs& request) const {
    const core::SteadyTime now = clock_.steady();
    return made_.with([&](const std::vector<Made>& all) -> Answer {
        for (const Made& made : all) {
            if (same(made.request, request) && now - made.at < kShared) return made.answer;
        }
        return nullptr;
    });
}

void PairCount::remember(const protocol::ObservePairs& request, Answer answer) {
    const core::SteadyTime now = clock_.steady();
    made_.with([&](std::vector<Made>& all) {
        std::erase_if(all, [&](const Made& made) { return now - made.at >= kShared; });
        if (all.size() >= kMostMade) all.erase(all.begin());
        all.push_back(Made{request, now, std::move(answer)});
    });
}

void PairCount::answer(delivery::EventLoop& loop, const protocol::ObservePairs& request,
                       std::function<void(Answer)> reply) {
    if (auto answer = known(request)) return reply(std::move(answer));
    go_on(std::make_shared<Count>(loop, request, std::move(reply)));
}

void PairCount::go_on(const std::shared_ptr<Count>& count) {
    count->loop.reads().add(
        kPairs,
        [self = shared_from_this(), count] {
            const auto began = std::chrono::steady_clock::now();
            bool done = false;
            while (!(done = self->step(*count)) &&
                   std::chrono::steady_clock::now() - began < kSliceOfPairs) {
            }
            if (!done) return self->go_on(count);
            count->sort();
            auto answer = std::make_shared<const protocol::ObservedPairs>(std::move(count->made));
            self->remember(count->request, answer);
            count->reply(std::move(answer));
        },
        [count] { count->reply(nullptr); });
}

bool PairCount::step(Count& count) const {
    if (!std::exchange(count.begun, true)) {
        count.last = store_.head();
        const auto& until = count.request.until;
        if (until && until->ms != std::numeric_limits<std::int64_t>::max()) {
            const core::Seq after = store_.first_sent_at_or_after({until->ms + 1});
            count.last =
                std::min(count.last, core::Seq{std::max<std::uint64_t>(after.value, 1) - 1});
        }
        core::Seq first = store_.stats().first_seq;
        if (count.request.since) {
            first = std::max(first, store_.first_sent_at_or_after(*count.request.since));
        }
        if (count.last.value >= first.value + kMostMessages) {
            first = core::Seq{count.last.value - kMostMessages + 1};
            count.made.truncated = true;
        }
        count.cursor = core::Seq{std::max<std::uint64_t>(first.value, 1) - 1};
    }
    if (count.cursor >= count.last) return true;
    core::Budget budget({.steps = kMessagesOfStep});
    const auto walk = store_.walk_log(
        count.cursor, budget, [&count](const store::LogGlance& message) { count.add(message); });
    count.cursor = walk.cursor;
    return !walk.more;
}

}  // namespace agentcom::router
