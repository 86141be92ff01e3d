#include "agentcom/store/spans.hpp"

#include <algorithm>
#include <utility>

namespace agentcom::store {

void add_span(Spans& spans, ReadSpan added) { add_spans(spans, {added}, added.up_to); }

void add_spans(Spans& spans, const std::vector<ReadSpan>& added, core::Seq up_to) {
    for (const ReadSpan& span : added) {
        const ReadSpan part{span.after, std::min(span.up_to, up_to)};
        if (part.after < part.up_to) spans.push_back(part);
    }
    std::sort(spans.begin(), spans.end(),
              [](const ReadSpan& a, const ReadSpan& b) { return a.after < b.after; });
    Spans united;
    for (const ReadSpan& span : spans) {
        if (!united.empty() && span.after <= united.back().up_to) {
            united.back().up_to = std::max(united.back().up_to, span.up_to);
        } else {
            united.push_back(span);
        }
    }
    spans = std::move(united);
}

const ReadSpan* span_of(const Spans& spans, core::Seq seq) noexcept {
    const auto it = std::partition_point(spans.begin(), spans.end(),
                                         [seq](const ReadSpan& span) { return span.up_to < seq; });
    return it != spans.end() && it->after < seq ? &*it : nullptr;
}

bool covers(const Spans& spans, ReadSpan span) noexcept {
    const ReadSpan* holder = span_of(spans, span.up_to);
    return holder != nullptr && holder->after <= span.after;
}

void drop_up_to(Spans& spans, core::Seq position) {
    std::erase_if(spans, [&](const ReadSpan& span) { return span.up_to <= position; });
    if (!spans.empty()) spans.front().after = std::max(spans.front().after, position);
}

}  // namespace agentcom::store
