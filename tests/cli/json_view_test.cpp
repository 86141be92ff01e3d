#include "cli/json_view.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace agentcom::cli {
namespace {

TEST(JsonView, ShowsMembersAndElementsAsTheyWereWritten) {
    const std::string text =
        R"( {"a" : 1.50 , "b\n":[ true,{"c":"]}"},  "\"," ,[]], "long":1e999,"n":null} )";
    const JsonView object(text);
    EXPECT_TRUE(object.is_object());
    EXPECT_EQ(object["a"].raw(), "1.50");
    EXPECT_EQ(object["long"].raw(), "1e999");
    EXPECT_TRUE(object["n"].is_null());
    EXPECT_FALSE(object["missing"].exists());
    const auto elements = object["b\n"].elements();
    ASSERT_EQ(elements.size(), 4U);
    EXPECT_TRUE(elements[0].is_true());
    EXPECT_EQ(elements[1]["c"].text(), "]}");
    EXPECT_EQ(elements[2].text(), "\",");
    EXPECT_TRUE(elements[3].elements().empty());
    EXPECT_EQ(object.members().size(), 4U);
}

TEST(JsonView, ReadsTextAndNumbers) {
    EXPECT_EQ(JsonView(R"("a\u00e9\n")").text(), "a\xC3\xA9\n");
    EXPECT_EQ(JsonView("null").text(), "");
    EXPECT_EQ(JsonView("12").text(), "12");
    EXPECT_EQ(JsonView("-12").number(), -12);
    EXPECT_FALSE(JsonView("1.5").number());
    EXPECT_FALSE(JsonView("\"1\"").number());
    EXPECT_FALSE(JsonView("99999999999999999999").number());
    EXPECT_EQ(JsonView("x").number_or(3), 3);
}

TEST(JsonView, WhatIsNoJsonIsReadWithoutHarm) {
    const std::string text = R"({"a":{"b":[1,"x\"y",{}]},"c":"d"})";
    for (std::size_t size = 0; size <= text.size(); ++size) {
        const std::string cut = text.substr(0, size);
        const JsonView view(cut);
        (void)view["a"]["b"].elements();
        (void)view["c"].text();
    }
    for (const char* wrong : {"{:}", "[,]", "{\"a\"}", "]", "}{", "{\"a\" 1}", "[1 2]", "\"\\"}) {
        const JsonView view{std::string_view(wrong)};
        EXPECT_LE(view.elements().size(), 2U) << wrong;
        EXPECT_LE(view.members().size(), 1U) << wrong;
    }
}

TEST(JsonView, OneLineMeansTheSameAndMovesNoCursor) {
    const std::string text = "{\r\n\t\"a\" : \"\x7F\xC2\x9B\xE2\x80\xAEx\",\n\"b\":[1 ,\n2]}";
    const std::string line = one_line(text);
    EXPECT_EQ(nlohmann::json::parse(line), nlohmann::json::parse(text));
    for (const char c : line) {
        EXPECT_TRUE(c >= ' ' && c < 0x7F) << static_cast<int>(c);
    }
}

TEST(JsonView, ATextBecomesAString) {
    EXPECT_EQ(json_text("a\"b\n"), R"("a\"b\n")");
    EXPECT_EQ(nlohmann::json::parse(json_text("\xFF")), "\xEF\xBF\xBD");
}

}  // namespace
}  // namespace agentcom::cli
