#include "store/read_notes.hpp"

#include <algorithm>
#include <utility>

namespace agentcom::store {
namespace {

std::string note_key(std::string_view agent, Feed feed, std::string_view owner) {
    std::string key = feed_prefix(feed, owner);
    key.append(agent);
    return key;
}

}  // namespace

Spans ReadNotes::own_runs(std::string_view agent, Feed feed, std::string_view owner) const {
    const std::string key = note_key(agent, feed, owner);
    return own_runs_.with([&](const Lists& lists) {
        const auto found = lists.find(key);
        return found == lists.end() ? Spans{} : found->second;
    });
}

void ReadNotes::add_own_run(std::string_view agent, Feed feed, std::string_view owner,
                            ReadSpan run) {
    std::string key = note_key(agent, feed, owner);
    own_runs_.with([&](Lists& lists) {
        // Any will do: what is dropped is found again by whoever needs it.
        if (lists.size() >= kMaxLists && !lists.contains(key)) lists.erase(lists.begin());
        Spans& runs = lists[std::move(key)];
        add_span(runs, run);
        if (runs.size() <= kMaxRuns) return;
        const auto length = [](const ReadSpan& span) {
            return span.up_to.value - span.after.value;
        };
        runs.erase(std::ranges::min_element(runs, {}, length));
    });
}

std::size_t ReadNotes::lists() const {
    return own_runs_.with([](const Lists& lists) { return lists.size(); });
}

}  // namespace agentcom::store
