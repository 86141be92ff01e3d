// The decoders of everything a client sends, with random and damaged texts. The JSON reader is
// compared with an independent one; of frames, bodies, targets and headers it is asked that they
// are decoded or refused, and that what is decoded keeps the limits the rest of the hub relies on.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "agentcom/protocol/codec.hpp"
#include "agentcom/protocol/json_scanner.hpp"
#include "agentcom/protocol/vocabulary.hpp"
#include "fuzz/json_generator.hpp"
#include "fuzz/support/decode_checks.hpp"
#include "fuzz/support/json_checks.hpp"
#include "fuzz/support/wire_checks.hpp"
#include "net/target.hpp"
#include "protocol/encode_message.hpp"

namespace agentcom::fuzz {
namespace {

using nlohmann::json;
using namespace protocol;

// ---- The JSON reader ------------------------------------------------------------------------

TEST(FuzzJson, TheReaderAgreesWithAnIndependentOne) {
    Random random(seed());
    JsonGenerator generator(random);
    for (int i = 0; i < rounds(60'000); ++i) {
        const std::string text = generator.value(5);
        ASSERT_NO_THROW(check_json(text)) << "seed " << seed() << ", text " << i;
        ASSERT_NO_THROW(check_json(random.mutate(text, kJsonSymbols)))
            << "seed " << seed() << ", mutant " << i;
    }
}

TEST(FuzzJson, TheReaderAgreesAboutDeepTextsAndArbitraryBytes) {
    Random random(seed() + 1);
    for (int i = 0; i < rounds(5'000); ++i) {
        std::string open;
        std::string close;
        for (std::size_t depth = 55 + random.below(15); depth > 0; --depth) {
            const bool object = random.one_in(2);
            open += object ? "{\"k\":" : "[";
            close.insert(0, object ? "}" : "]");
        }
        const std::string text = open + "0" + close;
        ASSERT_NO_THROW(check_json(text)) << "seed " << seed();
        ASSERT_NO_THROW(check_json(random.mutate(text, kJsonSymbols))) << "seed " << seed();
        ASSERT_NO_THROW(check_json(random.bytes(random.below(40)))) << "seed " << seed();
    }
}

// ---- Frames and bodies ----------------------------------------------------------------------

std::vector<std::string> good_frames() {
    return {
        R"({"type":"identify","agent_id":"alice","token":"0123","name":"A","status":{"a":[1]},"capabilities":["x"],"acks":true,"presence":false,"echo":false})",
        R"({"type":"message","to":"bob","message_type":"request","payload":{"a":[1,2,{"b":null}]},"reply_to":"0000000000000001","idempotency_key":"k-1","ref":17})",
        R"({"type":"message","to":"broadcast","payload":"text","ref":"r"})",
        R"({"type":"status","status":"busy"})",
        R"({"type":"list_agents"})",
        R"({"type":"channel_subscribe","channel":"#Dev Ops"})",
        R"({"type":"channel_unsubscribe","channel":"dev"})",
        R"({"type":"channel_delete","channel":"dev"})",
        R"({"type":"channel_publish","channel":"dev","payload":{"channel":"x"},"message_type":"t","reply_to":null})",
        R"({"type":"channel_history","channel":"dev","limit":10,"since":3})",
        R"({"type":"list_channels","ref":1.5e3})",
        R"({"type":"ping"})",
        R"({"type":"ack","seq":12})",
    };
}

/// A good text with one value exchanged for another of whatever kind.
std::string with_other_value(Random& random, JsonGenerator& generator, const std::string& text) {
    json object = json::parse(text);
    std::vector<std::string> keys;
    for (const auto& [key, value] : object.items()) keys.push_back(key);
    if (keys.empty()) return text;
    const std::string key = random.pick(keys);
    object.erase(key);
    std::string out = object.dump();
    out.pop_back();
    return out + (object.empty() ? "" : ",") + json(key).dump() + ":" + generator.value(3) + "}";
}

TEST(FuzzFrame, WhateverComesIsARequestThatKeepsItsPromisesOrAnError) {
    Random random(seed() + 2);
    JsonGenerator generator(random);
    const auto good = good_frames();
    std::set<std::size_t> requests;
    std::set<core::ErrorCode> errors;
    for (const std::string& text : good) {
        const Frame frame = decode_frame(text, true);
        ASSERT_TRUE(frame.request) << text;
        requests.insert(frame.request->index());
    }
    EXPECT_EQ(requests.size(), client_frame_types().size()) << "a frame type is missing here";
    for (int i = 0; i < rounds(150'000); ++i) {
        std::string text = random.pick(good);
        if (!random.one_in(3)) text = with_other_value(random, generator, text);
        if (!random.one_in(3)) text = random.mutate(text, kJsonSymbols);
        std::optional<Frame> frame;
        ASSERT_NO_THROW(frame = check_frame(text, !random.one_in(4))) << "seed " << seed();
        if (!frame->request) errors.insert(frame->request.error().code);
    }
    EXPECT_GE(errors.size(), 6U);
}

TEST(FuzzHttp, WhateverComesToAnyOperationIsARequestThatKeepsItsPromisesOrAnError) {
    Random random(seed() + 3);
    JsonGenerator generator(random);
    const std::vector<std::string> bodies{
        R"({"to":"bob","type":"request","payload":{"a":1},"reply_to":"x","idempotency_key":"k"})",
        R"({"seq":5,"token":"0123"})",
        R"({"name":"#Dev","description":"about"})",
        R"({"heartbeat_interval_ms":5})",
        R"({"mailbox_ttl_ms":5})",
        R"({"agent_id":"carol","role":"admin"})",
        R"({"agent_id":"carol","rights":["read"]})",
        R"({"status":{"a":1},"capabilities":["x"]})",
        "{}",
        ""};
    const std::vector<std::string> names{"since",    "limit",   "wait",   "from",
                                         "to",       "cursor",  "token",  "start_time",
                                         "end_time", "channel", "limit[]"};
    const std::vector<std::string> texts{"1",
                                         "0",
                                         "-1",
                                         "60",
                                         "alice",
                                         "broadcast",
                                         "#dev",
                                         "",
                                         "99999999999999999999",
                                         "-99999999999999999999"};
    std::set<std::size_t> decoded;
    for (int i = 0; i < rounds(150'000); ++i) {
        std::string body = random.pick(bodies);
        if (!body.empty() && random.one_in(2)) body = with_other_value(random, generator, body);
        if (random.one_in(3)) body = random.mutate(body, kJsonSymbols);
        std::string argument = random.pick(texts);
        if (random.one_in(4)) argument = random.mutate(argument, kJsonSymbols);
        std::string key = random.pick(texts);
        if (random.one_in(2)) key = random.mutate(key, kJsonSymbols);
        HttpInput input{.operation = static_cast<Operation>(random.below(kOperationCount)),
                        .path_argument = argument,
                        .query = {},
                        .body = body,
                        .idempotency_key = {}};
        for (std::size_t count = random.below(4); count > 0; --count) {
            std::string value = random.pick(texts);
            if (random.one_in(4)) value = random.mutate(value, kJsonSymbols);
            input.query.emplace_back(random.pick(names), value);
        }
        if (random.one_in(4)) input.idempotency_key = key;
        bool is_request = false;
        ASSERT_NO_THROW(is_request = check_http(input).has_value())
            << "seed " << seed() << " operation " << static_cast<int>(input.operation);
        if (is_request) decoded.insert(static_cast<std::size_t>(input.operation));
    }
    // What has no route has nothing to be decoded from.
    for (const Operation frame : {Operation::identify, Operation::set_status}) {
        EXPECT_FALSE(decoded.contains(static_cast<std::size_t>(frame)));
    }
    EXPECT_EQ(decoded.size(), kOperationCount - 2) << "some operation was never decoded";
}

// ---- Targets, queries, headers --------------------------------------------------------------

TEST(FuzzTarget, PathsAndQueriesOfAnyBytesAreTakenApart) {
    Random random(seed() + 4);
    const std::vector<std::string> good{"/api/mailbox/alice?since=5&limit=10&wait=60",
                                        "/api//channels/%23dev/history/?limit=1",
                                        "http://hub:4000/api/messages?from=a%20b+c&to=%C3%A9",
                                        "/ws?token=0123",
                                        "*",
                                        "/",
                                        "",
                                        "?a=1&&b&=c&%"};
    constexpr std::string_view kSymbols = "/?&=%+#:.20aAfF[]@ \\\"";
    for (int i = 0; i < rounds(200'000); ++i) {
        std::string text = random.mutate(random.pick(good), kSymbols);
        if (random.one_in(10)) text = random.bytes(random.below(60));
        ASSERT_NO_THROW(check_target(text)) << "seed " << seed();
    }
}

TEST(FuzzTarget, WhatIsEscapedComesBackAsItWas) {
    Random random(seed() + 5);
    for (int i = 0; i < rounds(20'000); ++i) {
        const std::string text = random.bytes(random.below(30));
        std::string escaped;
        for (const char c : text) {
            constexpr std::string_view kHex = "0123456789abcdefABCDEF";
            const auto byte = static_cast<unsigned char>(c);
            escaped += '%';
            escaped += kHex[byte >> 4];
            escaped += kHex[byte & 15];
        }
        ASSERT_EQ(net::percent_decode(escaped), text);
        const auto pairs = net::parse_query("k=" + escaped);
        ASSERT_EQ(pairs.size(), 1U);
        ASSERT_EQ(pairs[0].second, text);
    }
}

// ---- The copy of a channel's payload ----------------------------------------------------------

TEST(FuzzPayload, TheChannelIsSetInAnyObjectAndTheRestStays) {
    Random random(seed() + 6);
    JsonGenerator generator(random);
    for (int i = 0; i < rounds(50'000); ++i) {
        std::string text = "{";
        for (std::size_t count = random.below(5); count > 0; --count) {
            const std::string key = random.one_in(4)   ? "\"channel\""
                                    : random.one_in(4) ? "\"\\u0063hannel\""
                                                       : generator.string();
            text += generator.space() + key + ":" + generator.value(3) + (count > 1 ? "," : "");
        }
        text += "}";
        const Judgement judgement = judge(text);
        ASSERT_TRUE(judgement.accepted || judgement.beyond_double) << text;
        if (!judgement.accepted) continue;
        json expected = judgement.value;
        expected["channel"] = "dev";
        ASSERT_EQ(json::parse(payload_with_channel(text, "dev")), expected)
            << "seed " << seed() << " " << text;
    }
}

}  // namespace
}  // namespace agentcom::fuzz
