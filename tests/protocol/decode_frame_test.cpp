#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "agentcom/protocol/codec.hpp"
#include "agentcom/protocol/vocabulary.hpp"

namespace agentcom::protocol {
namespace {

using core::ErrorCode;

/// The request of a frame on an identified connection.
template <class T>
T decoded(std::string_view text, bool identified = true) {
    Frame frame = decode_frame(text, identified);
    if (!frame.request) {
        ADD_FAILURE() << text << ": " << frame.request.error().wire_name();
        throw std::runtime_error("not decoded");
    }
    return std::get<T>(*frame.request);
}

core::Error error_of(std::string_view text, bool identified = true) {
    Frame frame = decode_frame(text, identified);
    if (frame.request) {
        ADD_FAILURE() << text << " was accepted";
        return {};
    }
    return frame.request.error();
}

ErrorCode code_of(std::string_view text, bool identified = true) {
    return error_of(text, identified).code;
}

TEST(DecodeFrame, BrokenJsonIsSaidToBeSoBeforeAndAfterIdentify) {
    const std::string deep = "{\"payload\":" + std::string(64, '[') + std::string(64, ']') + "}";
    for (const std::string& text :
         {std::string(), std::string("{oops"), std::string("{\"type\":\"ping\"} trailing"),
          std::string("{'type':'ping'}"), std::string("NaN"), std::string("{\"type\":"),
          std::string("{\"type\":\"ping\",\"x\":\"\xFF\"}"),
          std::string("{\"type\":\"ping\",\"x\":\"\\ud800\"}"), deep}) {
        EXPECT_EQ(code_of(text), ErrorCode::invalid_json) << text;
        EXPECT_EQ(code_of(text, false), ErrorCode::invalid_json) << text;
    }
}

TEST(DecodeFrame, NothingButIdentifyComesBeforeIdentify) {
    for (const char* text :
         {"{\"type\":\"ping\"}", "{\"type\":\"message\",\"payload\":{}}", "{}", "[1,2]", "\"text\"",
          "42", "null", "true", "{\"type\":\"no_such_type\"}", "{\"type\":3}",
          "{\"type\":\"identify\"}", "{\"type\":\"identify\",\"token\":\"t\"}",
          "{\"type\":\"channel_subscribe\",\"channel\":5}", "{\"type\":\"ping\",\"ref\":[]}"}) {
        EXPECT_EQ(code_of(text, false), ErrorCode::not_identified) << text;
    }
    EXPECT_EQ(decoded<Identify>(R"({"type":"identify","agent_id":"a"})", false).agent_id, "a");
}

TEST(DecodeFrame, UnknownTypesAndOtherJsonAreUnknown) {
    for (const char* text :
         {"{\"type\":\"dance\"}", "{\"payload\":1}", "{\"type\":3}", "{\"type\":null}",
          "{\"type\":\"Ping\"}", "{\"type\":\"pong\"}", "{\"type\":\"message_sent\",\"id\":\"x\"}",
          "{\"type\":\"channel_message\"}", "{\"type\":\"channel_create\",\"channel\":\"x\"}", "[]",
          "\"ping\"", "1", "null"}) {
        EXPECT_EQ(code_of(text), ErrorCode::unknown_message_type) << text;
    }
}

TEST(DecodeFrame, AnUnknownTypeIsNamed) {
    const auto explained = [](const std::string& text) {
        return std::string(decode_frame(text, true).request.error().explanation());
    };
    EXPECT_EQ(explained(R"({"type":"dance"})"), R"(there is no type "dance" of frames)");
    EXPECT_EQ(explained(R"({"type":")" + std::string(65, 'x') + R"("})"),
              "there is no such type of frames");
    EXPECT_EQ(explained(R"({"type":3})"), R"(the frame needs a "type", a string)");
    EXPECT_EQ(decode_frame(R"({"kind":"ping"})", true).request.error().field, "type");
}

TEST(DecodeFrame, AMissingOrWrongFieldIsNamed) {
    const std::vector<std::pair<const char*, const char*>> cases{
        {"{\"type\":\"identify\"}", "agent_id"},
        {"{\"type\":\"status\"}", "status"},
        {"{\"type\":\"channel_subscribe\"}", "channel"},
        {"{\"type\":\"channel_subscribe\",\"channel\":5}", "channel"},
        {"{\"type\":\"channel_subscribe\",\"channel\":null}", "channel"},
        {"{\"type\":\"channel_unsubscribe\"}", "channel"},
        {"{\"type\":\"channel_delete\"}", "channel"},
        {"{\"type\":\"channel_publish\"}", "channel"},
        {"{\"type\":\"channel_publish\",\"channel\":\"c\"}", "payload"},
        {"{\"type\":\"channel_history\",\"channel\":[\"x\"]}", "channel"},
        {"{\"type\":\"channel_history\",\"channel\":\"c\",\"limit\":\"3\"}", "limit"},
        {"{\"type\":\"channel_history\",\"channel\":\"c\",\"limit\":-1}", "limit"},
        {"{\"type\":\"channel_history\",\"channel\":\"c\",\"since\":\"5\"}", "since"},
        {"{\"type\":\"channel_history\",\"channel\":\"c\",\"since\":1.5}", "since"},
        {"{\"type\":\"ack\"}", "seq"},
        {"{\"type\":\"ack\",\"seq\":\"5\"}", "seq"},
        {"{\"type\":\"ack\",\"seq\":null}", "seq"},
        {"{\"type\":\"ack\",\"seq\":-1}", "seq"},
        {"{\"type\":\"message\",\"message_type\":5}", "message_type"},
        {"{\"type\":\"message\",\"reply_to\":5}", "reply_to"},
        {"{\"type\":\"ping\",\"ref\":{}}", "ref"},
        {"{\"type\":\"ping\",\"ref\":true}", "ref"},
    };
    for (const auto& [text, field] : cases) {
        const core::Error error = error_of(text);
        EXPECT_EQ(error.code, ErrorCode::unknown_message_type) << text;
        EXPECT_EQ(error.field, field) << text;
        EXPECT_NE(error.message.find(field), std::string::npos) << text << ": " << error.message;
    }
}

TEST(DecodeFrame, IdentifyTakesAnythingForNameStatusAndCapabilities) {
    const auto full = decoded<Identify>(
        R"({"type":"identify","agent_id":"a","token":"t","name":null,"status":{"mood":"fine"},
            "capabilities":"everything","acks":true,"presence":false,"echo":false})",
        false);
    EXPECT_EQ(full.token, "t");
    EXPECT_EQ(full.name->text, "null");
    EXPECT_EQ(full.status->text, R"({"mood":"fine"})");
    EXPECT_EQ(full.capabilities->text, "\"everything\"");
    EXPECT_TRUE(full.acks);
    EXPECT_FALSE(full.presence);
    EXPECT_FALSE(full.echo);

    const auto bare = decoded<Identify>(R"({"type":"identify","agent_id":"a","token":5})", false);
    EXPECT_EQ(bare.token, "");
    EXPECT_FALSE(bare.name || bare.status || bare.capabilities || bare.acks);
    EXPECT_TRUE(bare.presence && bare.echo);
}

TEST(DecodeFrame, AnAgentIdOfAnotherTypeIsKeptAsItsText) {
    EXPECT_EQ(decoded<Identify>(R"({"type":"identify","agent_id":7})", false).agent_id, "7");
    EXPECT_EQ(decoded<Identify>(R"({"type":"identify","agent_id":[ 1]})").agent_id, "[ 1]");
}

TEST(DecodeFrame, MessageHasTheDefaultsOfTheContract) {
    const auto bare = decoded<SendMessage>(R"({"type":"message"})");
    EXPECT_EQ(bare.to, core::Destination(core::ToEveryone{false}));
    EXPECT_EQ(bare.type, "chat");
    EXPECT_EQ(bare.payload.text, "{}");
    EXPECT_FALSE(bare.reply_to || bare.idempotency_key);

    const auto nulls = decoded<SendMessage>(
        R"({"type":"message","to":null,"payload":null,"message_type":null,"reply_to":null,
            "idempotency_key":null})");
    EXPECT_EQ(nulls.to, bare.to);
    EXPECT_EQ(nulls.type, "chat");
    EXPECT_EQ(nulls.payload.text, "{}");
    EXPECT_FALSE(nulls.reply_to || nulls.idempotency_key);

    EXPECT_EQ(decoded<SendMessage>(R"({"type":"message","payload":false})").payload.text, "{}");
    EXPECT_EQ(decoded<SendMessage>(R"({"type":"message","message_type":""})").type, "");
}

TEST(DecodeFrame, MessageCarriesThePayloadsBytesAsTheyCame) {
    for (const char* payload : {"{ \"x\" : 1.0 }", "[1, 2]", "\"\\u0041\"", "0", "true",
                                "{\"a\":{\"type\":\"x\"},\"a\":2}", "1e999"}) {
        const std::string text =
            std::string(R"({"to":"bob","payload":)") + payload + R"(,"type":"message"})";
        EXPECT_EQ(decoded<SendMessage>(text).payload.text, payload);
    }
}

TEST(DecodeFrame, MessageTakesAllItsFields) {
    const auto sent = decoded<SendMessage>(
        R"({"type":"message","to":"b\u006Fb","message_type":"request","reply_to":"no-such-id",
            "idempotency_key":"k-1","priority":"high"})");
    EXPECT_EQ(sent.to, core::Destination(core::ToAgent{*core::AgentId::parse("bob")}));
    EXPECT_EQ(sent.type, "request");
    EXPECT_EQ(sent.reply_to, "no-such-id");
    EXPECT_EQ(sent.idempotency_key, "k-1");
    EXPECT_EQ(decoded<SendMessage>(R"({"type":"message","to":"broadcast"})").to,
              core::Destination(core::ToEveryone{true}));
}

TEST(DecodeFrame, TheLastOfEqualKeysCounts) {
    EXPECT_EQ(
        decoded<SendMessage>(R"({"type":"ping","type":"message","to":"a","to":"broadcast"})").to,
        core::Destination(core::ToEveryone{true}));
}

TEST(DecodeFrame, AnOddRecipientIsRefused) {
    for (const std::string& to : {std::string("17"), std::string("false"), std::string("true"),
                                  std::string("[\"x\"]"), std::string("{}"), std::string("\"\""),
                                  std::string("\"a\\u0000\""), '"' + std::string(129, 'a') + '"'}) {
        EXPECT_EQ(code_of("{\"type\":\"message\",\"to\":" + to + "}"), ErrorCode::invalid_recipient)
            << to;
    }
}

TEST(DecodeFrame, LimitsFreeTexts) {
    const auto frame = [](std::string_view key, std::size_t size) {
        return "{\"type\":\"message\",\"" + std::string(key) + "\":\"" + std::string(size, 'x') +
               "\"}";
    };
    EXPECT_EQ(decoded<SendMessage>(frame("reply_to", 128)).reply_to->size(), 128U);
    EXPECT_EQ(error_of(frame("reply_to", 129)).field, "reply_to");
    EXPECT_EQ(decoded<SendMessage>(frame("message_type", 128)).type.size(), 128U);
    EXPECT_EQ(error_of(frame("message_type", 129)).field, "message_type");
    EXPECT_EQ(decoded<SendMessage>(frame("idempotency_key", 128)).idempotency_key->size(), 128U);
    for (const std::string& text :
         {frame("idempotency_key", 129), frame("idempotency_key", 0),
          std::string(R"({"type":"message","idempotency_key":5})"),
          std::string(R"({"type":"message","idempotency_key":"a\nb"})")}) {
        EXPECT_EQ(code_of(text), ErrorCode::invalid_idempotency_key) << text;
    }
}

TEST(DecodeFrame, PublishNeedsAnObject) {
    const auto text = [](std::string_view payload) {
        return R"({"type":"channel_publish","channel":"#Dev","payload":)" + std::string(payload) +
               "}";
    };
    const auto published = decoded<Publish>(text(R"({"n": 1})"));
    EXPECT_EQ(published.channel.str(), "dev");
    EXPECT_EQ(published.channel_text, "#Dev");
    EXPECT_EQ(published.payload.text, R"({"n": 1})");
    EXPECT_EQ(published.type, "chat");
    EXPECT_EQ(decoded<Publish>(text("null")).payload.text, "{}");
    EXPECT_EQ(decoded<Publish>(text("false")).payload.text, "{}");
    for (const char* payload : {"[1,2]", "\"text\"", "5", "true"}) {
        EXPECT_EQ(code_of(text(payload)), ErrorCode::invalid_payload) << payload;
    }
}

TEST(DecodeFrame, ChannelFramesKeepTheNameAsItWasSent) {
    EXPECT_EQ(decoded<Subscribe>(R"({"type":"channel_subscribe","channel":"#Dev"})").channel_text,
              "#Dev");
    EXPECT_EQ(
        decoded<Unsubscribe>(R"({"type":"channel_unsubscribe","channel":"#Dev"})").channel.str(),
        "dev");
    const auto deletion = decoded<DeleteChannel>(R"({"type":"channel_delete","channel":"#Dev"})");
    EXPECT_EQ(deletion.channel.str(), "dev");
    EXPECT_EQ(deletion.channel_text, "#Dev");
    EXPECT_EQ(code_of(R"({"type":"channel_subscribe","channel":"!!!"})"),
              ErrorCode::invalid_channel_name);
}

TEST(DecodeFrame, ChannelHistoryHasDefaultsAndACap) {
    const auto history = [](std::string_view more) {
        return decoded<ChannelHistory>(R"({"type":"channel_history","channel":"c")" +
                                       std::string(more) + "}");
    };
    EXPECT_EQ(history("").limit, 50U);
    EXPECT_FALSE(history("").since);
    EXPECT_EQ(history(R"(,"limit":null,"since":null)").limit, 50U);
    EXPECT_EQ(history(R"(,"limit":0)").limit, 0U);
    EXPECT_EQ(history(R"(,"limit":100000)").limit, 200U);
    EXPECT_EQ(history(R"(,"since":0)").since, core::ChannelSeq{0});
    EXPECT_EQ(history(R"(,"since":7)").since, core::ChannelSeq{7});
}

TEST(DecodeFrame, AckTakesAnyNumberOfAMessage) {
    const auto ack = decoded<Ack>(R"({"type":"ack","seq":9007199254740991})");
    EXPECT_EQ(ack.up_to, core::Seq{9007199254740991});
    EXPECT_FALSE(ack.mailbox);
}

TEST(DecodeFrame, StatusMayBeAnything) {
    EXPECT_EQ(decoded<SetStatus>(R"({"type":"status","status":null})").status.text, "null");
    EXPECT_EQ(decoded<SetStatus>(R"({"type":"status","status":{"a":[1]}})").status.text,
              R"({"a":[1]})");
}

TEST(DecodeFrame, RefIsKeptAsItsTextAlsoWithAnError) {
    EXPECT_EQ(decode_frame(R"({"type":"ping","ref":"a\n"})", true).ref->text, R"("a\n")");
    EXPECT_EQ(decode_frame(R"({"type":"ping","ref":1.50})", true).ref->text, "1.50");
    EXPECT_EQ(decode_frame(R"({"type":"dance","ref":7})", true).ref->text, "7");
    EXPECT_EQ(decode_frame(R"({"type":"ping","ref":7})", false).ref->text, "7");
    EXPECT_FALSE(decode_frame(R"({"type":"ping","ref":null})", true).ref);
    EXPECT_FALSE(decode_frame(R"({"type":"ping"})", true).ref);
    const std::string longest = "\"" + std::string(254, 'r') + "\"";
    EXPECT_EQ(decode_frame("{\"type\":\"ping\",\"ref\":" + longest + "}", true).ref->text, longest);
    EXPECT_EQ(error_of("{\"type\":\"ping\",\"ref\":\"" + std::string(255, 'r') + "\"}").field,
              "ref");
}

TEST(DecodeFrame, EveryListedTypeIsKnown) {
    for (const std::string_view type : client_frame_types()) {
        const std::string text =
            "{\"type\":\"" + std::string(type) +
            R"(","agent_id":"a","channel":"c","payload":{},"status":1,"seq":1})";
        EXPECT_TRUE(decode_frame(text, true).request) << type;
    }
}

}  // namespace
}  // namespace agentcom::protocol
