// MCP with random and damaged texts: whatever is posted is answered with one JSON value or with
// nothing to say, and whatever a message holds stays within its fence.

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agentcom/core/utf8.hpp"
#include "agentcom/mcp/mcp.hpp"
#include "fuzz/json_generator.hpp"
#include "mcp/json.hpp"
#include "mcp/messages.hpp"

namespace agentcom::fuzz {
namespace {

core::AgentId somebody() { return core::AgentId::parse("alice").value(); }

const std::vector<std::string>& requests() {
    static const std::string meta =
        R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
        R"("io.modelcontextprotocol/clientCapabilities":{}})";
    static const std::vector<std::string> all{
        R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"check_inbox",)"
        R"("arguments":{"limit":5,"full":true,"max_bytes":100,"after":7}}})",
        R"({"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"send_message",)"
        R"("arguments":{"to":"bob","text":"hello","reply_to":"x","type":"chat"}}})",
        R"({"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"publish",)"
        R"("arguments":{"channel":"dev","payload":{"a":[1,{"b":null}]}}}})",
        R"({"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"set_status",)"
        R"("arguments":{"status":"x","capabilities":["a","b\"c"]}}})",
        R"({"jsonrpc":"2.0","id":4,"method":"initialize","params":{"protocolVersion":"2025-06-18"}})",
        R"({"jsonrpc":"2.0","method":"notifications/initialized"})",
        R"({"jsonrpc":"2.0","id":5,"method":"server/discover","params":{)" + meta + "}}",
        R"({"jsonrpc":"2.0","id":6,"method":"subscriptions/listen","params":{"notifications":)"
        R"({"resourceSubscriptions":["agentcom://inbox"]},)" +
            meta + "}}"};
    return all;
}

/// Answers every question with an error until there is an answer.
void expect_answer(const std::string& body, const std::optional<std::string>& method) {
    mcp::Call call{.agent = somebody(), .now = core::Timestamp{5}, .body = body};
    if (method) {
        call.protocol_version = "2026-07-28";
        call.method = *method;
    }
    mcp::Step step = mcp::begin(call);
    for (int asked = 0; auto* ask = std::get_if<mcp::Ask>(&step.what); ++asked) {
        ASSERT_LT(asked, 10) << body;
        const auto then = std::move(ask->then);
        step = then(core::Error(core::ErrorCode::overloaded));
    }
    const auto* answer = std::get_if<mcp::Answer>(&step.what);
    ASSERT_NE(answer, nullptr) << body;
    if (answer->status == 202) {
        ASSERT_EQ(answer->body, "") << body;
        return;
    }
    const auto parsed = mcp::Object::parse(answer->body);
    ASSERT_TRUE(parsed) << body << " -> " << answer->body;
    ASSERT_EQ(parsed->text("jsonrpc"), "2.0");
    ASSERT_NE(parsed->find("result") != nullptr, parsed->find("error") != nullptr) << body;
}

TEST(FuzzMcp, EveryBodyIsAnswered) {
    Random random(seed() + 40);
    JsonGenerator generator(random);
    for (int i = 0; i < rounds(30'000); ++i) {
        const std::string& request = random.pick(requests());
        std::optional<std::string> method;
        if (random.one_in(2))
            method = random.one_in(2) ? "server/discover" : "subscriptions/listen";
        ASSERT_NO_FATAL_FAILURE(expect_answer(request, method)) << "seed " << seed();
        ASSERT_NO_FATAL_FAILURE(expect_answer(random.mutate(request, kJsonSymbols), method))
            << "seed " << seed() << ", mutant " << i;
        const std::string arguments = R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":)"
                                      R"({"name":"send_message","arguments":)" +
                                      generator.value(3) + "}}";
        ASSERT_NO_FATAL_FAILURE(expect_answer(arguments, method)) << "seed " << seed();
    }
}

/// How often the text holds a mark's beginning.
std::size_t marks(const std::string& text, const std::string& word) {
    std::size_t count = 0;
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
    return count;
}

TEST(FuzzMcp, EveryMessageStaysWithinItsFence) {
    Random random(seed() + 41);
    JsonGenerator generator(random);
    const std::vector<std::string> pieces{
        "<<<", "end ", "message ", ">>>",          "<",    "0123456789abcdef", "\\n",
        "\\r", "END",  " ",        "\xE2\x80\xAE", "x\\\""};
    const mcp::Context context{.agent = somebody(), .now = core::Timestamp{5}, .id = "1"};
    for (int i = 0; i < rounds(10'000); ++i) {
        std::string text;
        for (std::size_t n = random.below(12); n > 0; --n) text += random.pick(pieces);
        const std::string payload = random.one_in(3)   ? generator.value(3)
                                    : random.one_in(2) ? '"' + text + '"'
                                                       : "{\"text\":\"" + text + "\"}";
        auto message = std::make_shared<core::Message>(core::Message{
            .seq = core::Seq{7},
            .id = core::MessageId{7},
            .channel_seq = {},
            .timestamp = core::Timestamp{1},
            .draft = core::Draft{somebody(), core::ToEveryone{}, "chat", {payload}, "<<<end"}});
        const std::vector<core::MessagePtr> messages{message, message};
        mcp::Trust trust;
        trust.note(somebody(), true, core::Role::agent);
        const auto full = mcp::show_in_full(messages, trust, 1'000);
        ASSERT_EQ(marks(full.text, "<<<message "), 2U) << payload << '\n' << full.text;
        ASSERT_EQ(marks(full.text, "<<<end "), 2U) << payload << '\n' << full.text;
        const auto list = mcp::show_manifest(context, messages, trust);
        ASSERT_EQ(marks(list.text, "<<<end "), 1U) << payload << '\n' << list.text;
        ASSERT_EQ(marks(list.text, "\n"), 4U) << payload << '\n' << list.text;
        const auto one = mcp::show_one(message, trust, random.below(20), 1'000);
        ASSERT_EQ(marks(one.text, "<<<end "), 1U) << payload << '\n' << one.text;
        for (const mcp::Shown* shown : {&full, &list, &one}) {
            ASSERT_TRUE(core::is_valid_utf8(shown->text)) << payload;
            ASSERT_TRUE(mcp::Object::parse("{\"all\":" + shown->json + '}')) << payload;
        }
    }
}

}  // namespace
}  // namespace agentcom::fuzz
