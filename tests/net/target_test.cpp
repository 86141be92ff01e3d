#include "net/target.hpp"

#include <gtest/gtest.h>

namespace agentcom::net {
namespace {

using Segments = std::vector<std::string_view>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

TEST(Target, ForgivesDoubledAndTrailingSlashes) {
    EXPECT_EQ(parse_target("//api///agents/").segments, (Segments{"api", "agents"}));
    EXPECT_EQ(parse_target("/").segments, Segments{});
    EXPECT_EQ(parse_target("").segments, Segments{});
}

TEST(Target, KeepsTheQueryApartFromThePath) {
    const Target target = parse_target("/health?x=/a/b?c");
    EXPECT_EQ(target.segments, Segments{"health"});
    EXPECT_EQ(target.query, "x=/a/b?c");
}

TEST(Target, UnderstandsTheAbsoluteFormOfProxies) {
    EXPECT_EQ(parse_target("http://hub:4000/api/agents?x").segments, (Segments{"api", "agents"}));
    EXPECT_EQ(parse_target("https://hub").segments, Segments{});
    EXPECT_EQ(parse_target("http://hub?x=1").query, "x=1");
}

TEST(Target, KnowsTheSchemeInAnyCase) {
    EXPECT_EQ(parse_target("HTTP://hub/api/agents").segments, (Segments{"api", "agents"}));
}

TEST(Target, MayBeAPathAUriOrForSomeVerbsAnAuthorityOrAnAsterisk) {
    const auto authority = [](std::string_view verb, std::string_view text) -> std::string {
        const auto form = target_form(verb, text);
        return form ? "<" + std::string(form->authority) + ">" : "refused";
    };
    EXPECT_EQ(authority("GET", "/a?b"), "<>");
    EXPECT_EQ(authority("GET", "http://hub:80?x"), "<hub:80>");
    EXPECT_EQ(authority("GET", "Https://[::1]/a"), "<[::1]>");
    EXPECT_EQ(authority("OPTIONS", "*"), "<>");
    EXPECT_EQ(authority("CONNECT", "hub:80"), "<hub:80>");
    for (const auto& [verb, text] : {std::pair{"GET", "*"},
                                     {"GET", "a"},
                                     {"GET", "?a"},
                                     {"GET", "hub:80"},
                                     {"GET", "http://"},
                                     {"GET", "http:///a"},
                                     {"GET", "http://a@b/"},
                                     {"GET", "ftp://hub/"},
                                     {"CONNECT", "/a"},
                                     {"CONNECT", "hub"},
                                     {"CONNECT", "http://hub:80/"}}) {
        EXPECT_EQ(authority(verb, text), "refused") << verb << ' ' << text;
    }
}

TEST(Target, ABaseIsTakenAwayWhereItStands) {
    const auto without = [](std::string_view base, std::string_view text) {
        auto segments = parse_target(text).segments;
        remove_base(segments, base);
        std::string path;
        for (const std::string_view segment : segments) path += '/' + std::string(segment);
        return path;
    };
    EXPECT_EQ(without("/hub", "/hub/api/agents"), "/api/agents");
    EXPECT_EQ(without("/hub", "//hub//api?hub"), "/api");
    EXPECT_EQ(without("/hub", "/hub"), "");
    EXPECT_EQ(without("/hub", "/api/agents"), "/api/agents");
    EXPECT_EQ(without("/hub", "/hubs/api"), "/hubs/api");
    EXPECT_EQ(without("/hub", "/hub/hub/api"), "/hub/api") << "once";
    EXPECT_EQ(without("/a/b", "/a/b/c"), "/c");
    EXPECT_EQ(without("/a/b", "/a/c"), "/a/c");
    EXPECT_EQ(without("/a/b", "/a"), "/a");
    EXPECT_EQ(without("", "/a"), "/a");
}

TEST(Target, DecodesEscapesAlsoOfSlashes) {
    EXPECT_EQ(percent_decode("a%2Fb%20c%c3%A9"), "a/b c\xc3\xa9");
    EXPECT_EQ(percent_decode("plain"), "plain");
}

TEST(Target, RefusesBrokenEscapes) {
    for (const char* text : {"%", "%4", "a%4g", "%%41", "x%"}) {
        EXPECT_FALSE(percent_decode(text).has_value()) << text;
    }
}

TEST(Target, SplitsAQueryIntoDecodedPairs) {
    EXPECT_EQ(parse_query("a=1&b=%20x+y&c&=d&&e=f=g"),
              (Pairs{{"a", "1"}, {"b", " x y"}, {"c", ""}, {"", "d"}, {"e", "f=g"}}));
    EXPECT_EQ(parse_query(""), Pairs{});
    EXPECT_EQ(parse_query("a=100%&b=%zz"), (Pairs{{"a", "100%"}, {"b", "%zz"}}));
}

}  // namespace
}  // namespace agentcom::net
