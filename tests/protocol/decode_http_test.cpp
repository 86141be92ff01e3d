#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "agentcom/protocol/codec.hpp"

namespace agentcom::protocol {
namespace {

using core::ErrorCode;
using Query = std::vector<std::pair<std::string, std::string>>;

struct Asked {
    Operation operation;
    std::string argument = {};
    Query query = {};
    std::string body = {};
    std::optional<std::string_view> idempotency_key = {};
};

core::result<Request> decode(const Asked& asked) {
    return decode_http(
        {asked.operation, asked.argument, asked.query, asked.body, asked.idempotency_key});
}

template <class T>
T decoded(const Asked& asked) {
    auto request = decode(asked);
    if (!request) {
        ADD_FAILURE() << asked.body << ": " << request.error().wire_name();
        throw std::runtime_error("not decoded");
    }
    return std::get<T>(*request);
}

core::Error error_of(const Asked& asked) {
    auto request = decode(asked);
    if (request) {
        ADD_FAILURE() << asked.body << " was accepted";
        return {};
    }
    return request.error();
}

TEST(DecodeHttp, TheDirectoryIsReadInPages) {
    const auto usual = decoded<ListDirectory>({.operation = Operation::list_directory});
    EXPECT_EQ(usual.range.limit, 50U);
    EXPECT_EQ(usual.capability, std::nullopt);
    const auto asked = decoded<ListDirectory>(
        {.operation = Operation::list_directory,
         .query = {{"limit", "500"}, {"cursor", "bob"}, {"capability", "review"}}});
    EXPECT_EQ(asked.range.limit, 200U);
    EXPECT_EQ(asked.range.cursor, "bob");
    EXPECT_EQ(asked.capability, "review");
    EXPECT_EQ(error_of({.operation = Operation::list_directory, .query = {{"limit", "0"}}}).field,
              "limit");
}

TEST(DecodeHttp, AProfileHasAStatusAndMayHaveCapabilities) {
    const auto both = decoded<SetProfile>(
        {.operation = Operation::set_profile, .body = R"({"status":"busy","capabilities":["a"]})"});
    EXPECT_EQ(both.status.text, R"("busy")");
    EXPECT_EQ(both.capabilities->text, R"(["a"])");
    EXPECT_EQ(decoded<SetProfile>({.operation = Operation::set_profile, .body = R"({"status":1})"})
                  .capabilities,
              std::nullopt);
    EXPECT_EQ(error_of({.operation = Operation::set_profile, .body = "{}"}).code,
              ErrorCode::missing_field);
    EXPECT_EQ(both.card, std::nullopt);
    for (const auto& [text, expected] :
         {std::pair("true", std::optional(true)), std::pair("false", std::optional(false)),
          std::pair("null", std::optional<bool>())}) {
        const std::string body = R"({"status":1,"card":)" + std::string(text) + "}";
        EXPECT_EQ(decoded<SetProfile>({.operation = Operation::set_profile, .body = body}).card,
                  expected);
    }
    EXPECT_EQ(
        error_of({.operation = Operation::set_profile, .body = R"({"status":1,"card":1})"}).field,
        "card");
}

TEST(DecodeHttp, OneAgentAndOneMessageStandInThePath) {
    EXPECT_EQ(decoded<GetAgent>({.operation = Operation::get_agent, .argument = "bob"}).agent,
              "bob");
    EXPECT_EQ(
        decoded<GetMessage>({.operation = Operation::get_message, .argument = "7"}).message_id,
        "7");
}

TEST(DecodeHttp, AMessageTakesItsTypeFromType) {
    const auto sent = decoded<SendMessage>(
        {.operation = Operation::send_message,
         .body = R"({"from":"x","id":"y","to":"bob","type":"alert","message_type":"no",
                     "payload":{"a": 1},"reply_to":"some-id","idempotency_key":"k"})"});
    EXPECT_EQ(sent.to, core::Destination(core::ToAgent{*core::AgentId::parse("bob")}));
    EXPECT_EQ(sent.type, "alert");
    EXPECT_EQ(sent.payload.text, R"({"a": 1})");
    EXPECT_EQ(sent.reply_to, "some-id");
    EXPECT_EQ(sent.idempotency_key, "k");
    EXPECT_EQ(decoded<SendMessage>({.operation = Operation::send_message,
                                    .body = R"({"message_type":"alert","payload":null})"})
                  .type,
              "chat");
}

TEST(DecodeHttp, AMessageNeedsThePayloadKey) {
    for (const char* body : {"", "{}", "[{\"payload\":{}}]", "\"payload\"", "null",
                             "{\"to\":\"bob\",\"text\":\"x\"}"}) {
        EXPECT_EQ(
            error_of(
                {.operation = Operation::send_message, .query = {{"payload", "x"}}, .body = body})
                .wire_name(),
            "missing required field: payload")
            << body;
    }
    for (const char* payload : {"null", "false", "{}"}) {
        EXPECT_EQ(decoded<SendMessage>({.operation = Operation::send_message,
                                        .body = "{\"payload\":" + std::string(payload) + "}"})
                      .payload.text,
                  "{}");
    }
}

TEST(DecodeHttp, ABodyThatIsNoObjectIsNotTakenForNone) {
    for (const char* body : {"5", "\"x\"", "[]", "null"}) {
        const auto rotated =
            error_of({.operation = Operation::rotate_token, .argument = "bob", .body = body});
        EXPECT_EQ(rotated.code, ErrorCode::invalid_json) << body;
        EXPECT_EQ(rotated.explanation(), "the body must be a JSON object") << body;
        const auto created = error_of({.operation = Operation::create_token, .body = body});
        EXPECT_EQ(created.wire_name(), "missing required field: agent_id") << body;
        EXPECT_EQ(created.explanation(), "the body must be a JSON object") << body;
        // Where no member is known nothing can have been meant.
        EXPECT_TRUE(decode({.operation = Operation::reset_hub, .body = body})) << body;
    }
    for (const char* body : {"", "{}"}) {
        EXPECT_TRUE(decode({.operation = Operation::rotate_token, .argument = "bob", .body = body}))
            << body;
    }
}

TEST(DecodeHttp, BrokenJsonIsInvalidJsonEverywhere) {
    for (const auto operation :
         {Operation::send_message, Operation::create_channel, Operation::publish,
          Operation::put_heartbeat_interval, Operation::create_token, Operation::ack_mailbox,
          Operation::reset_hub, Operation::reload_config}) {
        EXPECT_EQ(error_of({.operation = operation, .argument = "c", .body = "{oops"}).code,
                  ErrorCode::invalid_json);
    }
}

TEST(DecodeHttp, WrongFieldsAreNamed) {
    const auto error =
        error_of({.operation = Operation::send_message, .body = R"({"payload":1,"type":[]})"});
    EXPECT_EQ(error.code, ErrorCode::invalid_field);
    EXPECT_EQ(error.field, "type");
    EXPECT_EQ(
        error_of({.operation = Operation::send_message, .body = R"({"payload":1,"reply_to":5})"})
            .field,
        "reply_to");
    EXPECT_EQ(
        error_of({.operation = Operation::send_message, .body = R"({"payload":1,"to":17})"}).code,
        ErrorCode::invalid_recipient);
}

TEST(DecodeHttp, TheIdempotencyHeaderComesBeforeTheField) {
    Asked asked{.operation = Operation::send_message,
                .body = R"({"payload":1,"idempotency_key":"field"})",
                .idempotency_key = "header"};
    EXPECT_EQ(decoded<SendMessage>(asked).idempotency_key, "header");
    asked.idempotency_key = "";
    EXPECT_EQ(error_of(asked).code, ErrorCode::invalid_idempotency_key);
    asked.idempotency_key = "\xFF";
    EXPECT_EQ(error_of(asked).code, ErrorCode::invalid_idempotency_key);
}

TEST(DecodeHttp, MailboxPollHasDefaults) {
    const auto poll =
        decoded<PollMailbox>({.operation = Operation::poll_mailbox, .argument = "bob"});
    EXPECT_EQ(poll.mailbox, "bob");
    EXPECT_EQ(poll.since, core::Seq{0});
    EXPECT_FALSE(poll.limit);
    EXPECT_EQ(poll.wait, core::Millis(0));

    const auto full =
        decoded<PollMailbox>({.operation = Operation::poll_mailbox,
                              .argument = "bob",
                              .query = {{"since", "17"}, {"limit", "5"}, {"wait", "60"}}});
    EXPECT_EQ(full.since, core::Seq{17});
    EXPECT_EQ(full.limit, 5U);
    EXPECT_EQ(full.wait, core::Millis(60'000));
    EXPECT_EQ(
        decoded<PollMailbox>(
            {.operation = Operation::poll_mailbox, .argument = "bob", .query = {{"since", "-5"}}})
            .since,
        core::Seq{0});
}

TEST(DecodeHttp, BadNumbersInTheQueryAreNamed) {
    const auto field = [](Operation operation, Query query) {
        const auto error =
            error_of({.operation = operation, .argument = "dev", .query = std::move(query)});
        EXPECT_EQ(error.code, ErrorCode::invalid_field);
        return error.field;
    };
    for (const char* value : {"abc", "", "1.5", " ", "1abc", "0x10", "+1", "--1", "1 "}) {
        EXPECT_EQ(field(Operation::poll_mailbox, {{"since", value}}), "since") << value;
        EXPECT_EQ(field(Operation::channel_history, {{"limit", value}}), "limit") << value;
        for (const char* name : {"limit", "cursor", "start_time", "end_time"}) {
            EXPECT_EQ(field(Operation::query_history, {{name, value}}), name) << value;
        }
    }
    EXPECT_EQ(field(Operation::poll_mailbox, {{"since[]", "1"}}), "since");
    EXPECT_EQ(field(Operation::poll_mailbox, {{"wait", "61"}}), "wait");
    EXPECT_EQ(field(Operation::poll_mailbox, {{"wait", "-1"}}), "wait");
    EXPECT_EQ(field(Operation::poll_mailbox, {{"limit", "-1"}}), "limit");
    EXPECT_EQ(field(Operation::channel_history, {{"limit", "-2"}}), "limit");
    EXPECT_EQ(field(Operation::query_history, {{"limit", "-1"}}), "limit");
    EXPECT_EQ(field(Operation::query_history, {{"cursor", "-1"}}), "cursor");
    EXPECT_EQ(field(Operation::get_thread, {{"limit", "0"}}), "limit");
}

TEST(DecodeHttp, AckTakesWholeNumbersOnly) {
    const auto ack = [](std::string_view seq) {
        return Asked{.operation = Operation::ack_mailbox,
                     .argument = "bob",
                     .body = "{\"seq\":" + std::string(seq) + "}"};
    };
    EXPECT_EQ(decoded<Ack>(ack("0")).up_to, core::Seq{0});
    EXPECT_EQ(decoded<Ack>(ack("5")).mailbox, "bob");
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(decoded<Ack>(ack("99999999999999999999")).up_to, core::Seq{kMost});
    for (const char* seq : {"\"abc\"", "\"0\"", "null", "true", "[0]", "{\"x\":0}", "0.5", "1e3",
                            "-1", "-99999999999999999999"}) {
        const auto error = error_of(ack(seq));
        EXPECT_EQ(error.code, ErrorCode::invalid_field) << seq;
        EXPECT_EQ(error.field, "seq") << seq;
    }
    for (const char* body : {"", "{}", "[]"}) {
        EXPECT_EQ(error_of({.operation = Operation::ack_mailbox, .body = body}).wire_name(),
                  "missing required field: seq");
    }
}

TEST(DecodeHttp, TheAckBodyMayCarryAToken) {
    EXPECT_EQ(token_in_ack_body(R"({"seq":0,"token":"abc"})"), "abc");
    for (const char* body : {"", "{}", "[]", "{oops", R"({"token":5})", R"({"token":null})"}) {
        EXPECT_FALSE(token_in_ack_body(body)) << body;
    }
}

TEST(DecodeHttp, AChannelIsCreatedUnderItsNormalisedName) {
    const auto made =
        decoded<CreateChannel>({.operation = Operation::create_channel,
                                .body = R"({"name":"#Dev","description":"about work"})"});
    EXPECT_EQ(made.name.str(), "dev");
    EXPECT_EQ(made.channel_text, "#Dev");
    EXPECT_EQ(made.description, "about work");
    EXPECT_EQ(decoded<CreateChannel>({.operation = Operation::create_channel,
                                      .body = R"({"name":"x","description":null})"})
                  .description,
              "");
    for (const char* body : {"", "[1]", "{\"description\":\"x\"}"}) {
        EXPECT_EQ(error_of({.operation = Operation::create_channel, .body = body}).wire_name(),
                  "missing required field: name");
    }
    for (const char* name : {"5", "null", "[\"x\"]", "{\"a\":1}", "true", "\"\"", "\"###\"",
                             "\"!!!\"", "\"\xC3\xA9\""}) {
        const auto error = error_of({.operation = Operation::create_channel,
                                     .body = "{\"name\":" + std::string(name) + "}"});
        EXPECT_EQ(core::error_info(error.code).http_status, 400) << name;
        EXPECT_EQ(error.field, "name") << name;
    }
    EXPECT_EQ(
        error_of({.operation = Operation::create_channel,
                  .body = "{\"name\":\"x\",\"description\":\"" + std::string(1025, 'd') + "\"}"})
            .field,
        "description");
}

TEST(DecodeHttp, ChannelRoutesKeepTheNameAsItWasSent) {
    const auto subscribe =
        decoded<Subscribe>({.operation = Operation::subscribe, .argument = "#Dev"});
    EXPECT_EQ(subscribe.channel.str(), "dev");
    EXPECT_EQ(subscribe.channel_text, "#Dev");
    EXPECT_EQ(
        decoded<Unsubscribe>({.operation = Operation::unsubscribe, .argument = "Dev"}).channel_text,
        "Dev");
    EXPECT_EQ(
        decoded<GetChannel>({.operation = Operation::get_channel, .argument = "Dev"}).channel.str(),
        "dev");
    for (const auto operation :
         {Operation::subscribe, Operation::unsubscribe, Operation::delete_channel,
          Operation::get_channel, Operation::publish, Operation::channel_history}) {
        EXPECT_EQ(
            error_of({.operation = operation, .argument = "!!!", .body = "{\"payload\":{}}"}).code,
            ErrorCode::invalid_channel_name);
    }
}

TEST(DecodeHttp, PublishNeedsAnObject) {
    const auto body = [](std::string_view text) {
        return Asked{.operation = Operation::publish, .argument = "dev", .body = std::string(text)};
    };
    EXPECT_EQ(decoded<Publish>(body(R"({"payload":null,"message_type":"alert"})")).payload.text,
              "{}");
    EXPECT_EQ(decoded<Publish>(body(R"({"payload":{},"type":"alert"})")).type, "alert");
    EXPECT_EQ(error_of(body(R"({"payload":"text"})")).code, ErrorCode::invalid_payload);
    EXPECT_EQ(error_of(body(R"({"text":"x"})")).wire_name(), "missing required field: payload");
    EXPECT_EQ(error_of(body("")).wire_name(), "missing required field: payload");
}

TEST(DecodeHttp, HistoriesCapTheirPages) {
    const auto channel = decoded<ChannelHistory>({.operation = Operation::channel_history,
                                                  .argument = "Dev",
                                                  .query = {{"limit", "1000"}, {"since", "2"}}});
    EXPECT_EQ(channel.limit, 200U);
    EXPECT_EQ(channel.since, core::ChannelSeq{2});
    EXPECT_EQ(channel.channel_text, "Dev");

    const auto bare = decoded<QueryHistory>({.operation = Operation::query_history});
    EXPECT_EQ(bare.limit, 50U);
    EXPECT_EQ(bare.cursor, core::Seq{0});
    EXPECT_FALSE(bare.from || bare.to || bare.channel || bare.start_time || bare.end_time);

    const auto full = decoded<QueryHistory>({.operation = Operation::query_history,
                                             .query = {{"from", "a"},
                                                       {"to", "b"},
                                                       {"channel", "#C"},
                                                       {"start_time", "-1"},
                                                       {"end_time", "99"},
                                                       {"cursor", "7"},
                                                       {"limit", "201"}}});
    EXPECT_EQ(full.from, "a");
    EXPECT_EQ(full.to, "b");
    EXPECT_EQ(full.channel, "#C");
    EXPECT_EQ(full.start_time, core::Timestamp{-1});
    EXPECT_EQ(full.end_time, core::Timestamp{99});
    EXPECT_EQ(full.cursor, core::Seq{7});
    EXPECT_EQ(full.limit, 200U);
    EXPECT_FALSE(full.type || full.text || full.newest_first);

    const auto newest = decoded<QueryHistory>(
        {.operation = Operation::query_history,
         .query = {{"type", "report"}, {"text", "Deploy"}, {"order", "newest"}, {"before", "9"}}});
    EXPECT_EQ(newest.type, "report");
    EXPECT_EQ(newest.text, "Deploy");
    EXPECT_TRUE(newest.newest_first);
    EXPECT_EQ(newest.before, core::Seq{9});
    for (const auto& [name, value] :
         {std::pair("order", std::string("up")), std::pair("before", std::string("0")),
          std::pair("text", std::string(257, 'x')), std::pair("type", std::string(129, 'x'))}) {
        EXPECT_EQ(error_of({.operation = Operation::query_history, .query = {{name, value}}}).field,
                  name);
    }
}

TEST(DecodeHttp, SettingsTakePositiveIntegersOnly) {
    const auto put = [](std::string_view body) {
        return Asked{.operation = Operation::put_heartbeat_interval, .body = std::string(body)};
    };
    for (const char* value : {"1", "123456", "9007199254740991"}) {
        const auto setting =
            decoded<PutSetting>(put("{\"heartbeat_interval_ms\":" + std::string(value) + "}"));
        EXPECT_EQ(std::to_string(setting.value), value);
        EXPECT_EQ(setting.setting, Setting::heartbeat_interval_ms);
    }
    for (const char* body :
         {R"({"heartbeat_interval_ms":0})", R"({"heartbeat_interval_ms":-1})",
          R"({"heartbeat_interval_ms":1.5})", R"({"heartbeat_interval_ms":1000.0})",
          R"({"heartbeat_interval_ms":1e3})", R"({"heartbeat_interval_ms":"60000"})",
          R"({"heartbeat_interval_ms":null})", R"({"heartbeat_interval_ms":true})",
          R"({"heartbeat_interval_ms":[1]})", R"({"interval":5})", "", "[5]"}) {
        EXPECT_EQ(error_of(put(body)).wire_name(),
                  "missing or invalid field: heartbeat_interval_ms (positive integer)")
            << body;
    }
    EXPECT_EQ(error_of({.operation = Operation::put_mailbox_retention}).field, "mailbox_ttl_ms");
}

TEST(DecodeHttp, AChannelIsMadeWithItsMembers) {
    const auto make = [](std::string_view rest) {
        return Asked{.operation = Operation::create_channel,
                     .body = R"({"name":"dev")" + std::string(rest) + "}"};
    };
    const auto plain = decoded<CreateChannel>(make(""));
    EXPECT_FALSE(plain.is_private);
    EXPECT_FALSE(plain.members_publish);
    EXPECT_TRUE(plain.members.empty());
    const auto full = decoded<CreateChannel>(
        make(R"(,"private":true,"publishers":"members","members":["bob", "odd, \u00fc]",
                {"agent_id":"carol","rights":["read","manage"]},{"agent_id":"dave"},
                {"agent_id":"gone","rights":[]}])"));
    EXPECT_TRUE(full.is_private);
    EXPECT_TRUE(full.members_publish);
    ASSERT_EQ(full.members.size(), 4U);
    EXPECT_EQ(full.members[0].agent.str(), "bob");
    EXPECT_EQ(full.members[0].rights, core::kMayRead | core::kMayPublish);
    EXPECT_EQ(full.members[1].agent.str(), "odd, \xC3\xBC]");
    EXPECT_EQ(full.members[2].agent.str(), "carol");
    EXPECT_EQ(full.members[2].rights, core::kMayRead | core::kMayManage);
    EXPECT_EQ(full.members[3].rights, core::kMayRead | core::kMayPublish);
    EXPECT_TRUE(decoded<CreateChannel>(make(R"(,"members":[])")).members.empty());
    EXPECT_TRUE(decoded<CreateChannel>(make(R"(,"members":null)")).members.empty());
    for (const auto& [rest, field] : std::vector<std::pair<std::string, std::string>>{
             {R"("private":"true")", "private"},
             {R"("private":1)", "private"},
             {R"("publishers":"nobody")", "publishers"},
             {R"("publishers":7)", "publishers"},
             {R"("members":"bob")", "members"},
             {R"("members":{})", "members"},
             {R"("members":[7])", "members"},
             {R"("members":[null])", "members"},
             {R"("members":[["bob"]])", "members"},
             {R"("members":[{}])", "members"},
             {R"("members":[{"agent_id":7}])", "members"},
             {R"("members":["broadcast"])", "members"},
             {R"("members":[""])", "members"},
             {R"("members":[{"agent_id":"a","rights":"read"}])", "rights"},
             {R"("members":[{"agent_id":"a","rights":["own"]}])", "rights"},
             {R"("members":[{"agent_id":"a","rights":[7]}])", "rights"}}) {
        EXPECT_EQ(error_of(make("," + rest)).field, field) << rest;
    }
}

TEST(DecodeHttp, AMembersRightsAreAListThatMayBeEmpty) {
    const auto set = [](std::string_view body) {
        return Asked{
            .operation = Operation::set_member, .argument = "#Dev", .body = std::string(body)};
    };
    const auto some =
        decoded<SetMember>(set(R"({"agent_id":"bob","rights":["publish","publish","read"]})"));
    EXPECT_EQ(some.channel.str(), "dev");
    EXPECT_EQ(some.channel_text, "#Dev");
    EXPECT_EQ(some.member.agent.str(), "bob");
    EXPECT_EQ(some.member.rights, core::kMayRead | core::kMayPublish);
    EXPECT_EQ(decoded<SetMember>(set(R"({"agent_id":"bob","rights":[ ]})")).member.rights, 0);
    EXPECT_EQ(error_of(set(R"({"rights":[]})")).field, "agent_id");
    EXPECT_EQ(error_of(set(R"({"agent_id":7,"rights":[]})")).field, "agent_id");
    for (const char* wrong : {"null", "7", "\"read\"", "{}", "[\"all\"]", "[null]"}) {
        EXPECT_EQ(error_of(set(R"({"agent_id":"bob","rights":)" + std::string(wrong) + "}")).field,
                  "rights")
            << wrong;
    }
    EXPECT_EQ(error_of(set(R"({"agent_id":"bob"})")).field, "rights");
}

TEST(DecodeHttp, ATokenIsRevokedByEightDigitsAndNothingElseMeansAll) {
    const auto revoke = [](Query query) {
        return Asked{
            .operation = Operation::revoke_tokens, .argument = "alice", .query = std::move(query)};
    };
    EXPECT_EQ(decoded<RevokeTokens>(revoke({})).prefix, "");
    EXPECT_EQ(decoded<RevokeTokens>(revoke({{"prefix", "0123abcd"}})).prefix, "0123abcd");
    EXPECT_EQ(decoded<RevokeTokens>(revoke({{"prefix", "0123abcd..."}})).prefix, "0123abcd");
    for (const char* wrong : {"", "...", "0123abc", "0123abcde", "0123ABCD", "0123abcx", "*"}) {
        EXPECT_EQ(error_of(revoke({{"prefix", wrong}})).field, "prefix") << wrong;
    }
}

TEST(DecodeHttp, ARotationHasAGracePeriodOfAWeekAtMost) {
    const auto rotate = [](std::string_view body) {
        return Asked{
            .operation = Operation::rotate_token, .argument = "alice", .body = std::string(body)};
    };
    const auto plain = decoded<RotateToken>(rotate(""));
    EXPECT_EQ(plain.agent.str(), "alice");
    EXPECT_EQ(plain.grace, core::Millis(3'600'000));
    EXPECT_FALSE(plain.name);
    const auto full = decoded<RotateToken>(rotate(R"({"grace":0,"name":"n","expires_in":2})"));
    EXPECT_EQ(full.grace, core::Millis(0));
    EXPECT_EQ(full.name, "n");
    EXPECT_EQ(full.expiry.in, core::Millis(2'000));
    EXPECT_EQ(decoded<RotateToken>(rotate(R"({"grace":604800})")).grace, core::Millis(604'800'000));
    for (const char* wrong : {"-1", "604801", "\"1\"", "1.5"}) {
        EXPECT_EQ(error_of(rotate(R"({"grace":)" + std::string(wrong) + "}")).field, "grace")
            << wrong;
    }
}

TEST(DecodeHttp, TokensAreMadeForUsableIdsOnly) {
    const auto make = [](std::string_view body) {
        return Asked{.operation = Operation::create_token, .body = std::string(body)};
    };
    const auto plain = decoded<CreateToken>(make(R"({"agent_id":"odd /\u00fc","name":"ignored"})"));
    EXPECT_EQ(plain.agent.str(), "odd /\xC3\xBC");
    EXPECT_EQ(plain.role, core::Role::agent);
    EXPECT_EQ(decoded<CreateToken>(make(R"({"agent_id":"a","role":"admin"})")).role,
              core::Role::admin);
    EXPECT_EQ(error_of(make(R"({"name":"x"})")).wire_name(), "missing required field: agent_id");
    EXPECT_EQ(error_of(make("")).wire_name(), "missing required field: agent_id");
    for (const char* id : {"7", "true", "null", "\"\"", "\"broadcast\"", "\"a\\n\"", "[]"}) {
        EXPECT_EQ(error_of(make("{\"agent_id\":" + std::string(id) + "}")).code,
                  ErrorCode::invalid_agent_id)
            << id;
    }
    const auto named = decoded<CreateToken>(
        make(R"({"agent_id":"a","role":"observer","name":"ci","expires_in":60})"));
    EXPECT_EQ(named.role, core::Role::observer);
    EXPECT_EQ(named.name, "ci");
    EXPECT_EQ(named.expiry.in, core::Millis(60'000));
    EXPECT_EQ(decoded<CreateToken>(make(R"({"agent_id":"a","expires_at":7})")).expiry.at,
              core::Timestamp{7});
    for (const auto& [field, rest] : std::vector<std::pair<std::string, std::string>>{
             {"expires_in", "0"},
             {"expires_in", "-1"},
             {"expires_in", "\"60\""},
             {"expires_in", "1.5"},
             {"expires_in", "99999999999999999"},
             {"expires_at", "0"},
             {"expires_at", "9223372036854775807"},
             {"expires_at", "\"tomorrow\""},
             {"expires_at", "7,\"expires_in\":7"},
             {"name", "7"},
             {"name", "\"a\\u0000b\""},
             {"name", '"' + std::string(129, 'n') + '"'}}) {
        EXPECT_EQ(error_of(make(R"({"agent_id":"a",")" + field + "\":" + rest + "}")).field, field)
            << rest;
    }
    for (const char* role : {"\"root\"", "1", "[]"}) {
        EXPECT_EQ(error_of(make(R"({"agent_id":"a","role":)" + std::string(role) + "}")).field,
                  "role");
    }
}

TEST(DecodeHttp, PathAndQueryMustBeUtf8) {
    EXPECT_EQ(error_of({.operation = Operation::get_thread, .argument = "\xFF"}).code,
              ErrorCode::invalid_encoding);
    EXPECT_EQ(error_of({.operation = Operation::query_history, .query = {{"from", "\xC3"}}}).code,
              ErrorCode::invalid_encoding);
}

TEST(DecodeHttp, TheRestNeedsNoMoreThanItsPath) {
    EXPECT_EQ(
        decoded<ListSubscriptions>({.operation = Operation::list_subscriptions, .argument = "a"})
            .agent,
        "a");
    EXPECT_EQ(
        decoded<GetReplies>({.operation = Operation::get_replies, .argument = "m"}).message_id,
        "m");
    EXPECT_EQ(decoded<GetThreadRoot>({.operation = Operation::get_thread_root, .argument = "m"})
                  .message_id,
              "m");
    EXPECT_EQ(
        decoded<AnalyticsHourly>({.operation = Operation::analytics_hourly, .argument = "a"}).agent,
        "a");
    EXPECT_EQ(decoded<RevokeTokens>({.operation = Operation::revoke_tokens, .argument = "a"}).agent,
              "a");
    const auto thread = decoded<GetThread>({.operation = Operation::get_thread,
                                            .argument = "m",
                                            .query = {{"limit", "10"}, {"cursor", "3"}}});
    EXPECT_EQ(thread.limit, 10U);
    EXPECT_EQ(thread.cursor, core::Seq{3});
    (void)decoded<Health>({.operation = Operation::health});
    (void)decoded<ListAgents>({.operation = Operation::list_agents});
    (void)decoded<EvictMailboxes>({.operation = Operation::evict_mailboxes});
    (void)decoded<ListChannels>({.operation = Operation::list_channels});
    (void)decoded<AnalyticsSummary>({.operation = Operation::analytics_summary});
    (void)decoded<AnalyticsAgents>({.operation = Operation::analytics_agents});
    (void)decoded<ListTokens>({.operation = Operation::list_tokens});
    (void)decoded<ResetHub>({.operation = Operation::reset_hub});
    (void)decoded<ReloadConfig>({.operation = Operation::reload_config});
    (void)decoded<LogIn>({.operation = Operation::log_in, .body = R"({"token":"x"})"});
    (void)decoded<GetSession>({.operation = Operation::get_session});
    (void)decoded<LogOut>({.operation = Operation::log_out});
    EXPECT_EQ(
        decoded<DisconnectAgent>({.operation = Operation::disconnect_agent, .argument = "bob"})
            .agent,
        "bob");
    EXPECT_EQ(decoded<GetSetting>({.operation = Operation::get_mailbox_retention}).setting,
              Setting::mailbox_ttl_ms);
}

}  // namespace
}  // namespace agentcom::protocol
