#include "protocol/fields.hpp"

#include <charconv>
#include <limits>

#include "agentcom/protocol/codec.hpp"

namespace agentcom::protocol {

namespace {

constexpr std::array<std::string_view, kKeyCount> kKeyNames{"type",
                                                            "ref",
                                                            "to",
                                                            "message_type",
                                                            "payload",
                                                            "reply_to",
                                                            "idempotency_key",
                                                            "agent_id",
                                                            "token",
                                                            "name",
                                                            "status",
                                                            "capabilities",
                                                            "acks",
                                                            "presence",
                                                            "echo",
                                                            "channel",
                                                            "limit",
                                                            "since",
                                                            "before",
                                                            "cursor",
                                                            "wait",
                                                            "from",
                                                            "start_time",
                                                            "end_time",
                                                            "message_id",
                                                            "seq",
                                                            "description",
                                                            "role",
                                                            "heartbeat_interval_ms",
                                                            "mailbox_ttl_ms",
                                                            "expires_in",
                                                            "expires_at",
                                                            "grace",
                                                            "prefix",
                                                            "private",
                                                            "publishers",
                                                            "members",
                                                            "rights",
                                                            "capability",
                                                            "card",
                                                            "text",
                                                            "order",
                                                            "agent",
                                                            "until"};

std::size_t index_of(std::string_view name) noexcept {
    for (std::size_t i = 0; i < kKeyCount; ++i) {
        if (kKeyNames[i] == name) return i;
    }
    return kKeyCount;
}

}  // namespace

std::string_view key_name(Key key) noexcept { return kKeyNames[static_cast<std::size_t>(key)]; }

Fields::Shape Fields::scan(std::string_view text) {
    JsonScanner scanner(text, kMaxJsonDepth);
    const auto kind = scanner.open();
    if (!kind) return Shape::invalid;
    if (*kind != JsonKind::object) return Shape::other;
    JsonScanner::Member member;
    while (true) {
        switch (scanner.next(member)) {
            case JsonScanner::Step::invalid:
                return Shape::invalid;
            case JsonScanner::Step::end:
                return Shape::object;
            case JsonScanner::Step::member:
                break;
        }
        const std::size_t index =
            member.key_escaped ? index_of(member.name()) : index_of(member.key);
        if (index < kKeyCount) values_[index] = member.value;
    }
}

std::optional<std::int64_t> integer_of(const JsonValue& value) noexcept {
    if (value.kind != JsonKind::number) return std::nullopt;
    std::int64_t number = 0;
    const char* end = value.raw.data() + value.raw.size();
    const auto [rest, error] = std::from_chars(value.raw.data(), end, number);
    if (rest != end) return std::nullopt;
    if (error == std::errc::result_out_of_range) {
        return value.raw.front() == '-' ? std::numeric_limits<std::int64_t>::min()
                                        : std::numeric_limits<std::int64_t>::max();
    }
    return number;
}

}  // namespace agentcom::protocol
