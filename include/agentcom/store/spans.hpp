#pragma once

#include <vector>

#include "agentcom/store/records.hpp"

namespace agentcom::store {

/// Stretches of the log, sorted and apart.
using Spans = std::vector<ReadSpan>;

/// Adds the span, unless it is empty, and unites what overlaps or touches.
void add_span(Spans& spans, ReadSpan added);
/// All of them, in any order, as far as they lie at or below `up_to`.
void add_spans(Spans& spans, const std::vector<ReadSpan>& added,
               core::Seq up_to = core::Seq{core::kMaxSeq});
/// The span that holds `seq`, or null. The pointer is into `spans`.
[[nodiscard]] const ReadSpan* span_of(const Spans& spans, core::Seq seq) noexcept;
/// Whether all of the span is in one of the list.
[[nodiscard]] bool covers(const Spans& spans, ReadSpan span) noexcept;
/// Takes away what lies at or below the position.
void drop_up_to(Spans& spans, core::Seq position);

}  // namespace agentcom::store
