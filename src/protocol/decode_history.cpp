#include "protocol/decode_history.hpp"

#include <optional>
#include <utility>

#include "protocol/field_specs.hpp"

namespace agentcom::protocol {

core::result<Request> query_history(const Input& in) {
    const auto limit = in.number(kHistoryLimit);
    if (!limit) return limit.error();
    const auto cursor = in.number(kSeqCursor);
    if (!cursor) return cursor.error();
    const auto start = in.integer(kStartTime);
    if (!start) return start.error();
    const auto end = in.integer(kEndTime);
    if (!end) return end.error();
    auto type = in.text(kTypeFilter);
    if (!type) return type.error();
    auto text = in.text(kTextFilter);
    if (!text) return text.error();
    const auto order = in.text(kOrder);
    if (!order) return order.error();
    if (*order && **order != "oldest" && **order != "newest") {
        return in.wrong(Key::order, R"("oldest" or "newest")");
    }
    const auto before = in.integer(kHistoryBefore);
    if (!before) return before.error();
    QueryHistory request{.from = in.text(kFromFilter).value(),
                         .to = in.text(kToFilter).value(),
                         .channel = in.text(kChannelFilter).value(),
                         .start_time = std::nullopt,
                         .end_time = std::nullopt,
                         .cursor = core::Seq{*cursor},
                         .limit = *limit,
                         .type = std::move(*type),
                         .text = std::move(*text),
                         .newest_first = *order == "newest"};
    if (*before) request.before = core::Seq{static_cast<std::uint64_t>(**before)};
    if (*start) request.start_time = core::Timestamp{**start};
    if (*end) request.end_time = core::Timestamp{**end};
    return Request(std::move(request));
}

core::result<Request> list_waiting(const Input& in) {
    const auto limit = in.number(kHistoryLimit);
    if (!limit) return limit.error();
    const auto cursor = in.number(kSeqCursor);
    if (!cursor) return cursor.error();
    return Request(
        ListWaiting{.mailbox = in.argument(), .cursor = core::Seq{*cursor}, .limit = *limit});
}

core::result<Request> get_message(const Input& in) { return Request(GetMessage{in.argument()}); }

core::result<Request> get_thread_root(const Input& in) {
    return Request(GetThreadRoot{in.argument()});
}

core::result<Request> analytics_hourly(const Input& in) {
    return Request(AnalyticsHourly{in.argument()});
}

core::result<Request> observe_agent(const Input& in) {
    return Request(ObserveAgent{in.argument()});
}

core::result<Request> observe_pairs(const Input& in) {
    const auto since = in.integer(kSinceTime);
    if (!since) return since.error();
    const auto until = in.integer(kUntilTime);
    if (!until) return until.error();
    ObservePairs request;
    if (*since) request.since = core::Timestamp{**since};
    if (*until) request.until = core::Timestamp{**until};
    return Request(request);
}

}  // namespace agentcom::protocol
