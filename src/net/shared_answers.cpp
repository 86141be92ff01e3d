#include "net/shared_answers.hpp"

#include <algorithm>
#include <utility>

#include "agentcom/protocol/codec.hpp"

namespace agentcom::net {

namespace {

constexpr std::size_t kMostEntries = 32;
constexpr std::size_t kMostBytes = std::size_t{16} << 20;

}  // namespace

SharedAnswers::Text SharedAnswers::body(const protocol::Reply& reply) {
    auto page = protocol::shared_page(reply);
    if (!page) return nullptr;
    Entry& found = entry(std::move(page));
    if (found.body) return found.body;
    const Text made = delivery::share(protocol::encode_http(reply, false).body, budget_);
    found.body = made;
    make_room();
    return made;
}

SharedAnswers::Text SharedAnswers::frame_front(const protocol::Reply& reply) {
    auto page = protocol::shared_page(reply);
    if (!page) return nullptr;
    Entry& found = entry(std::move(page));
    if (found.front) return found.front;
    core::Pieces text;
    protocol::encode_frame_front(reply, text);
    const Text made = delivery::share(std::move(text), budget_);
    found.front = made;
    make_room();
    return made;
}

SharedAnswers::Entry& SharedAnswers::entry(std::shared_ptr<const void> page) {
    const auto found = std::ranges::find(entries_, page, &Entry::page);
    if (found != entries_.end()) return *found;
    if (entries_.size() >= kMostEntries) entries_.erase(entries_.begin());
    return entries_.emplace_back(Entry{std::move(page), nullptr, nullptr});
}

void SharedAnswers::make_room() {
    std::size_t bytes = 0;
    for (const Entry& each : entries_) bytes += each.bytes();
    while (bytes > kMostBytes && entries_.size() > 1) {
        bytes -= entries_.front().bytes();
        entries_.erase(entries_.begin());
    }
}

}  // namespace agentcom::net
