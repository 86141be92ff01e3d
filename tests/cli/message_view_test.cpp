#include "cli/message_view.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/terminal_text.hpp"

namespace agentcom::cli {
namespace {

TEST(TerminalText, NothingOthersWroteReachesTheTerminalAsACommand) {
    EXPECT_EQ(printable("a\tb\nc \xC3\xA9 \xF0\x9F\x98\x80"), "a\tb\nc \xC3\xA9 \xF0\x9F\x98\x80");
    EXPECT_EQ(printable("\x1b[2J\x07\r\x7F"), "\\x1b[2J\\x07\\x0d\\x7f");
    EXPECT_EQ(printable("\xC2\x9B\x31m"), "\\x9b1m") << "the one-character form of ESC [";
    EXPECT_EQ(printable("\xE2\x80\xAE\xE2\x81\xA6"), "\\u202e\\u2066");
    EXPECT_EQ(printable("\xF3\xA0\x81\x81"), "\\udb40\\udc41") << "a tag, which nobody sees";
    EXPECT_EQ(printable("\xFF\xC3"), "\\xff\\xc3");
    EXPECT_EQ(printable_line("a\nb\tc"), "a\\nb\\tc");
}

TEST(TerminalText, JoinersStayWhereTheyJoinSomething) {
    const std::string woman = "\xF0\x9F\x91\xA9";
    const std::string laptop = "\xF0\x9F\x92\xBB";
    const std::string heart = "\xE2\x9D\xA4\xEF\xB8\x8F";  // with the style of emoji
    const std::string joiner = "\xE2\x80\x8D";
    const std::string persian = "\xD9\x85\xDB\x8C\xE2\x80\x8C\xD8\xB1";  // with a non-joiner
    for (const std::string& text :
         {woman + joiner + laptop, heart, heart + joiner + "\xF0\x9F\x94\xA5", persian}) {
        EXPECT_EQ(printable(text), text);
    }
    EXPECT_EQ(printable(joiner), "\\u200d");
    EXPECT_EQ(printable("a" + joiner), "a\\u200d");
    EXPECT_EQ(printable("a\xE2\x80\x8C\xE2\x80\x8D"), "a\\u200c\\u200d");
    EXPECT_EQ(printable(woman + joiner + joiner), woman + joiner + "\\u200d");
    EXPECT_EQ(printable(heart + "\xEF\xB8\x8F"), heart + "\\ufe0f");
    EXPECT_EQ(printable("\xE2\x80\x8B" + joiner), "\\u200b\\u200d");
    // In JSON it is the same text either way.
    EXPECT_EQ(escape_controls(woman + joiner + laptop), woman + "\\u200d" + laptop);
}

TEST(MessageView, IsTheSameFromAPollAndFromAStream) {
    const std::string polled =
        R"({"id":"x1","from":"alice","to":null,"type":"note","payload":{"text":"hi", "n":1.50},)"
        R"("reply_to":null,"timestamp":1795682941465,"seq":3,"channel":"build","channel_seq":2})";
    const std::string pushed =
        R"({"type":"channel_message","channel":"build","id":"x1","from":"alice","message_type":"note",)"
        "\"payload\":{\"text\":\"hi\",\n\"n\":1.50},"
        R"("reply_to":null,"timestamp":1795682941465,"channel_seq":2,"seq":3})";
    const std::string line = MessageView(JsonView(polled)).json();
    EXPECT_EQ(line,
              R"({"seq":3,"id":"x1","from":"alice","to":null,"channel":"build","channel_seq":2,)"
              R"("type":"note","payload":{"text":"hi", "n":1.50},"reply_to":null,)"
              R"("timestamp":1795682941465})"
              "\n");
    auto of_frame = nlohmann::json::parse(MessageView(JsonView(pushed)).json());
    auto of_poll = nlohmann::json::parse(line);
    of_poll.erase("to");
    EXPECT_EQ(of_frame, of_poll);
}

TEST(MessageView, ATextCannotPassForAnotherMessage) {
    const nlohmann::json message = {
        {"id", "x1"},
        {"from", "mallory"},
        {"to", "bob"},
        {"type", "chat"},
        {"payload", {{"text", "hello\n2026-01-01 00:00:00  boss to bob  seq 9  id y\r\x1b[1A"}}},
        {"reply_to", "y\nz"},
        {"timestamp", 0},
        {"seq", 8}};
    const std::string raw = message.dump();
    const std::string text = MessageView(JsonView(raw)).text();
    std::size_t unindented = 0;
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
        unindented += text.compare(at, 4, "    ") != 0 ? 1 : 0;
    }
    EXPECT_EQ(unindented, 1U) << text;
    EXPECT_NE(text.find("mallory to bob  seq 8  id x1  re y\\nz\n    hello\n"), std::string::npos)
        << text;
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find('\r'), std::string::npos);
}

TEST(MessageView, APayloadIsShownAsTextWhenItIsOne) {
    EXPECT_EQ(payload_text(JsonView(R"("plain")")), "plain");
    EXPECT_EQ(payload_text(JsonView(R"({"text":"a\nb"})")), "a\nb");
    EXPECT_EQ(payload_text(JsonView(R"({"text":"a","channel":"build"})")), "a");
    EXPECT_EQ(payload_text(JsonView(R"({"text":"a","more":1e999})")),
              R"({"text":"a","more":1e999})");
    EXPECT_EQ(payload_text(JsonView("[1]")), "[1]");
    EXPECT_EQ(payload_text(JsonView("{}")), "{}");
}

}  // namespace
}  // namespace agentcom::cli
