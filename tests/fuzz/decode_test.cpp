// The decoders of everything a client sends, with random and damaged texts. The JSON reader is
// compared with an independent one; of frames, bodies, targets and headers it is asked that they
// are decoded or refused, and that what is decoded keeps the limits the rest of the hub relies on.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "agentcom/core/utf8.hpp"
#include "agentcom/protocol/codec.hpp"
#include "agentcom/protocol/json_scanner.hpp"
#include "agentcom/protocol/vocabulary.hpp"
#include "fuzz/json_generator.hpp"
#include "net/http_request.hpp"
#include "net/target.hpp"
#include "protocol/encode_message.hpp"

namespace agentcom::fuzz {
namespace {

using nlohmann::json;
using namespace protocol;

// ---- The JSON reader ------------------------------------------------------------------------

struct Judgement {
    bool accepted = false;
    bool beyond_double = false;  // the grammar allows such numbers, this judge does not
    json value;
};

Judgement judge(const std::string& text) {
    Judgement judgement;
    // It skips a byte order mark and takes a zero byte for the end of the text; the grammar knows
    // neither.
    if (text.starts_with("\xEF\xBB\xBF") || text.find('\0') != std::string::npos) return judgement;
    try {
        judgement.value = json::parse(text);
        judgement.accepted = true;
    } catch (const json::out_of_range&) {
        judgement.beyond_double = true;
    } catch (const json::parse_error&) {
    }
    return judgement;
}

/// Whether some container lies deeper than the hub allows.
bool too_deep(const json& value, std::size_t room) {
    if (!value.is_structured()) return false;
    if (room == 0) return true;
    for (const json& each : value) {
        if (too_deep(each, room - 1)) return true;
    }
    return false;
}

void compare(const std::string& text) {
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
    ASSERT_EQ(accepted, expected) << text;
    if (!accepted || kind != JsonKind::object) return;
    ASSERT_TRUE(judgement.value.is_object()) << text;
    std::set<std::string> keys;
    for (auto it = members.rbegin(); it != members.rend(); ++it) {
        const auto& [key, value] = *it;
        if (!keys.insert(key).second) continue;  // the last of equal keys counts
        const json& its = judgement.value.at(key);
        ASSERT_EQ(json::parse(value.raw), its) << text;
        if (its.is_string()) {
            ASSERT_EQ(decode_json_string(value.raw, value.escaped), its.get<std::string>()) << text;
        }
    }
    ASSERT_EQ(keys.size(), judgement.value.size()) << text;
}

TEST(FuzzJson, TheReaderAgreesWithAnIndependentOne) {
    Random random(seed());
    JsonGenerator generator(random);
    for (int i = 0; i < rounds(60'000); ++i) {
        const std::string text = generator.value(5);
        ASSERT_NO_FATAL_FAILURE(compare(text)) << "seed " << seed() << ", text " << i;
        ASSERT_NO_FATAL_FAILURE(compare(random.mutate(text, kJsonSymbols)))
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
        ASSERT_NO_FATAL_FAILURE(compare(text)) << "seed " << seed();
        ASSERT_NO_FATAL_FAILURE(compare(random.mutate(text, kJsonSymbols))) << "seed " << seed();
        ASSERT_NO_FATAL_FAILURE(compare(random.bytes(random.below(40)))) << "seed " << seed();
    }
}

// ---- Frames and bodies ----------------------------------------------------------------------

bool is_json(const core::JsonText& text) {
    const Judgement judgement = judge(text.text);
    return judgement.accepted || judgement.beyond_double;
}
bool is_short(const std::optional<std::string>& text, std::size_t most) {
    return !text || (text->size() <= most && core::is_valid_utf8(*text));
}

/// What the router and the store take for granted about a decoded request.
struct KeepsItsPromises {
    bool message(const core::JsonText& payload, const std::string& type,
                 const std::optional<std::string>& reply_to,
                 const std::optional<std::string>& key) const {
        return is_json(payload) && type.size() <= core::kMaxMessageTypeBytes &&
               core::is_valid_utf8(type) && is_short(reply_to, core::kMaxReplyToBytes) &&
               is_short(key, 128) && (!reply_to || !reply_to->empty()) && (!key || !key->empty());
    }
    bool operator()(const Identify& request) const {
        for (const auto* part : {&request.name, &request.status, &request.capabilities}) {
            if (*part && !is_json(**part)) return false;
        }
        return true;
    }
    bool operator()(const SendMessage& request) const {
        return !std::holds_alternative<core::ToChannel>(request.to) &&
               message(request.payload, request.type, request.reply_to, request.idempotency_key);
    }
    bool operator()(const Publish& request) const {
        return request.payload.text.starts_with('{') &&
               message(request.payload, request.type, request.reply_to, request.idempotency_key);
    }
    bool operator()(const SetStatus& request) const { return is_json(request.status); }
    bool operator()(const ChannelHistory& request) const { return request.limit <= 200; }
    bool operator()(const QueryHistory& request) const {
        return request.limit <= 200 && is_short(request.from, ~std::size_t{0}) &&
               is_short(request.to, ~std::size_t{0});
    }
    bool operator()(const PollMailbox& request) const {
        return request.wait.count() >= 0 && request.wait.count() <= 60'000 &&
               core::is_valid_utf8(request.mailbox);
    }
    bool operator()(const PutSetting& request) const {
        return request.value > 0 && request.value <= ~std::uint64_t{0} / 2;
    }
    bool operator()(const CreateChannel& request) const {
        return request.description.size() <= 1'024 && core::is_valid_utf8(request.description);
    }
    bool operator()(const auto&) const { return true; }
};

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
        const Frame frame = decode_frame(text, !random.one_in(4));
        if (frame.ref) {
            ASSERT_TRUE(is_json(*frame.ref) && frame.ref->text.size() <= 256)
                << "seed " << seed() << " " << text;
        }
        core::Pieces answer;
        if (frame.request) {
            ASSERT_TRUE(std::visit(KeepsItsPromises{}, *frame.request))
                << "seed " << seed() << " " << text;
        } else {
            errors.insert(frame.request.error().code);
            ASSERT_NE(frame.request.error().code, core::ErrorCode::internal) << text;
            // The answer repeats the ref and names fields: it must be JSON whatever came.
            encode_frame(frame.request.error(), frame.ref, answer);
            ASSERT_TRUE(is_json({answer.str()}))
                << "seed " << seed() << " " << text << answer.str();
        }
    }
    EXPECT_GE(errors.size(), 6U);
}

constexpr auto kLastOperation = static_cast<std::size_t>(Operation::reset_hub);

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
        HttpInput input{.operation = static_cast<Operation>(random.below(kLastOperation + 1)),
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
        const auto request = decode_http(input);
        if (request) {
            decoded.insert(static_cast<std::size_t>(input.operation));
            ASSERT_TRUE(std::visit(KeepsItsPromises{}, *request))
                << "seed " << seed() << " operation " << static_cast<int>(input.operation) << " "
                << body;
        } else {
            const HttpOutput answer = encode_http(request.error(), true);
            ASSERT_TRUE(json::accept(answer.body.str()))
                << "seed " << seed() << " " << answer.body.str();
            ASSERT_GE(answer.status, 400) << body;
            ASSERT_LT(answer.status, 500) << body;
        }
        (void)token_in_ack_body(body);
    }
    // What has no route has nothing to be decoded from.
    for (const Operation frame : {Operation::identify, Operation::set_status}) {
        EXPECT_FALSE(decoded.contains(static_cast<std::size_t>(frame)));
    }
    EXPECT_EQ(decoded.size(), kLastOperation - 1) << "some operation was never decoded";
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
        const net::Target target = net::parse_target(text);
        for (const std::string_view segment : target.segments) {
            ASSERT_FALSE(segment.empty()) << "seed " << seed() << " " << text;
            ASSERT_EQ(segment.find('/'), std::string_view::npos) << text;
            ASSERT_EQ(segment.find('?'), std::string_view::npos) << text;
            if (const auto decoded = net::percent_decode(segment)) {
                ASSERT_LE(decoded->size(), segment.size());
            }
        }
        for (const auto& [name, value] : net::parse_query(target.query)) {
            ASSERT_LE(name.size() + value.size(), target.query.size()) << text;
        }
        (void)net::bearer_token(text);
        (void)net::is_json_type(text);
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
