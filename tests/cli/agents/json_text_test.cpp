#include "cli/agents/json_text.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace agentcom::cli::agents {
namespace {

const JsonPath kServer{"mcpServers", "agentcom"};
const JsonValue kEntry = {{"type", "http"}, {"url", "http://127.0.0.1:4000/mcp"}};

constexpr const char* kCommented = R"(// settings of mine
{
    "theme": "dark", // do not touch
    /* servers
       of the team */
    "mcpServers": {
        "other": {"url": "http://x", "list": [1, 2,]},
    },
    "last": [ 1,2 ,3 ] // no comma here
}
// the end
)";

std::string with_server(const std::string& text) { return json_with(text, kServer, kEntry); }

TEST(JsonText, AMemberIsAddedWhereItBelongsAndNothingElseChanges) {
    const std::string text = with_server(kCommented);
    EXPECT_EQ(text, R"(// settings of mine
{
    "theme": "dark", // do not touch
    /* servers
       of the team */
    "mcpServers": {
        "other": {"url": "http://x", "list": [1, 2,]},
        "agentcom": {
            "type": "http",
            "url": "http://127.0.0.1:4000/mcp"
        },
    },
    "last": [ 1,2 ,3 ] // no comma here
}
// the end
)");
}

TEST(JsonText, ACommentBehindTheLastMemberStaysWithIt) {
    EXPECT_EQ(json_with("{\n  \"a\": 1 // one\n  // and more\n}\n", {"b"}, 2),
              "{\n  \"a\": 1, // one\n  // and more\n  \"b\": 2\n}\n");
}

TEST(JsonText, TakingAwayWhatWasAddedGivesTheTextBack) {
    const std::vector<std::string> texts = {
        kCommented,
        "{}",
        "{}\n",
        "{\"a\": 1}",
        "{\"a\": 1,}",
        "{\"mcpServers\": {\"x\": {}}}",
        "{\n  \"a\": 1\n}\n",
        "{\n\t\"a\": [\n\t\t1\n\t]\n}",
        "{\r\n  \"a\": 1\r\n}\r\n",
        "\xEF\xBB\xBF{\n  \"a\": 1,\n}\n",
        "{\n  \"a\": 1 // one\n}",
        "{\n  \"a\": 1, // one\n}",
        "{ /* nothing */\n}",
        "{\"mcpServers\": {\n  \"x\": 1 /* x */ // y\n }, \"b\": null}",
    };
    for (const std::string& text : texts) {
        const std::string added = with_server(text);
        EXPECT_EQ(json_at(added, kServer), kEntry) << added;
        EXPECT_EQ(json_without(added, kServer), text) << added;
    }
}

TEST(JsonText, AddingTwiceIsAddingOnce) {
    const std::string once = with_server(kCommented);
    EXPECT_EQ(with_server(once), once);
    EXPECT_EQ(json_without(kCommented, kServer), kCommented);
}

TEST(JsonText, AValueIsReplacedInItsPlace) {
    EXPECT_EQ(
        json_with(kCommented, {"theme"}, "light").find("\"theme\": \"light\", // do not touch"),
        std::string(kCommented).find("\"theme\""));
    const std::string text =
        json_with(with_server(kCommented), {"mcpServers", "agentcom", "url"}, "u");
    EXPECT_NE(text.find("            \"url\": \"u\"\n"), std::string::npos) << text;
}

TEST(JsonText, OfTwoMembersOfOneNameTheLastCounts) {
    EXPECT_EQ(json_at(R"({"a":1,"a":2})", {"a"}), 2);
    EXPECT_EQ(json_with(R"({"a":1,"a":2})", {"a"}, 3), R"({"a":1,"a":3})");
}

TEST(JsonText, AFirstAMiddleAndALastMemberAreTakenAway) {
    const std::string text = "{\n  \"a\": 1,\n  \"b\": 2, // two\n  \"c\": 3\n}";
    EXPECT_EQ(json_without(text, {"a"}), "{\n  \"b\": 2, // two\n  \"c\": 3\n}");
    EXPECT_EQ(json_without(text, {"b"}), "{\n  \"a\": 1, // two\n  \"c\": 3\n}");
    EXPECT_EQ(json_without(text, {"c"}), "{\n  \"a\": 1,\n  \"b\": 2 // two\n}");
    EXPECT_EQ(json_without("{\"a\":1,\"b\":2}", {"b"}), "{\"a\":1}");
}

TEST(JsonText, WhatFollowsDoesNotBecomePartOfAComment) {
    const std::string text = json_without("{ // note\n  \"a\": 1 }", {"a"});
    EXPECT_EQ(json_at(text, {}), JsonValue::object());
    EXPECT_NE(text.find("// note\n"), std::string::npos);
}

TEST(JsonText, ObjectsThatHoldNothingMoreGoToo) {
    EXPECT_EQ(json_without(R"({"x":1,"a":{"b":{"c":1}}})", {"a", "b", "c"}), R"({"x":1})");
    EXPECT_EQ(json_without(R"({"a":{"b":{"c":1},"d":2}})", {"a", "b", "c"}), R"({"a":{"d":2}})");
}

TEST(JsonText, ListsGrowAndShrinkAtTheirEnd) {
    const JsonPath list{"hooks", "Stop"};
    const std::string text =
        "{\n  \"hooks\": {\n    \"Stop\": [\n      {\"a\": 1} // mine\n    ]\n  }\n}\n";
    const std::string grown = json_with_element(text, list, {{"b", 2}});
    EXPECT_EQ(
        grown,
        "{\n  \"hooks\": {\n    \"Stop\": [\n      {\"a\": 1}, // mine\n      {\n        \"b\": 2\n"
        "      }\n    ]\n  }\n}\n");
    EXPECT_EQ(json_without_element(grown, list, 1), text);
    const std::string made = json_with_element("{}", list, 1);
    EXPECT_EQ(json_at(made, list), JsonValue::array({1}));
    EXPECT_EQ(json_without_element(made, list, 0), "{}");
    EXPECT_EQ(json_without_element(text, list, 5), text);
}

TEST(JsonText, AnEmptyFileIsAnEmptyObject) {
    EXPECT_EQ(json_with("", {"a"}, 1), "{\n  \"a\": 1\n}\n");
    EXPECT_EQ(json_with("// only this\n", {"a"}, 1), "// only this\n{\n  \"a\": 1\n}\n");
    EXPECT_TRUE(json_at("", {"a"}).is_discarded());
}

TEST(JsonText, WhatIsNotJsonIsRefusedWithTheLine) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"{\n\"a\": 1\n\"b\": 2}", "a comma is missing in line 3"},
        {"{\n\"a\": tru}", "line 2"},
        {"{\"a\": 1", "an object does not end"},
        {"{\"a\": [1", "a list does not end"},
        {"{\"a\" 1}", "a colon is missing"},
        {"{a: 1}", "the name of a member is missing"},
        {"{\"a\": \"x\n\"}", "a string does not end"},
        {"{\"a\": \"\\", "a string does not end"},
        {"{\"a\": \"\\q\"}", "a faulty string"},
        {"{\"a\": \"\xff\"}", "a faulty string"},
        {"{} {}", "something follows"},
        {"/* {}", "a comment does not end"},
        {"{,}", "the name of a member is missing"},
        {"{\"a\":,}", "a value is missing"},
        {"[]", "does not hold a JSON object"},
        {"1", "does not hold a JSON object"},
        {std::string(5'000, '['), "nested too deeply"},
    };
    for (const auto& [text, reason] : cases) {
        for (const auto& edit : {+[](const std::string& t) { return with_server(t); },
                                 +[](const std::string& t) { return json_without(t, kServer); }}) {
            try {
                (void)edit(text);
                ADD_FAILURE() << "accepted: " << text.substr(0, 50);
            } catch (const Malformed& error) {
                EXPECT_NE(std::string(error.what()).find(reason), std::string::npos)
                    << error.what();
            }
        }
    }
}

TEST(JsonText, WhatIsNoObjectOnTheWayIsNotOverwritten) {
    EXPECT_THROW((void)with_server(R"({"mcpServers": []})"), Malformed);
    EXPECT_THROW((void)with_server(R"({"mcpServers": null})"), Malformed);
    EXPECT_THROW((void)json_with_element(R"({"hooks": {"Stop": {}}})", {"hooks", "Stop"}, 1),
                 Malformed);
}

TEST(JsonText, WhatFollowsARemovedMemberIsNoPartOfTheCommentBeforeIt) {
    const std::string next = "{\n  \"a\": 1, // first\n  \"b\": 2, \"c\": 3\n}\n";
    EXPECT_EQ(json_at(json_without(next, {"b"}), {}), JsonValue::parse(R"({"a": 1, "c": 3})"));
    const std::string end = "{\"a\": 1, // first\n  \"b\": 2}\n";
    EXPECT_EQ(json_at(json_without(end, {"b"}), {}), JsonValue::parse(R"({"a": 1})"));
}

/// Objects as many hands might have written them.
class OddText {
public:
    explicit OddText(unsigned seed) : random_(seed) {}
    std::string object(int depth = 0) { return children('{', '}', depth); }

private:
    unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }
    std::string gap() {
        static const std::vector<std::string> kGaps = {
            "", "", " ", "\n", "\n    ", "\t", "\r\n", " // it's {\n", "/* ], */", " /* \" */\n  "};
        return kGaps[below(static_cast<unsigned>(kGaps.size()))];
    }
    std::string value(int depth) {
        static const std::vector<std::string> kScalars = {
            "1", "-2.5e3", "null", "true", R"("a // b")", R"("\\\" }")", R"("\u00e9\ud83d\ude00")"};
        if (depth < 3 && below(3) == 0) return object(depth + 1);
        if (depth < 3 && below(4) == 0) return children('[', ']', depth + 1);
        return kScalars[below(static_cast<unsigned>(kScalars.size()))];
    }
    std::string children(char open, char close, int depth) {
        std::string text = open + gap();
        const unsigned count = below(4);
        for (unsigned i = 0; i < count; ++i) {
            if (open == '{') text += "\"k" + std::to_string(i) + "\"" + gap() + ":" + gap();
            text += value(depth) + gap();
            if (i + 1 < count || below(3) == 0) text += "," + gap();
        }
        return text + close;
    }
    std::minstd_rand random_;
};

TEST(JsonText, WhateverTheTextLooksLikeOthersKeepTheirValues) {
    for (unsigned seed = 1; seed <= 5'000; ++seed) {
        const std::string text = OddText(seed).object();
        SCOPED_TRACE(text);
        JsonValue expected = json_at(text, {});
        const std::string added = json_with(text, {"new", "agentcom"}, kEntry);
        EXPECT_EQ(json_at(json_without(added, {"new", "agentcom"}), {}), expected);
        for (const auto& [name, value] : expected.items()) {
            JsonValue rest = expected;
            rest.erase(name);
            EXPECT_EQ(json_at(json_without(text, {name}), {}), rest);
        }
        expected["new"]["agentcom"] = kEntry;
        EXPECT_EQ(json_at(added, {}), expected);
    }
}

}  // namespace
}  // namespace agentcom::cli::agents
