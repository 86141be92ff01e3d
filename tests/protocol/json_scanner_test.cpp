#include "agentcom/protocol/json_scanner.hpp"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace agentcom::protocol {
namespace {

using Members = std::map<std::string, std::string>;
constexpr std::size_t kDepth = 64;

/// The members of the text's top-level object (none for another value); nothing for bad JSON.
std::optional<Members> scan(std::string_view text, std::size_t depth = kDepth) {
    JsonScanner scanner(text, depth);
    const auto kind = scanner.open();
    if (!kind) return std::nullopt;
    Members members;
    if (*kind != JsonKind::object) return members;
    JsonScanner::Member member;
    while (true) {
        switch (scanner.next(member)) {
            case JsonScanner::Step::invalid:
                return std::nullopt;
            case JsonScanner::Step::end:
                return members;
            case JsonScanner::Step::member:
                break;
        }
        const std::string quoted = '"' + std::string(member.key) + '"';
        members[decode_json_string(quoted, member.key_escaped)] = member.value.raw;
    }
}

bool accepts(std::string_view text) { return scan(text).has_value(); }

TEST(JsonScanner, HandsOutTheMembersWithTheirBytes) {
    const auto members = scan(R"( { "a" : 1.50 ,"b":[ 1, {"c":"}"} ],"":null,"x":"\"" } )");
    ASSERT_TRUE(members);
    EXPECT_EQ(
        *members,
        (Members{{"a", "1.50"}, {"b", R"([ 1, {"c":"}"} ])"}, {"", "null"}, {"x", R"("\"")"}}));
}

TEST(JsonScanner, TellsTheKindsOfValues) {
    const std::map<std::string, JsonKind> kinds{
        {"null", JsonKind::null}, {"true", JsonKind::boolean}, {"false", JsonKind::boolean},
        {"-0", JsonKind::number}, {"\"\"", JsonKind::string},  {"[]", JsonKind::array},
        {"{}", JsonKind::object}};
    for (const auto& [text, kind] : kinds) {
        EXPECT_EQ(JsonScanner(text, kDepth).open(), kind) << text;
        const std::string object = "{\"k\":" + text + "}";
        JsonScanner scanner(object, kDepth);
        ASSERT_EQ(scanner.open(), JsonKind::object);
        JsonScanner::Member member;
        ASSERT_EQ(scanner.next(member), JsonScanner::Step::member) << text;
        EXPECT_EQ(member.value.kind, kind) << text;
        EXPECT_EQ(scanner.next(member), JsonScanner::Step::end);
    }
}

TEST(JsonScanner, TheLastOfEqualKeysIsHandedOutLast) {
    EXPECT_EQ(*scan(R"({"a":1,"\u0061":2})"), (Members{{"a", "2"}}));
}

TEST(JsonScanner, AcceptsWhatTheGrammarAllows) {
    for (const char* text : {"{}",
                             "[]",
                             "0",
                             "-0",
                             "10",
                             "1.5",
                             "-1.5e+10",
                             "1E5",
                             "1e-5",
                             "123456789012345678901234",
                             "1e999",
                             "\"\"",
                             "\"\\u0000\"",
                             "\"\\/\\b\\f\\n\\r\\t\\\\\\\"\"",
                             "\"\\uD83D\\uDE00\"",
                             "\"\xF0\x9F\x98\x80\"",
                             " \t\r\n[ ] \n",
                             "[1,[2,[3]],{\"a\":{}}]",
                             "{\"a\":{\"b\":[]}}",
                             "\"\x7F\""}) {
        EXPECT_TRUE(accepts(text)) << text;
    }
}

TEST(JsonScanner, RefusesWhatTheGrammarForbids) {
    for (const char* text : {"",
                             " ",
                             "{",
                             "}",
                             "[",
                             "]",
                             "{oops",
                             "{'a':1}",
                             "{\"a\"}",
                             "{\"a\":}",
                             "{\"a\":1,}",
                             "{,}",
                             "{\"a\":1 \"b\":2}",
                             "{\"a\":1}}",
                             "{\"a\":1} x",
                             "{a:1}",
                             "{1:1}",
                             "{\"a\":1,,}",
                             "[1,]",
                             "[,]",
                             "[1 2]",
                             "[1",
                             "[1}",
                             "{\"a\":[1}",
                             "{\"a\":[}]",
                             "{\"a\":{]}",
                             "[1]]",
                             "NaN",
                             "Infinity",
                             "-",
                             "+1",
                             "01",
                             "-01",
                             "1.",
                             ".5",
                             "1e",
                             "1e+",
                             "0x10",
                             "1.e5",
                             "--1",
                             "tru",
                             "truex",
                             "nul",
                             "True",
                             "\"",
                             "\"\\\"",
                             "\"\\x41\"",
                             "\"\\u12\"",
                             "\"\\u12G4\"",
                             "\"\n\"",
                             "\"\t\"",
                             "\"\\uD800\"",
                             "\"\\uDC00\"",
                             "\"\\uD800x\"",
                             "\"\\uD800\\n\"",
                             "\"\\uD800\\u0041\"",
                             "\"\\uD800\\uD800\"",
                             "\"\xFF\"",
                             "\"\xC0\x80\"",
                             "\"\xED\xA0\x80\"",
                             "\xEF\xBB\xBF{}",
                             "// c\n1",
                             "[1] // c",
                             "\x0B[]",
                             "\xC2\xA0[]"}) {
        EXPECT_FALSE(accepts(text)) << text;
        const std::string nested = "{\"k\":" + std::string(text) + "}";
        // What is only wrong behind a complete value is wrong here, too: the brace is in its way.
        EXPECT_FALSE(accepts(nested)) << nested;
    }
    EXPECT_FALSE(accepts(std::string_view("[]\0", 3)));
    EXPECT_FALSE(accepts(std::string_view("\"\0\"", 3)));
}

std::string nested(std::size_t depth, std::string_view open, std::string_view inner,
                   std::string_view close) {
    std::string text;
    for (std::size_t i = 0; i < depth; ++i) text += open;
    text += inner;
    for (std::size_t i = 0; i < depth; ++i) text += close;
    return text;
}

TEST(JsonScanner, LimitsTheDepthWhateverTheContainers) {
    EXPECT_TRUE(accepts(nested(64, "[", "1", "]")));
    EXPECT_FALSE(accepts(nested(65, "[", "1", "]")));
    EXPECT_TRUE(accepts(nested(64, "{\"a\":", "1", "}")));
    EXPECT_FALSE(accepts(nested(65, "{\"a\":", "1", "}")));
    EXPECT_TRUE(accepts("{\"a\":" + nested(63, "[", "", "]") + "}"));
    EXPECT_FALSE(accepts("{\"a\":" + nested(64, "[", "", "]") + "}"));
    EXPECT_FALSE(accepts(nested(1'000'000, "[", "", "]")));
    EXPECT_FALSE(accepts(std::string(1'000'000, '[')));
    // Side by side is not deep.
    EXPECT_TRUE(accepts("[" + nested(63, "[", "", "]") + "," + nested(63, "[", "", "]") + "]"));
}

TEST(JsonScanner, HandsOutTheElementsOfAnArray) {
    const auto elements =
        JsonScanner::elements(R"([ 1.50 ,"a,\"]",{"c":[1,2]}, [[],"]"],null,true ])");
    const std::vector<std::pair<JsonKind, std::string>> expected{
        {JsonKind::number, "1.50"},
        {JsonKind::string, R"("a,\"]")"},
        {JsonKind::object, R"({"c":[1,2]})"},
        {JsonKind::array, R"([[],"]"])"},
        {JsonKind::null, "null"},
        {JsonKind::boolean, "true"}};
    ASSERT_EQ(elements.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(elements[i].kind, expected[i].first);
        EXPECT_EQ(elements[i].raw, expected[i].second);
        EXPECT_EQ(elements[i].escaped, i == 1);
    }
    EXPECT_TRUE(JsonScanner::elements("[]").empty());
    EXPECT_TRUE(JsonScanner::elements("[ \n ]").empty());
}

TEST(JsonScanner, DecodesEscapes) {
    const auto decode = [](std::string_view raw) { return decode_json_string(raw, true); };
    EXPECT_EQ(decode(R"("\"\\\/\b\f\n\r\t")"), "\"\\/\b\f\n\r\t");
    EXPECT_EQ(decode(R"("\u0041\u00e9\u20AC")"), "A\xC3\xA9\xE2\x82\xAC");
    EXPECT_EQ(decode(R"("x\ud83d\ude00y")"), "x\xF0\x9F\x98\x80y");
    EXPECT_EQ(decode(R"("\u0000")"), std::string(1, '\0'));
    EXPECT_EQ(decode_json_string("\"plain\"", false), "plain");
}

// ---- Compared with an independent judge -----------------------------------------------------

class Generator {
public:
    explicit Generator(std::uint64_t seed) : random_(seed) {}

    std::size_t below(std::size_t n) { return random_() % n; }

    std::string value(int depth) {
        switch (below(depth > 0 ? 8 : 6)) {
            case 0:
                return pick({"null", "true", "false"});
            case 1:
                return pick({"0", "-1", "3.25", "1e3", "-2.5E-3", "9007199254740993", "-0.0"});
            case 6:
                return container('[', ']', depth, [&] { return value(depth - 1); });
            case 7:
                return container('{', '}', depth, [&] {
                    return string() + space() + ":" + space() + value(depth - 1);
                });
            default:
                return string();
        }
    }

    std::string mutate(std::string text) {
        const std::size_t times = 1 + below(3);
        for (std::size_t i = 0; i < times; ++i) mutate_once(text);
        return text;
    }

private:
    std::string pick(const std::vector<std::string>& from) { return from[below(from.size())]; }
    std::string space() { return below(4) == 0 ? pick({" ", "\n", "\t ", "\r"}) : ""; }
    std::string string() {
        std::string text = "\"";
        for (std::size_t i = below(6); i > 0; --i) {
            text += pick({"a", "type", "channel ", "0", "\xC3\xA9", "\xF0\x9F\x98\x80", "\\n",
                          "\\u00e9", "\\ud83d\\ude00", "\\\"", "\\\\", "[", "}", "12345678"});
        }
        return text + '"';
    }
    template <class Item>
    std::string container(char open, char close, int, Item item) {
        std::string text(1, open);
        const std::size_t count = below(4);
        for (std::size_t i = 0; i < count; ++i) {
            text += (i > 0 ? "," : "") + space() + item() + space();
        }
        return text + space() + close;
    }
    void mutate_once(std::string& text) {
        const std::string symbols = "{}[]\",:\\u0123dDeE+-.ntf \n\x80\xC3\xED\xA0\xF0\xFF\x1F/";
        const std::size_t at = below(text.size() + 1);
        switch (below(5)) {
            case 0:
                text.insert(at, 1, symbols[below(symbols.size())]);
                break;
            case 1:
                text.erase(at, 1 + below(3));
                break;
            case 2:
                if (at < text.size()) text[at] = symbols[below(symbols.size())];
                break;
            case 3:
                text.insert(at, text.substr(below(text.size() + 1), below(12)));
                break;
            default:
                text.resize(at);
                break;
        }
    }

    std::mt19937_64 random_;
};

/// What nlohmann says; it refuses numbers beyond double, which the grammar allows, and skips a
/// byte order mark, which it does not.
std::optional<nlohmann::json> judge(const std::string& text, bool& beyond_double) {
    if (text.starts_with("\xEF\xBB\xBF")) return std::nullopt;
    try {
        return nlohmann::json::parse(text);
    } catch (const nlohmann::json::out_of_range&) {
        beyond_double = true;
    } catch (const nlohmann::json::parse_error&) {
    }
    return std::nullopt;
}

void compare_with_judge(const std::string& text) {
    bool beyond_double = false;
    const auto judged = judge(text, beyond_double);
    const auto members = scan(text);
    if (beyond_double) return;
    ASSERT_EQ(members.has_value(), judged.has_value()) << text;
    if (!judged || !judged->is_object()) return;
    ASSERT_EQ(members->size(), judged->size()) << text;
    for (const auto& [key, raw] : *members) {
        ASSERT_TRUE(judged->contains(key)) << text;
        const nlohmann::json& expected = (*judged)[key];
        ASSERT_EQ(nlohmann::json::parse(raw), expected) << text;
        if (expected.is_string()) {
            ASSERT_EQ(decode_json_string(raw, true), expected.get<std::string>()) << text;
        }
    }
}

TEST(JsonScanner, AgreesWithAnIndependentParserOnRandomTexts) {
    Generator generator(20240501);
    std::size_t accepted = 0;
    constexpr int kTexts = 20'000;
    for (int i = 0; i < kTexts; ++i) {
        const std::string text = generator.value(4);
        ASSERT_NO_FATAL_FAILURE(compare_with_judge(text));
        const std::string mutant = generator.mutate(text);
        ASSERT_NO_FATAL_FAILURE(compare_with_judge(mutant));
        if (accepts(mutant)) ++accepted;
    }
    // The mutants must not all fall on one side, or the comparison says little.
    EXPECT_GT(accepted, kTexts / 20);
    EXPECT_LT(accepted, kTexts * 19 / 20);
}

}  // namespace
}  // namespace agentcom::protocol
