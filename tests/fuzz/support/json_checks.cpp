#include "fuzz/support/json_checks.hpp"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agentcom/protocol/codec.hpp"
#include "agentcom/protocol/json_scanner.hpp"
#include "fuzz/support/broken.hpp"

namespace agentcom::fuzz {

using nlohmann::json;
using namespace protocol;

Judgement judge(std::string_view text) {
    Judgement judgement;
    // It skips a byte order mark and takes a zero byte for the end of the text; the grammar knows
    // neither.
    if (text.starts_with("\xEF\xBB\xBF") || text.find('\0') != text.npos) return judgement;
    judgement.value = json::parse(text, nullptr, false);
    judgement.accepted = !judgement.value.is_discarded();
    constexpr std::size_t kDigitsOfDouble = 300;
    if (judgement.accepted ||
        (text.size() < kDigitsOfDouble && text.find_first_of("eE") == text.npos)) {
        return judgement;
    }
    // Only its exceptions tell why it refused the text, and they are slow.
    try {
        [[maybe_unused]] const json refused = json::parse(text);
    } catch (const json::out_of_range&) {
        judgement.beyond_double = true;
    } catch (const json::parse_error&) {
    }
    return judgement;
}

bool is_json(const core::JsonText& text) {
    const Judgement judgement = judge(text.text);
    return judgement.accepted || judgement.beyond_double;
}

namespace {

/// Whether some container lies deeper than the hub allows.
bool too_deep(const json& value, std::size_t room) {
    if (!value.is_structured()) return false;
    if (room == 0) return true;
    for (const json& each : value) {
        if (too_deep(each, room - 1)) return true;
    }
    return false;
}

}  // namespace

void check_json(std::string_view text) {
    const Judgement judgement = judge(text);
    if (judgement.beyond_double) return;
    JsonScanner scanner(text, kMaxJsonDepth);
    const auto kind = scanner.open();
    std::vector<std::pair<std::string, JsonValue>> members;
    bool accepted = kind.has_value();
    if (kind == JsonKind::object) {
        JsonScanner::Member member;
        auto step = scanner.next(member);
        for (; step == JsonScanner::Step::member; step = scanner.next(member)) {
            const std::string_view quoted(member.key.data() - 1, member.key.size() + 2);
            members.emplace_back(decode_json_string(quoted, member.key_escaped), member.value);
        }
        accepted = step == JsonScanner::Step::end;
    }
    const bool expected = judgement.accepted && !too_deep(judgement.value, kMaxJsonDepth);
    require(accepted == expected, expected ? "JSON was refused" : "no JSON was accepted", text);
    if (!accepted || kind != JsonKind::object) return;
    require(judgement.value.is_object(), "an object for one reader only", text);
    std::set<std::string> keys;
    for (auto it = members.rbegin(); it != members.rend(); ++it) {
        const auto& [key, value] = *it;
        if (!keys.insert(key).second) continue;  // the last of equal keys counts
        require(judgement.value.contains(key), "a key for one reader only", text);
        const json& its = judgement.value.at(key);
        require(json::parse(value.raw) == its, "another value", text);
        if (its.is_string()) {
            require(decode_json_string(value.raw, value.escaped) == its.get<std::string>(),
                    "another string", text);
        }
    }
    require(keys.size() == judgement.value.size(), "a key is missing", text);
}

}  // namespace agentcom::fuzz
