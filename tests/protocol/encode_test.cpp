// What leaves the hub, as text: one golden answer for every reply, error shape and pushed frame.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agentcom/core/version.hpp"
#include "agentcom/protocol/codec.hpp"
#include "agentcom/protocol/mailbox_encoder.hpp"
#include "agentcom/protocol/operations.hpp"
#include "protocol/shape_check.hpp"

namespace agentcom::protocol {
namespace {

using core::Error;
using core::ErrorCode;

constexpr core::Epoch kEpoch{0xabcde00000012345};

core::AgentId agent(std::string_view id) { return *core::AgentId::parse_issued(id); }
core::ChannelName channel(std::string_view name) { return *core::ChannelName::parse(name); }

core::MessagePtr message(std::uint64_t seq, core::Destination to, std::string payload,
                         std::optional<std::string> reply_to = std::nullopt) {
    const bool in_channel = std::holds_alternative<core::ToChannel>(to);
    return std::make_shared<core::Message>(core::Message{
        .seq = core::Seq{seq},
        .id = core::MessageId::make(kEpoch, core::Seq{seq}),
        .channel_seq = core::ChannelSeq{in_channel ? 3U : 0U},
        .timestamp = core::Timestamp{1'700'000'000'123},
        .draft = core::Draft{
            agent("ann"), std::move(to), "chat", {std::move(payload)}, std::move(reply_to)}});
}

std::string frame_of(const Reply& reply, std::optional<core::JsonText> ref = std::nullopt) {
    core::Pieces out;
    encode_frame(reply, ref, out);
    return out.str();
}

const std::string kCard =
    R"({"name":"bob","description":"An agent that is reached through a hub. What is sent to it )"
    R"(waits in its mailbox until it has read it; `tenant` is what `to` says.",)"
    R"("supportedInterfaces":[{"url":"https://hub.example/api/message",)"
    R"("protocolBinding":"https://hub.example/openapi.json","tenant":"bob",)"
    R"("protocolVersion":"1.0"},{"url":"wss://hub.example/ws",)"
    R"("protocolBinding":"https://hub.example/asyncapi.json","tenant":"bob",)"
    R"("protocolVersion":"1.0"}],"version":")" +
    std::string(core::kVersion) +
    R"(","documentationUrl":"https://hub.example/SKILL.md",)"
    R"("capabilities":{"streaming":false,"pushNotifications":false,"extendedAgentCard":false},)"
    R"("securitySchemes":{"token":{"httpAuthSecurityScheme":{"scheme":"Bearer"}}},)"
    R"("securityRequirements":[{"schemes":{"token":{"list":[]}}}],)"
    R"("defaultInputModes":["application/json"],"defaultOutputModes":["application/json"],)"
    R"("skills":[{"id":"messages","name":"Messages",)"
    R"("description":"Takes messages through the hub.","tags":["messages"]},)"
    R"({"id":"a\"b","name":"a\"b","description":"What the agent says it can do.",)"
    R"("tags":["a\"b"]}]})";

struct Golden {
    ReplyValue reply;
    std::string frame;  // "ok": the answer of HTTP alone
    std::uint16_t status;
    std::string body;
};

AgentInfo info() {
    return {.agent = agent("ann"),
            .name = {R"("Ann \"A\"")"},
            .status = {"null"},
            .capabilities = {R"(["code"])"},
            .connected_at = core::Timestamp{12}};
}
const std::string kInfo =
    R"({"agent_id":"ann","name":"Ann \"A\"","status":null,"capabilities":["code"],)"
    R"("connected_at":12})";

const std::string kDirect =
    R"({"id":"1234500000000007","from":"ann","to":"bob","type":"chat","payload":{"a": 1.50},)"
    R"("reply_to":"x\ny","timestamp":1700000000123,"seq":7})";
const std::string kEveryone =
    R"({"id":"1234500000000008","from":"ann","to":null,"type":"chat","payload":[],)"
    R"("reply_to":null,"timestamp":1700000000123,"seq":8})";
const std::string kSpelled =
    R"({"id":"1234500000000009","from":"ann","to":"broadcast","type":"chat","payload":1,)"
    R"("reply_to":null,"timestamp":1700000000123,"seq":9})";
std::string in_channel(const std::string& payload, bool with_seq) {
    return R"({"id":"123450000000000a","from":"ann","to":null,"type":"chat","payload":)" + payload +
           R"(,"reply_to":null,"timestamp":1700000000123,)" + (with_seq ? R"("seq":10,)" : "") +
           R"("channel":"dev","channel_seq":3})";
}

std::vector<core::MessagePtr> one_of_each() {
    return {message(7, core::ToAgent{agent("bob")}, R"({"a": 1.50})", "x\ny"),
            message(8, core::ToEveryone{false}, "[]"), message(9, core::ToEveryone{true}, "1"),
            message(10, core::ToChannel{channel("dev")}, R"({"channel":"lie","n":1})")};
}

/// The page as it is when it was encoded while it was read.
EncodedMailbox encoded(const MailboxPage& page) {
    MailboxEncoder encoder(page.agent);
    for (const core::MessagePtr& each : page.messages) encoder.add(core::parts_of(*each));
    return encoder.finish(page);
}

ObservedAgent observed() {
    ObservedAgent row;
    row.agent = "bob";
    row.name = "Bob";
    row.status = "busy \"now\"";
    row.capabilities = {"review"};
    row.state = AgentState::polling;
    row.last_seen = core::Timestamp{7};
    row.sent_24h = 2;
    row.received_24h = 1;
    row.unread = 3;
    row.unread_more = true;
    row.oldest_unread = core::Timestamp{5};
    row.connections = 1;
    return row;
}

std::vector<Golden> goldens() {
    const std::string token(64, 'f');
    const core::MessageId id = core::MessageId::make(kEpoch, core::Seq{7});
    const std::string mailbox = "[" + kDirect + "," + kEveryone + "," + kSpelled + "," +
                                in_channel(R"({"channel":"dev","n":1})", true) + "]";
    const std::string history = "[" + kDirect + "," + kEveryone + "," + kSpelled + "," +
                                in_channel(R"({"channel":"lie","n":1})", true) + "]";
    const std::string of_channel = R"([{"seq":3,"message":)" + in_channel(R"({"n":1})", false) +
                                   R"(,"stored_at":1700000000123}])";
    const std::vector<core::MessagePtr> published = {
        message(10, core::ToChannel{channel("dev")}, R"({"n":1})")};
    const std::string list =
        R"([{"name":"dev","description":"a \"b\"","subscriber_count":2,"created_at":5}])";
    const ChannelSummary summary{channel("dev"), "a \"b\"", 2, core::Timestamp{5}};
    const std::string ok = R"({"type":"ok"})";
    return {
        {Identified{agent("ann"), kEpoch, 0xff, 1'048'576, 0, true, core::Seq{9}},
         R"({"type":"identified","agent_id":"ann","epoch":"abcde00000012345",)"
         R"("session_id":"00000000000000ff","server":"agentcom/)" +
             std::string(core::kVersion) +
             R"(",)"
             R"("limits":{"max_frame_bytes":1048576,"messages_per_second":0},"truncated":true,)"
             R"("last_seq":9})",
         200, R"({"agent_id":"ann"})"},
        {Pong{core::Timestamp{77}}, R"({"type":"pong","timestamp":77})", 200,
         R"({"timestamp":77})"},
        {MessageSent{id, core::Seq{7}, DeliveryStatus::queued},
         R"({"type":"message_sent","id":"1234500000000007","status":"queued","seq":7})", 200,
         R"({"status":"sent","id":"1234500000000007","delivery":"queued","seq":7})"},
        {StatusUpdated{}, R"({"type":"status_updated"})", 200, R"({"status":"updated"})"},
        {AgentList{{info()}}, R"({"type":"agents","agents":[)" + kInfo + "]}", 200,
         R"({"agents":[)" + kInfo + "]}"},
        {Acked{core::Seq{9}}, "", 200, R"({"status":"acked","up_to":9})"},
        {MailboxPage{agent("bob"), one_of_each(), core::Seq{10}, kEpoch, true}, ok, 200,
         R"({"agent_id":"bob","messages":)" + mailbox +
             R"(,"last_seq":10,"count":4,"epoch":"abcde00000012345","truncated":true})"},
        {MailboxPage{agent("bob"), {}, core::Seq{4}, kEpoch, false}, ok, 200,
         R"({"agent_id":"bob","messages":[],"last_seq":4,"count":0,"epoch":"abcde00000012345"})"},
        {encoded(MailboxPage{agent("bob"), one_of_each(), core::Seq{10}, kEpoch, true}), ok, 200,
         R"({"agent_id":"bob","messages":)" + mailbox +
             R"(,"last_seq":10,"count":4,"epoch":"abcde00000012345","truncated":true})"},
        {StreamOpened{core::Seq{4}, kEpoch, false, false}, ok, 200,
         R"({"epoch":"abcde00000012345","last_seq":4})"},
        {UnreadSummary{agent("bob"),
                       3,
                       {{agent("ann"), 2}, {agent("cat"), 1}},
                       core::Timestamp{5},
                       core::Timestamp{7},
                       core::Seq{9},
                       kEpoch,
                       true},
         ok, 200,
         R"({"agent_id":"bob","count":3,"senders":["ann","cat"],"by_sender":[)"
         R"({"agent_id":"ann","count":2},{"agent_id":"cat","count":1}],)"
         R"("oldest":5,"newest":7,"last_seq":9,"epoch":"abcde00000012345","more":true})"},
        {AgentDetails{.agent = agent("bob"),
                      .known = true,
                      .role = core::Role::admin,
                      .connected = true,
                      .last_seen = core::Timestamp{5},
                      .status = core::JsonText{"\"busy\""},
                      .capabilities = core::JsonText{"[1]"},
                      .unread = 3,
                      .more_unread = true},
         ok, 200,
         R"({"agent_id":"bob","known":true,"role":"admin","connected":true,"last_seen":5,)"
         R"("status":"busy","capabilities":[1],"unread":3,"more_unread":true})"},
        {AgentDirectory{{AgentDetails{.agent = agent("bbo"), .similar = {"bob"}}}, "bbo"}, ok, 200,
         R"({"agents":[{"agent_id":"bbo","known":false,"connected":false,"last_seen":null,)"
         R"("status":null,"capabilities":[],"unread":0,"similar":["bob"]}],"cursor":"bbo"})"},
        {OneMessage{one_of_each()[0]}, ok, 200, R"({"message":)" + kDirect + "}"},
        {EvictionTriggered{}, ok, 200, R"({"status":"eviction_triggered"})"},
        {ChannelCreated{channel("dev"), "#Dev"}, ok, 201,
         R"({"status":"created","channel":"#Dev"})"},
        {ChannelList{{summary}}, R"({"type":"channels","channels":)" + list + "}", 200,
         R"({"channels":)" + list + "}"},
        {ChannelInfo{channel("dev"), "d", {agent("ann")}, core::Timestamp{5}, agent("bob"), 1}, ok,
         200,
         R"({"name":"dev","description":"d","subscribers":["ann"],"subscriber_count":1,)"
         R"("created_at":5,"created_by":"bob"})"},
        {Subscribed{channel("dev"), "#Dev", false},
         R"({"type":"channel_subscribed","channel":"#Dev"})", 200,
         R"({"status":"subscribed","channel":"#Dev"})"},
        {Subscribed{channel("dev"), "dev", true},
         R"({"type":"channel_subscribed","channel":"dev","note":"already_subscribed"})", 200,
         R"({"status":"already_subscribed","channel":"dev"})"},
        {Unsubscribed{channel("dev"), "dev"}, R"({"type":"channel_unsubscribed","channel":"dev"})",
         200, R"({"status":"unsubscribed","channel":"dev"})"},
        {ChannelDeleted{channel("dev"), "#Dev"}, R"({"type":"channel_deleted","channel":"#Dev"})",
         200, R"({"status":"deleted","channel":"#Dev"})"},
        {Published{channel("dev"), core::ChannelSeq{3}, id, "#Dev"},
         R"({"type":"channel_published","channel":"#Dev","seq":3,"id":"1234500000000007"})", 200,
         R"({"status":"published","seq":3,"id":"1234500000000007"})"},
        {ChannelHistoryPage{channel("dev"), "dev", published},
         R"({"type":"channel_history","channel":"dev","messages":)" + of_channel + "}", 200,
         R"({"channel":"dev","messages":)" + of_channel + R"(,"count":1})"},
        {SubscriptionList{"ann", {channel("dev"), channel("ops")}}, ok, 200,
         R"({"agent_id":"ann","channels":["dev","ops"]})"},
        {HistoryPage{one_of_each(), core::Seq{10}}, ok, 200,
         R"({"messages":)" + history + R"(,"cursor":10,"count":4})"},
        {Thread{"r", {}, std::nullopt}, ok, 200, R"({"root":"r","messages":[],"count":0})"},
        {Thread{"r", {one_of_each()[0]}, core::Seq{7}}, ok, 200,
         R"({"root":"r","messages":[)" + kDirect + R"(],"count":1,"cursor":7})"},
        {ReplyList{"p", {one_of_each()[1]}}, ok, 200,
         R"({"parent":"p","replies":[)" + kEveryone + R"(],"count":1})"},
        {ThreadRoot{"m", "r"}, ok, 200, R"({"message_id":"m","root":"r"})"},
        {SettingValue{Setting::mailbox_ttl_ms, 5, false}, ok, 200, R"({"mailbox_ttl_ms":5})"},
        {SettingValue{Setting::heartbeat_interval_ms, 6, true}, ok, 200,
         R"({"heartbeat_interval_ms":6,"status":"updated"})"},
        {AnalyticsTotals{6, 3, 1, 2, 3, 40, core::Timestamp{9}}, ok, 200,
         R"({"total_agents":6,"agents_connected":3,"agents_active":1,"agents_idle":2,)"
         R"("agents_offline":3,"total_messages_24h":40,"timestamp":9})"},
        {AgentAnalyticsList{
             {{"ann", true, 4, Activity::active, 1, 2, 3, 5, core::Timestamp{6}, std::nullopt, 7},
              {"bob", false, 4, Activity::offline, 0, 0, 0, 0, core::Timestamp{6},
               core::Timestamp{8}, 1}}},
         ok, 200,
         R"({"agents":[{"agent_id":"ann","connected":true,"idle_ms":4,"status":"active",)"
         R"("messages_sent_24h":1,"messages_received_24h":2,"messages_sent_this_hour":3,)"
         R"("connection_time_24h_ms":5,"last_active":6,"last_seen":null,"total_connections":7},)"
         R"({"agent_id":"bob","connected":false,"idle_ms":4,"status":"offline",)"
         R"("messages_sent_24h":0,"messages_received_24h":0,"messages_sent_this_hour":0,)"
         R"("connection_time_24h_ms":0,"last_active":6,"last_seen":8,"total_connections":1}]})"},
        {HourlyCounts{"ann", {{1'699'999'200'000, 1, 2}}}, ok, 200,
         R"({"agent_id":"ann","hourly":[{"bucket":1699999200000,"hour":"22:00","sent":1,)"
         R"("received":2}]})"},
        {TokenCreated{agent("ann"), *core::Token::parse(token), core::Role::admin}, ok, 201,
         R"({"agent_id":"ann","token":")" + token +
             R"(","role":"admin","name":"","expires_at":null})"},
        {TokenCreated{agent("ann"), *core::Token::parse(token), core::Role::observer, "ci",
                      core::Timestamp{9}, core::Timestamp{8}},
         ok, 201,
         R"({"agent_id":"ann","token":")" + token +
             R"(","role":"observer","name":"ci","expires_at":9,"old_expire_at":8})"},
        {TokenList{{{agent("ann"), "0123abcd", core::Role::agent, core::Timestamp{3}}}}, ok, 200,
         R"({"tokens":[{"agent_id":"ann","token_prefix":"0123abcd...","role":"agent",)"
         R"("created_at":3,"name":"","expires_at":null,"last_used_day":null}]})"},
        {SelfInfo{agent("ann"),
                  core::Role::agent,
                  {agent("ann"), "0123abcd", core::Role::agent, core::Timestamp{3}, "ci",
                   core::Timestamp{9}, 20'484},
                  1,
                  2,
                  3,
                  4},
         ok, 200,
         R"({"agent_id":"ann","role":"agent","token_prefix":"0123abcd...","created_at":3,)"
         R"("token_name":"ci","expires_at":9,"last_used_day":"2026-01-31","limits":)"
         R"({"max_frame_bytes":1,"max_page_bytes":2,"messages_per_second":3,"work_per_second":4}})"},
        {TokensRevoked{"ann"}, ok, 200, R"({"status":"revoked","agent_id":"ann"})"},
        {AgentEnded{"ann"}, ok, 200, R"({"status":"deleted","agent_id":"ann"})"},
        {MemberSet{"#Dev", {agent("bob"), core::kMayRead | core::kMayManage}}, ok, 200,
         R"({"status":"updated","channel":"#Dev","agent_id":"bob","rights":["read","manage"]})"},
        {MemberSet{"dev", {agent("bob"), 0}}, ok, 200,
         R"({"status":"removed","channel":"dev","agent_id":"bob","rights":[]})"},
        {ResetScheduled{agent("ann")}, ok, 200,
         R"({"status":"reset_scheduled","triggered_by":"ann"})"},
        {ConfigReloaded{{"log.level"}, {}, true}, ok, 200,
         R"({"status":"reloaded","changed":["log.level"],"needs_restart":[],"tls_read_again":true})"},
        {HealthReport{HealthState::ok, 2}, ok, 200,
         R"({"status":"ok","service":"agent_com","agents_connected":2})"},
        {AgentCard{"https://hub.example",
                   AgentDetails{.agent = agent("bob"),
                                .capabilities = core::JsonText{R"(["a\"b",{"c":1},""])"}}},
         ok, 200, kCard},
        {HealthReport{HealthState::storage_full, 2}, ok, 200,
         R"({"status":"degraded","service":"agent_com","agents_connected":2,)"
         R"("reason":"storage_full"})"},
        {HealthReport{HealthState::ok, 2, 1'500}, ok, 200,
         R"({"status":"ok","service":"agent_com","agents_connected":2,"reader_lag":1500})"},
        {HealthReport{HealthState::storage_failed, 2}, ok, 503,
         R"({"status":"degraded","service":"agent_com","agents_connected":2,)"
         R"("reason":"storage_failed"})"},
        {HealthReport{HealthState::shutting_down, 2}, ok, 503,
         R"({"status":"degraded","service":"agent_com","agents_connected":2,)"
         R"("reason":"shutting_down"})"},
        // Pages that are shared look like those that are not; a cursor says that there is more.
        {std::make_shared<const AgentList>(AgentList{{}, "ann"}),
         R"({"type":"agents","agents":[],"cursor":"ann"})", 200, R"({"agents":[],"cursor":"ann"})"},
        {std::make_shared<const ChannelList>(ChannelList{{}, "dev"}),
         R"({"type":"channels","channels":[],"cursor":"dev"})", 200,
         R"({"channels":[],"cursor":"dev"})"},
        {std::make_shared<const MailboxPage>(
             MailboxPage{agent("bob"), {}, core::Seq{4}, kEpoch, false, true, true}),
         ok, 200,
         R"({"agent_id":"bob","messages":[],"last_seq":4,"count":0,"epoch":"abcde00000012345",)"
         R"("more":true,"reset":true})"},
        {std::make_shared<const AgentAnalyticsList>(AgentAnalyticsList{{}, "ann"}), ok, 200,
         R"({"agents":[],"cursor":"ann"})"},
        {ChannelHistoryPage{channel("dev"), "dev", {}, core::ChannelSeq{7}, core::ChannelSeq{3}},
         R"({"type":"channel_history","channel":"dev","messages":[],"cursor":7,"before":3})", 200,
         R"({"channel":"dev","messages":[],"count":0,"cursor":7,"before":3})"},
        {HistoryPage{{}, core::Seq{9}, true}, ok, 200,
         R"({"messages":[],"cursor":9,"count":0,"more":true})"},
        {ReplyList{"p", {}, core::Seq{9}}, ok, 200,
         R"({"parent":"p","replies":[],"count":0,"cursor":9})"},
        {SessionInfo{agent("ann"), core::Role::observer, core::Timestamp{5}}, ok, 200,
         R"({"agent_id":"ann","role":"observer","expires_at":5})"},
        // The cookie stands in no body.
        {LoggedIn{{agent("ann"), core::Role::admin, core::Timestamp{5}},
                  *core::Token::parse(token),
                  core::Timestamp{1}},
         ok, 200, R"({"agent_id":"ann","role":"admin","expires_at":5})"},
        {LoggedOut{}, ok, 204, ""},
        {WaitingPage{agent("ann"), {}, core::Seq{9}, true}, ok, 200,
         R"({"agent_id":"ann","messages":[],"count":0,"cursor":9,"truncated":true})"},
        {AgentDisconnected{"ann", 2}, ok, 200,
         R"({"status":"disconnected","agent_id":"ann","closed":2})"},
        {ObserverJoined{}, ok, 200, "{}"},
        {ObservedAgentPage{observed(), {{{3'600'000}, 2, 1}}, {channel("dev")}, true}, ok, 200,
         R"({"id":"bob","name":"Bob","known":true,"status":"busy \"now\"","state":"polling",)"
         R"("capabilities":["review"],"connected_since":null,"last_seen":7,"last_read_at":null,)"
         R"("sent_24h":2,"received_24h":1,"unread":3,"unread_more":true,"oldest_unread_at":5,)"
         R"("connections":1,"hours":[[3600000,2,1]],"subscriptions":["dev"],)"
         R"("more_subscriptions":true})"},
        {std::make_shared<const ObservedPairs>(
             ObservedPairs{{{"ann", "#dev", 2, 14, {9}}}, 5, true}),
         ok, 200,
         R"({"pairs":[{"from":"ann","to":"#dev","messages":2,"bytes":14,"last_at":9}],)"
         R"("scanned":5,"truncated":true})"},
        {ProbeReport{}, ok, 200, R"({"status":"ok"})"},
        {ProbeReport{HealthState::commit_stalled}, ok, 503,
         R"({"status":"unavailable","reason":"commit_stalled"})"},
        {HealthReport{.state = HealthState::commit_stalled}, ok, 200,
         R"({"status":"degraded","service":"agent_com","agents_connected":0,)"
         R"("reason":"commit_stalled"})"},
        {HealthReport{.state = HealthState::disk_stalled}, ok, 503,
         R"({"status":"degraded","service":"agent_com","agents_connected":0,)"
         R"("reason":"disk_stalled"})"},
        {HealthReport{.state = HealthState::loop_stalled}, ok, 503,
         R"({"status":"degraded","service":"agent_com","agents_connected":0,)"
         R"("reason":"loop_stalled"})"},
        {std::make_shared<const MetricsReport>(MetricsReport{
             {{"a_total", "As.", MetricKind::counter, HistogramUnit::count, {{{}, 3, {}}}}}}),
         ok, 200, "# HELP a_total As.\n# TYPE a_total counter\na_total 3\n"},
    };
}

TEST(Encode, EveryReplyIsWrittenAsItShould) {
    std::set<std::size_t> covered;
    for (const Golden& golden : goldens()) {
        covered.insert(golden.reply.index());
        EXPECT_EQ(frame_of(Reply(golden.reply)), golden.frame);
        const HttpOutput output = encode_http(Reply(golden.reply), true);
        EXPECT_EQ(output.status, golden.status) << output.body.str();
        EXPECT_EQ(output.body.str(), golden.body);
        EXPECT_FALSE(output.retry_after_s);
    }
    EXPECT_EQ(covered.size(), std::variant_size_v<ReplyValue>) << "a reply without a golden text";
}

TEST(Encode, APageThatIsEncodedWhileItIsReadIsTheSameText) {
    // Texts longer than any room for a usual one, all of which has to be escaped, and payloads that
    // are pieces of their own.
    const auto large = std::make_shared<core::Message>(
        core::Message{.seq = core::Seq{core::kMaxSeq},
                      .id = core::MessageId{UINT64_MAX},
                      .channel_seq = {},
                      .timestamp = core::Timestamp{INT64_MIN},
                      .draft = core::Draft{agent(std::string(128, '"')),
                                           core::ToAgent{agent(std::string(128, '\\'))},
                                           std::string(2'000, '\1'),
                                           {'"' + std::string(100'000, 'x') + '"'},
                                           std::string(128, '"')}});
    const auto in_large_channel = message(10, core::ToChannel{channel("dev")},
                                          R"({"n":")" + std::string(20'000, 'x') + "\"}");
    std::vector<std::vector<core::MessagePtr>> pages{
        {}, one_of_each(), {large}, {in_large_channel, large}};
    pages.emplace_back();
    for (int i = 0; i < 1'000; ++i) pages.back().push_back(one_of_each()[i % 4]);
    for (const auto& messages : pages) {
        const MailboxPage page{agent("b\""), messages, core::Seq{4}, kEpoch, true, true, true};
        const std::string golden = encode_http(Reply(page), false).body.str();
        EXPECT_TRUE(nlohmann::json::accept(golden));
        const Reply kept(encoded(page));
        EXPECT_EQ(encode_http(kept, false).body.str(), golden);
        EXPECT_EQ(encode_http(Reply(encoded(page)), false).body.str(), golden);
    }
}

TEST(Encode, EveryReplyHasTheShapeThatIsDescribed) {
    // Over HTTP nobody can ask for these.
    const auto only_frames = [](const ReplyValue& reply) {
        return std::holds_alternative<Identified>(reply) || std::holds_alternative<Pong>(reply) ||
               std::holds_alternative<StreamOpened>(reply) ||
               std::holds_alternative<ObserverJoined>(reply);
    };
    for (const Golden& golden : goldens()) {
        // A text, of which no more is said than its kind.
        if (std::holds_alternative<Shared<MetricsReport>>(golden.reply)) {
            EXPECT_EQ(operation_info(Operation::get_metrics).media, "text/plain");
            continue;
        }
        if (std::holds_alternative<LoggedOut>(golden.reply)) {
            EXPECT_EQ(operation_info(Operation::log_out).success, golden.status);
            continue;
        }
        const auto body = nlohmann::json::parse(golden.body);
        const bool body_fits = std::ranges::any_of(operations(), [&](const OperationInfo& info) {
            return info.answer != nullptr && misfit(*info.answer, body).empty();
        });
        EXPECT_TRUE(body_fits || only_frames(golden.reply)) << golden.body;
        if (golden.frame.empty()) continue;
        auto frame = nlohmann::json::parse(golden.frame);
        const std::string type = frame.at("type");
        frame.erase("type");
        const bool frame_fits = std::ranges::any_of(operations(), [&](const OperationInfo& info) {
            return info.reply != nullptr && info.reply->type == type &&
                   misfit(*info.reply->body, frame).empty();
        });
        EXPECT_TRUE(frame_fits || type == "ok") << golden.frame;
    }
}

TEST(Encode, EveryFrameRepeatsTheRef) {
    for (const std::string_view ref : {R"("a\n\"b")", "1.50", "-7"}) {
        for (const Golden& golden : goldens()) {
            if (golden.frame.empty()) continue;
            std::string expected = golden.frame;
            expected.insert(expected.size() - 1, R"(,"ref":)" + std::string(ref));
            EXPECT_EQ(frame_of(Reply(golden.reply), core::JsonText{std::string(ref)}), expected);
        }
    }
    EXPECT_EQ(frame_of(Reply(Acked{core::Seq{1}}), core::JsonText{"1"}), "");
    EXPECT_TRUE(frame_of(Reply(Error(ErrorCode::invalid_json)), core::JsonText{"5"})
                    .ends_with(R"(,"ref":5})"));
}

TEST(Encode, DeliveryStatusesHaveTheirNames) {
    const auto status = [](DeliveryStatus value) {
        const std::string frame = frame_of(Reply(MessageSent{{1}, {1}, value}));
        return nlohmann::json::parse(frame).at("status").get<std::string>();
    };
    EXPECT_EQ(status(DeliveryStatus::delivered), "delivered");
    EXPECT_EQ(status(DeliveryStatus::queued), "queued");
    EXPECT_EQ(status(DeliveryStatus::broadcast), "broadcast");
}

TEST(Encode, EveryErrorHasOneShapeOnBothTransports) {
    for (const core::ErrorInfo& info : core::error_catalogue()) {
        const Reply reply{Error(info.code, "some_field", "do \"this\"")};
        const auto frame = nlohmann::json::parse(frame_of(reply));
        const HttpOutput output = encode_http(reply, false);
        auto body = nlohmann::json::parse(output.body.str());
        EXPECT_EQ(output.status, info.http_status) << info.name;
        EXPECT_EQ(frame.at("type"), "error");
        EXPECT_EQ(body.at("error"), Error(info.code, "some_field").wire_name());
        EXPECT_EQ(body.at("message"), "do \"this\"");
        EXPECT_EQ(body.at("field"), "some_field");
        body["type"] = "error";
        EXPECT_EQ(frame, body) << info.name;
        const bool later = info.retry && (info.http_status == 429 || info.http_status == 503);
        EXPECT_EQ(output.retry_after_s.has_value(), later) << info.name;
    }
}

TEST(Encode, OnlyA401OfAWritingRouteHints) {
    const Reply refused{Error(ErrorCode::unauthorized)};
    EXPECT_EQ(nlohmann::json::parse(encode_http(refused, true).body.str()).at("hint"),
              "provide Authorization: Bearer <token>");
    EXPECT_FALSE(nlohmann::json::parse(encode_http(refused, false).body.str()).contains("hint"));
    EXPECT_FALSE(
        nlohmann::json::parse(encode_http(Reply(Error(ErrorCode::not_found)), true).body.str())
            .contains("hint"));
}

TEST(Encode, PushedFrames) {
    const auto pushed = [](auto encode, const auto&... what) {
        std::string out;
        encode(what..., out);
        return out;
    };
    const auto messages = one_of_each();
    EXPECT_EQ(pushed(encode_push, *messages[0]),
              R"({"type":"message","id":"1234500000000007","from":"ann","to":"bob",)"
              R"("message_type":"chat","payload":{"a": 1.50},"reply_to":"x\ny",)"
              R"("timestamp":1700000000123,"seq":7})");
    EXPECT_EQ(pushed(encode_push, *messages[1]),
              R"({"type":"message","id":"1234500000000008","from":"ann","to":null,)"
              R"("message_type":"chat","payload":[],"reply_to":null,)"
              R"("timestamp":1700000000123,"seq":8})");
    EXPECT_EQ(pushed(encode_push, *messages[2]),
              R"({"type":"message","id":"1234500000000009","from":"ann","to":"broadcast",)"
              R"("message_type":"chat","payload":1,"reply_to":null,)"
              R"("timestamp":1700000000123,"seq":9})");
    EXPECT_EQ(pushed(encode_push, *messages[3]),
              R"({"type":"channel_message","channel":"dev","id":"123450000000000a","from":"ann",)"
              R"("message_type":"chat","payload":{"channel":"lie","n":1},"reply_to":null,)"
              R"("timestamp":1700000000123,"channel_seq":3,"seq":10})");
    EXPECT_EQ(pushed(encode_agent_joined, info()),
              R"({"type":"agent_joined","agent":)" + kInfo + "}");
    EXPECT_EQ(pushed(encode_status_changed, info()),
              R"({"type":"status_changed","agent":)" + kInfo + "}");
    EXPECT_EQ(pushed(encode_agent_left, agent("ann")), R"({"type":"agent_left","agent_id":"ann"})");
    EXPECT_EQ(pushed(encode_channel_agent_joined, channel("dev"), agent("ann")),
              R"({"type":"channel_agent_joined","channel":"dev","agent_id":"ann"})");
}

/// An issued id may hold what JSON must escape, and names come from people.
TEST(Encode, EscapesWhatIsNotPlain) {
    const auto odd = std::make_shared<core::Message>(
        core::Message{.seq = core::Seq{1},
                      .id = core::MessageId{1},
                      .channel_seq = {},
                      .timestamp = core::Timestamp{1},
                      .draft = core::Draft{agent("a\"\\ \xc3\xa4"),
                                           core::ToAgent{agent("b\"")},
                                           "ty\"pe\n",
                                           {"{}"},
                                           std::nullopt}});
    std::string out;
    encode_push(*odd, out);
    const auto json = nlohmann::json::parse(out);
    EXPECT_EQ(json.at("from"), "a\"\\ \xc3\xa4");
    EXPECT_EQ(json.at("to"), "b\"");
    EXPECT_EQ(json.at("message_type"), "ty\"pe\n");
    const auto mailbox = nlohmann::json::parse(
        encode_http(Reply(MailboxPage{agent("b\""), {odd}, {1}, kEpoch, false}), false).body.str());
    EXPECT_EQ(mailbox.at("agent_id"), "b\"");
    EXPECT_EQ(mailbox.at("messages").at(0).at("from"), "a\"\\ \xc3\xa4");
}

TEST(Encode, EveryCloseCodeHasAReason) {
    for (const int code : {1000, 1001, 1002, 1009, 1011, 4000, 4001, 4002, 4003, 4004, 4008}) {
        EXPECT_FALSE(close_reason(static_cast<CloseCode>(code)).empty()) << code;
    }
}

}  // namespace
}  // namespace agentcom::protocol
