// Everything a client may get wrong, against the real daemon. After each mistake the connection is
// usable where the protocol says so, nothing has been stored, and another agent is still served.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/hub_process.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::test {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxFrame = std::size_t{1} << 20;  // the default of the configuration
constexpr int kMaxDepth = 64;

std::string repeat(std::string_view text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
}

/// Arrays in arrays, as many as `depth`.
std::string arrays(int depth) { return repeat("[", depth) + repeat("]", depth); }
/// Objects in objects, as many as `depth`.
std::string objects(int depth) { return repeat("{\"a\":", depth) + "1" + repeat("}", depth); }

class BadInput : public ::testing::Test {
protected:
    void SetUp() override {
        hub_ = std::make_unique<HubProcess>(dir_.path());
        token_ = hub_->create_token("alice");
        witness_ = std::make_unique<HttpClient>(hub_->port(), hub_->admin_token());
        bystander_ = std::make_unique<WsClient>(hub_->port());
        ASSERT_EQ(bystander_->identify("bystander", hub_->create_token("bystander")).at("type"),
                  "identified");
        HttpClient admin(hub_->port(), hub_->admin_token());
        ASSERT_EQ(admin.post("/api/channels", {{"name", "dev"}}).status, 201);
    }
    void TearDown() override {
        if (HasFatalFailure()) return;
        EXPECT_EQ(stored_since_last_look(), 0U);
        EXPECT_EQ(bystander_->ask({{"type", "ping"}}).at("type"), "pong");
        EXPECT_EQ(witness_->get("/health").status, 200);
        bystander_.reset();
        EXPECT_EQ(hub_->terminate(), 0);
    }

    std::unique_ptr<WsClient> join(Json extra = {{"presence", false}, {"echo", false}}) {
        auto client = std::make_unique<WsClient>(hub_->port());
        EXPECT_EQ(client->identify("alice", token_, std::move(extra)).at("type"), "identified");
        return client;
    }
    /// How many messages the history has gained since it was last asked.
    std::size_t stored_since_last_look() {
        const Json page =
            witness_->get("/api/messages?limit=200&cursor=" + std::to_string(looked_at_)).json();
        looked_at_ = page.at("cursor");
        return page.at("count");
    }
    /// The answer to a frame, or nothing when it has none: what comes before the pong.
    static std::optional<Json> answer_to(WsClient& client, std::string_view text) {
        client.send_text(text);
        client.send({{"type", "ping"}});
        std::optional<Json> answer;
        while (true) {
            Json frame = client.receive();
            if (frame.at("type") == "pong") return answer;
            if (frame.at("type") == "message") continue;  // pushed
            EXPECT_FALSE(answer) << "answered twice: " << text.substr(0, 200);
            answer = std::move(frame);
        }
    }
    static std::string error_of(WsClient& client, std::string_view text) {
        const auto answer = answer_to(client, text);
        return answer ? answer->value("error", "") : "";
    }
    HttpClient http() { return HttpClient(hub_->port(), token_); }

    TempDir dir_;
    std::unique_ptr<HubProcess> hub_;
    std::string token_;
    std::unique_ptr<HttpClient> witness_;
    std::unique_ptr<WsClient> bystander_;
    std::uint64_t looked_at_ = 0;
};

/// Sends as much as the other side takes.
template <class Client>
void send_what_is_taken(Client& client, std::string_view bytes) {
    try {
        client.send_raw(bytes);
    } catch (const std::runtime_error&) {
        // The hub has hung up in the middle, which is its right.
    }
}

std::string text_frame_header(std::uint64_t size) {
    std::string header("\x81\xff", 2);
    for (int i = 7; i >= 0; --i) header.push_back(static_cast<char>(size >> (8 * i)));
    return header + std::string(4, '\0');  // a mask that changes nothing
}

TEST_F(BadInput, AFrameOfOneByteTooManyClosesWith1009) {
    const auto alice = join();
    std::string text = R"({"type":"message","to":"bob","payload":")";
    text += std::string(kMaxFrame + 1 - text.size() - 2, 'x') + "\"}";
    ASSERT_EQ(text.size(), kMaxFrame + 1);
    send_what_is_taken(*alice, text_frame_header(text.size()) + text);
    EXPECT_EQ(alice->wait_closed().code, 1009);
}

TEST_F(BadInput, AFrameThatClaimsMoreThanThereIsMemoryClosesWith1009) {
    const auto alice = join();
    alice->send_raw(text_frame_header(std::uint64_t{1} << 62));
    EXPECT_EQ(alice->wait_closed().code, 1009);
}

TEST_F(BadInput, TenMegabytesOfBracketsAreRefusedOnBothTransports) {
    const std::string brackets(10'000'000, '[');
    const auto alice = join();
    send_what_is_taken(*alice, text_frame_header(brackets.size()) + brackets);
    EXPECT_EQ(alice->wait_closed().code, 1009);

    HttpClient client = http();
    send_what_is_taken(client, "POST /api/message HTTP/1.1\r\nHost: hub\r\nContent-Length: " +
                                   std::to_string(brackets.size()) + "\r\n\r\n" + brackets);
    EXPECT_EQ(client.read_response().status, 413);
}

TEST_F(BadInput, AMegabyteOfBracketsIsInvalidJsonAndNothingWorse) {
    const auto alice = join();
    for (const char* bracket : {"[", "{\"a\":", "[{\"a\":"}) {
        const std::string text =
            repeat(bracket, static_cast<int>(1'000'000 / std::string_view(bracket).size()));
        EXPECT_EQ(error_of(*alice, text), "invalid_json");
        HttpClient client = http();
        const auto answer = client.request("POST", "/api/message", text);
        EXPECT_EQ(answer.status, 400);
        EXPECT_EQ(answer.json().at("error"), "invalid_json");
        EXPECT_EQ(client.get("/health").status, 200);
    }
}

TEST_F(BadInput, NestingIsAcceptedToTheLimitAndRefusedBeyondIt) {
    const auto alice = join();
    HttpClient client = http();
    const auto frame = [](const std::string& payload) {
        return R"({"type":"message","to":"bob","payload":)" + payload + "}";
    };
    const auto body = [](const std::string& payload) {
        return R"({"to":"bob","payload":)" + payload + "}";
    };
    // The object around the payload is the first level.
    for (const auto& nested : {arrays, objects}) {
        EXPECT_EQ(error_of(*alice, frame(nested(kMaxDepth - 1))), "");
        EXPECT_EQ(client.request("POST", "/api/message", body(nested(kMaxDepth - 1))).status, 200);
        EXPECT_EQ(stored_since_last_look(), 2U);
        EXPECT_EQ(error_of(*alice, frame(nested(kMaxDepth))), "invalid_json");
        const auto answer = client.request("POST", "/api/message", body(nested(kMaxDepth)));
        EXPECT_EQ(answer.status, 400);
        EXPECT_EQ(answer.json().at("error"), "invalid_json");
        EXPECT_EQ(stored_since_last_look(), 0U);
    }
}

TEST_F(BadInput, TextThatIsNotUtf8IsNotTaken) {
    for (const char* bad : {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
        const auto alice = join();
        alice->send_text(R"({"type":"message","to":"bob","payload":")" + std::string(bad) + "\"}");
        EXPECT_EQ(alice->wait_closed().code, 1007);

        HttpClient client = http();
        const auto answer = client.request("POST", "/api/message",
                                           R"({"to":"bob","payload":")" + std::string(bad) + "\"}");
        EXPECT_EQ(answer.status, 400);
        EXPECT_EQ(answer.json().at("error"), "invalid_json");
    }
}

TEST_F(BadInput, EscapesThatAreNotUtf8AreRefusedInPathsQueriesAndHeaders) {
    HttpClient client = http();
    for (const char* path :
         {"/api/mailbox/%ff", "/api/channels/%c0%af", "/api/threads/%ed%a0%80",
          "/api/messages?from=%ff", "/api/messages?%ff=1", "/api/agents/%f5/subscriptions"}) {
        const auto answer = client.get(path);
        EXPECT_EQ(answer.status, 400) << path;
        EXPECT_EQ(answer.json().at("error"), "invalid_encoding") << path;
    }
    const auto answer = client.request("POST", "/api/message", R"({"to":"bob","payload":{}})",
                                       {"Idempotency-Key: \xff\xfe"});
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.json().at("error"), "invalid_idempotency_key");
    // A NUL in a name is a character that no id has.
    EXPECT_EQ(client.get("/api/mailbox/alice%00").status, 401);
}

TEST_F(BadInput, ABodyThatNeverEndsIsRefusedOnceItIsTooLarge) {
    HttpClient client = http();
    client.send_raw(
        "POST /api/message HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n"
        "Authorization: Bearer " +
        token_ + "\r\n\r\n");
    const std::string chunk = "10000\r\n" + std::string(0x10000, ' ') + "\r\n";
    for (int i = 0; i < 32; ++i) send_what_is_taken(client, chunk);
    EXPECT_EQ(client.read_response().status, 413);
    EXPECT_TRUE(client.closed_by_peer());
}

TEST_F(BadInput, AHeaderThatIsTooLargeIsRefused) {
    for (const std::string& request :
         {"GET /health HTTP/1.1\r\nX-Padding: " + std::string(100'000, 'x') + "\r\n\r\n",
          "GET /" + std::string(100'000, 'x') + " HTTP/1.1\r\n\r\n",
          "GET /health HTTP/1.1\r\n" + repeat("X-Many: headers\r\n", 10'000) + "\r\n"}) {
        HttpClient client = http();
        send_what_is_taken(client, request);
        EXPECT_EQ(client.read_response().status, 431);
        EXPECT_TRUE(client.closed_by_peer());
    }
}

TEST_F(BadInput, AThousandConnectionsThatNeverIdentifyHinderNobody) {
    std::vector<std::unique_ptr<WsClient>> silent;
    std::vector<std::unique_ptr<Socket>> mute;
    for (int i = 0; i < 500; ++i) {
        silent.push_back(std::make_unique<WsClient>(hub_->port()));
        mute.push_back(std::make_unique<Socket>(hub_->port()));
    }
    const auto alice = join();
    const Json sent =
        alice->ask({{"type", "message"}, {"to", "bystander"}, {"payload", {{"n", 1}}}});
    EXPECT_EQ(sent.at("type"), "message_sent");
    EXPECT_EQ(bystander_->receive("message").at("payload").at("n"), 1);
    EXPECT_EQ(stored_since_last_look(), 1U);
    // They count for nobody.
    EXPECT_EQ(witness_->get("/health").json().at("agents_connected"), 2);
    // What comes instead of identify is refused, again and again, and gains nothing.
    for (int i = 0; i < 100; ++i) {
        silent.front()->send({{"type", "message"}, {"to", "bob"}, {"payload", {{"n", i}}}});
    }
    for (int i = 0; i < 100; ++i) {
        ASSERT_EQ(silent.front()->receive().at("error"), "not_identified");
    }
}

TEST_F(BadInput, NumbersOutOfRangeAreClampedOrRefusedByName) {
    const auto alice = join();
    const Json sent = alice->ask({{"type", "message"}, {"to", "alice"}, {"payload", {{"n", 1}}}});
    const std::string id = sent.at("id");
    (void)alice->ask(
        {{"type", "channel_publish"}, {"channel", "dev"}, {"payload", Json::object()}});
    EXPECT_EQ(stored_since_last_look(), 2U);

    HttpClient client = http();
    const std::vector<std::string> routes{"/api/mailbox/alice", "/api/messages",
                                          "/api/channels/dev/history", "/api/threads/" + id};
    const auto refused = [&](const std::string& query) {
        for (const std::string& route : routes) {
            const std::string name = query.substr(0, query.find('='));
            const bool known = name == "limit" || (name == "wait" && route == routes[0]) ||
                               (name == "since" && (route == routes[0] || route == routes[2])) ||
                               (name == "cursor" && route != routes[0]) ||
                               (name.ends_with("_time") && route == routes[1]);
            const auto answer = client.get(route + "?" + query);
            if (!known) {
                EXPECT_EQ(answer.status, 200) << route << "?" << query;
                continue;
            }
            EXPECT_EQ(answer.status, 400) << route << "?" << query;
            EXPECT_EQ(answer.json().at("error"), "invalid_field") << route << "?" << query;
            EXPECT_EQ(answer.json().at("field"), name) << route << "?" << query;
        }
    };
    for (const char* name : {"limit", "since", "cursor", "wait", "start_time", "end_time"}) {
        for (const char* value : {"", "x", "1x", "1.5", "1e3", "%20", "+1", "0x10", "null",
                                  "999999999999999999999999x"}) {
            refused(std::string(name) + "=" + value);
        }
    }
    for (const char* query : {"limit=-1", "limit=-99999999999999999999", "cursor=-1", "wait=-1",
                              "wait=61", "wait=99999999999999999999"}) {
        refused(query);
    }

    // Beyond the largest number is beyond every message, and before the smallest one before all.
    const std::string huge = "99999999999999999999";
    const auto count = [&](const std::string& path) {
        const auto answer = client.get(path);
        EXPECT_EQ(answer.status, 200) << path << answer.body;
        return answer.status == 200 ? answer.json().at("count").get<int>() : -1;
    };
    EXPECT_EQ(count("/api/mailbox/alice?since=" + huge), 0);
    EXPECT_EQ(count("/api/mailbox/alice?limit=0"), 0);
    EXPECT_EQ(count("/api/mailbox/alice?limit=" + huge), 0);  // read over the live connection
    EXPECT_EQ(count("/api/messages?cursor=" + huge), 0);
    EXPECT_EQ(count("/api/messages?limit=" + huge), 2);
    EXPECT_EQ(count("/api/messages?start_time=" + huge), 0);
    EXPECT_EQ(count("/api/messages?start_time=-" + huge), 2);
    EXPECT_EQ(count("/api/messages?end_time=" + huge), 2);
    EXPECT_EQ(count("/api/messages?end_time=-" + huge), 0);
    EXPECT_EQ(count("/api/channels/dev/history?since=" + huge), 0);
    EXPECT_EQ(count("/api/channels/dev/history?limit=" + huge), 1);
    EXPECT_EQ(count("/api/threads/" + id + "?cursor=" + huge), 0);
    EXPECT_EQ(count("/api/threads/" + id + "?limit=" + huge), 1);
}

TEST_F(BadInput, AnAckTakesNothingButAWholeNumber) {
    const auto alice = join({{"acks", true}, {"presence", false}});
    (void)alice->ask({{"type", "message"}, {"to", "alice"}, {"payload", {{"n", 1}}}});
    EXPECT_EQ(stored_since_last_look(), 1U);
    HttpClient client = http();
    for (const char* seq : {"\"1\"", "1.0", "1.5", "1e0", "null", "true", "[]", "{}", "-1",
                            "-99999999999999999999"}) {
        const std::string text = std::string(R"({"type":"ack","ref":7,"seq":)") + seq + "}";
        const auto answer = answer_to(*alice, text);
        ASSERT_TRUE(answer) << text;
        EXPECT_EQ(answer->at("error"), "unknown_message_type") << text;
        EXPECT_EQ(answer->at("field"), "seq") << text;
        EXPECT_EQ(answer->at("ref"), 7) << text;
        const auto response =
            client.request("POST", "/api/mailbox/alice/ack", std::string(R"({"seq":)") + seq + "}");
        EXPECT_EQ(response.status, 400) << text;
        EXPECT_EQ(response.json().at("field"), "seq") << text;
    }
    EXPECT_EQ(error_of(*alice, R"({"type":"ack"})"), "unknown_message_type");
    EXPECT_EQ(client.request("POST", "/api/mailbox/alice/ack", "{}").json().at("error"),
              "missing required field: seq");
    EXPECT_EQ(client.get("/api/mailbox/alice").json().at("count"), 1) << "acknowledged by mistake";
    // Beyond the newest counts as the newest, not as a promise about messages to come.
    EXPECT_EQ(error_of(*alice, R"({"type":"ack","seq":99999999999999999999})"), "");
    EXPECT_EQ(client.get("/api/mailbox/alice").json().at("count"), 0);
    (void)alice->ask({{"type", "message"}, {"to", "alice"}, {"payload", {{"n", 2}}}});
    EXPECT_EQ(stored_since_last_look(), 1U);
    EXPECT_EQ(client.get("/api/mailbox/alice").json().at("count"), 1);
}

// ---- Every field of every frame -----------------------------------------------------------------

/// Values of every JSON type, sensible ones and others.
std::vector<std::string> values() {
    std::vector<std::string> all{"null",
                                 "true",
                                 "false",
                                 "0",
                                 "-1",
                                 "1.5",
                                 "1e3",
                                 "99999999999999999999",
                                 R"("")",
                                 R"("x")",
                                 R"("broadcast")",
                                 R"("a\u0001b")",
                                 R"("\u0000")",
                                 R"("#")",
                                 R"("zo\u00eb")",
                                 "[]",
                                 "{}",
                                 "[1]",
                                 R"({"a":1})",
                                 R"([["x"]])"};
    all.push_back('"' + std::string(129, 'a') + '"');
    all.push_back('"' + std::string(5'000, 'k') + '"');
    return all;
}

/// What a field's value leads to: an error, "" when the frame is carried out.
using Rule = std::function<std::string(const Json&)>;

bool has_control(const Json& value) {
    for (const char c : value.get<std::string>()) {
        if (static_cast<unsigned char>(c) < 0x20) return true;
    }
    return false;
}
std::size_t length(const Json& value) { return value.get_ref<const std::string&>().size(); }

std::string anything(const Json&) { return ""; }
std::string recipient(const Json& value) {
    if (value.is_null()) return "";
    const bool usable = value.is_string() && length(value) >= 1 && length(value) <= 128 &&
                        !has_control(value) && value != "#" && value != "zo\u00eb";
    return usable ? "" : "invalid_recipient";
}
std::string message_type(const Json& value) {
    if (value.is_null()) return "";
    return value.is_string() && length(value) <= 128 ? "" : "unknown_message_type";
}
std::string reply_to(const Json& value) {
    if (value.is_null()) return "";
    const bool usable = value.is_string() && length(value) <= 128 && !has_control(value);
    return usable ? "" : "unknown_message_type";
}
std::string idempotency_key(const Json& value) {
    if (value.is_null()) return "";
    const bool usable =
        value.is_string() && length(value) >= 1 && length(value) <= 128 && !has_control(value);
    return usable ? "" : "invalid_idempotency_key";
}
std::string ref(const Json& value) {
    if (value.is_null() || value.is_number()) return "";
    return value.is_string() && length(value) <= 254 ? "" : "unknown_message_type";
}
std::string channel_payload(const Json& value) {
    const bool usable = value.is_object() || value.is_null() || value == false;
    return usable ? "" : "invalid_payload";
}
std::string count(const Json& value) {
    if (value.is_null()) return "";
    // What no integer of 64 bits holds is taken as the largest.
    const bool whole = value.is_number_integer() || (value.is_number() && value > 1e18);
    return whole && value >= 0 ? "" : "unknown_message_type";
}
/// Only "dev" exists; some of the values are usable names of other channels.
std::string channel_name(const Json& value, const char* unknown) {
    if (!value.is_string()) return "unknown_message_type";
    std::size_t kept = 0;
    for (const char c : value.get<std::string>()) kept += (c >= 'a' && c <= 'z') ? 1 : 0;
    return kept >= 1 && kept <= 64 ? unknown : "invalid_channel_name";
}
std::string channel(const Json& value) { return channel_name(value, "channel_not_found"); }
std::string maybe_channel(const Json& value) { return channel_name(value, ""); }
std::string status(const Json& value) {
    return value.dump().size() <= 4'096 ? "" : "invalid_field";
}

struct FrameCase {
    Json frame;   // a good one
    bool stores;  // a message, when it is carried out
    std::vector<std::pair<std::string, Rule>> fields;
};

std::vector<FrameCase> frames() {
    return {
        {{{"type", "message"}, {"to", "bob"}, {"payload", {{"n", 1}}}},
         true,
         {{"to", recipient},
          {"message_type", message_type},
          {"payload", anything},
          {"reply_to", reply_to},
          {"idempotency_key", idempotency_key},
          {"ref", ref},
          {"from", anything},
          {"seq", anything}}},
        {{{"type", "channel_publish"}, {"channel", "dev"}, {"payload", {{"n", 1}}}},
         true,
         {{"channel", channel},
          {"message_type", message_type},
          {"payload", channel_payload},
          {"reply_to", reply_to},
          {"idempotency_key", idempotency_key},
          {"ref", ref}}},
        {{{"type", "status"}, {"status", "busy"}}, false, {{"status", status}, {"ref", ref}}},
        {{{"type", "channel_subscribe"}, {"channel", "dev"}},
         false,
         {{"channel", channel}, {"ref", ref}}},
        {{{"type", "channel_unsubscribe"}, {"channel", "dev"}},
         false,
         {{"channel", channel}, {"ref", ref}}},
        {{{"type", "channel_history"}, {"channel", "dev"}},
         false,
         {{"channel", maybe_channel}, {"limit", count}, {"since", count}, {"ref", ref}}},
        {{{"type", "ack"}, {"seq", 0}}, false, {{"ref", ref}, {"mailbox", anything}}},
        {{{"type", "list_agents"}}, false, {{"ref", ref}}},
        {{{"type", "list_channels"}}, false, {{"ref", ref}}},
        {{{"type", "ping"}}, false, {{"ref", ref}}},
    };
}

TEST_F(BadInput, EveryFieldOfEveryFrameIsCheckedForEveryType) {
    const auto alice = join();
    int keys = 0;
    for (const FrameCase& each : frames()) {
        const std::string type = each.frame.at("type");
        for (const auto& [field, rule] : each.fields) {
            for (const std::string& value : values()) {
                Json frame = each.frame;
                frame.erase(field);
                std::string text = frame.dump();
                text.back() = ',';
                text += "\"" + field + "\":" + value + "}";
                SCOPED_TRACE(text.substr(0, 200));
                const Json parsed = Json::parse(value);
                std::string expected = rule(parsed);
                bool stores = each.stores && expected.empty();
                // The second use of a good key is answered like the first and stores nothing.
                if (field == "idempotency_key" && stores && !parsed.is_null() &&
                    type != "message") {
                    // By then another frame has used it for another message.
                    expected = "idempotency_conflict";
                    stores = false;
                }
                ++keys;
                if (type == "ping") {
                    alice->send_text(text);
                    const Json answer = alice->receive();
                    EXPECT_EQ(answer.value("error", ""), expected);
                } else {
                    const auto answer = answer_to(*alice, text);
                    ASSERT_TRUE(answer || (type == "ack" && expected.empty()));
                    if (answer) {
                        EXPECT_EQ(answer->value("error", ""), expected);
                        if (field == "ref" && expected.empty() && !parsed.is_null()) {
                            EXPECT_EQ(answer->at("ref"), parsed);
                        }
                    }
                }
                ASSERT_EQ(stored_since_last_look(), stores ? 1U : 0U);
            }
        }
    }
    EXPECT_GT(keys, 600);
}

TEST_F(BadInput, EveryFieldOfIdentifyIsCheckedForEveryType) {
    const auto expected = [](const std::string& field, const Json& value) -> std::string {
        if (field == "agent_id") return "token_agent_mismatch";
        if (field == "token") return "invalid_token";
        if (field == "name" || field == "status" || field == "capabilities") return status(value);
        if (field == "ref") return ref(value);
        return value.is_boolean() || value.is_null() ? "" : "unknown_message_type";
    };
    for (const char* field : {"agent_id", "token", "name", "status", "capabilities", "acks",
                              "presence", "echo", "ref"}) {
        for (const std::string& value : values()) {
            Json frame{{"type", "identify"}, {"agent_id", "alice"}, {"token", token_}};
            frame.erase(field);
            std::string text = frame.dump();
            text.back() = ',';
            text += "\"" + std::string(field) + "\":" + value + "}";
            SCOPED_TRACE(text.substr(0, 200));
            WsClient client(hub_->port());
            client.send_text(text);
            const std::string error = client.receive().value("error", "");
            ASSERT_EQ(error, expected(field, Json::parse(value)));
            if (error.empty()) continue;
            // The connection may try again, and rightly.
            ASSERT_EQ(client.identify("alice", token_).at("type"), "identified");
        }
    }
}

TEST_F(BadInput, UnknownFramesAndOtherJsonChangeNothing) {
    const auto alice = join();
    for (const char* text :
         {"[]", "null", "1", "\"message\"", "{}", R"({"type":null})", R"({"type":1})",
          R"({"type":["message"]})", R"({"type":""})", R"({"type":"Message"})",
          R"({"type":"message "})", R"({"type":"message_sent","id":"1"})", R"({"type":"agents"})",
          R"({"type":"__proto__"})", R"({"TYPE":"ping"})"}) {
        EXPECT_EQ(error_of(*alice, text), "unknown_message_type") << text;
    }
    for (const char* text : {"", " ", "{", "}", "{'type':'ping'}", "{type:1}", "{\"type\"}",
                             R"({"type":"ping"}{)", R"({"type":"ping"},)", "NaN", "undefined",
                             R"({"type":"ping",})", "\xef\xbb\xbf{}", R"({"type":"\ud800"})"}) {
        EXPECT_EQ(error_of(*alice, text), "invalid_json") << text;
    }
    EXPECT_EQ(error_of(*alice,
                       Json{{"type", "identify"}, {"agent_id", "alice"}, {"token", token_}}.dump()),
              "already_identified");
    EXPECT_EQ(error_of(*alice, "{\"type\":\"" + std::string(500'000, 'x') + "\"}"),
              "unknown_message_type");
}

// ---- HTTP ---------------------------------------------------------------------------------------

TEST_F(BadInput, EveryFieldOfEveryBodyIsCheckedForEveryType) {
    struct Body {
        const char* verb;
        std::string path;
        Json body;  // a good one
        bool admin;
        std::vector<std::string> fields;
    };
    const std::vector<Body> bodies{
        {"POST",
         "/api/message",
         {{"payload", {{"n", 1}}}, {"to", "bob"}},
         false,
         {"to", "type", "payload", "reply_to", "idempotency_key", "from"}},
        {"POST",
         "/api/channels/dev/publish",
         {{"payload", {{"n", 1}}}},
         false,
         {"type", "payload", "reply_to", "idempotency_key"}},
        {"POST", "/api/mailbox/alice/ack", {{"seq", 0}}, false, {"seq", "token"}},
        {"POST", "/api/channels", {{"name", "other"}}, false, {"name", "description"}},
        {"PUT",
         "/api/config/heartbeat-interval",
         {{"heartbeat_interval_ms", 900'000}},
         true,
         {"heartbeat_interval_ms"}},
        {"PUT",
         "/api/config/mailbox-retention",
         {{"mailbox_ttl_ms", 604'800'000}},
         true,
         {"mailbox_ttl_ms"}},
        {"POST", "/admin/tokens", {{"agent_id", "carol"}}, true, {"agent_id", "role"}},
    };
    HttpClient alice = http();
    HttpClient admin(hub_->port(), hub_->admin_token());
    for (const Body& each : bodies) {
        HttpClient& client = each.admin ? admin : alice;
        for (const std::string& field : each.fields) {
            for (const std::string& value : values()) {
                Json good = each.body;
                good.erase(field);
                std::string text = good.dump();
                if (good.empty()) {
                    text = "{";
                } else {
                    text.back() = ',';
                }
                text += "\"" + field + "\":" + value + "}";
                SCOPED_TRACE(each.path + " " + text.substr(0, 200));
                const auto answer = client.request(each.verb, each.path, text);
                ASSERT_LT(answer.status, 500);
                ASSERT_TRUE(answer.json().is_object());
                const bool good_answer = answer.status == 200 || answer.status == 201;
                ASSERT_EQ(good_answer, !answer.json().contains("error")) << answer.body;
                // A key may have been used before, and then nothing is stored.
                const std::size_t stored = stored_since_last_look();
                if (!good_answer) {
                    ASSERT_EQ(stored, 0U);
                }
            }
        }
        for (const char* body : {"", "[]", "null", "1", "\"x\"", "{}"}) {
            const auto answer = client.request(each.verb, each.path, std::string(body));
            EXPECT_EQ(answer.status, 400) << each.path << " " << body;
        }
        for (const char* body : {"{", "nonsense", "{\"a\":}", "\x01", "{}{}"}) {
            const auto answer = client.request(each.verb, each.path, std::string(body));
            EXPECT_EQ(answer.status, 400) << each.path << " " << body;
            EXPECT_EQ(answer.json().at("error"), "invalid_json") << each.path << " " << body;
        }
        EXPECT_EQ(stored_since_last_look(), 0U);
    }
}

TEST_F(BadInput, EmptyAndOverlongIdsInPathsAreAnsweredWithoutAMistake) {
    HttpClient alice = http();
    HttpClient admin(hub_->port(), hub_->admin_token());
    std::vector<std::string> ids{"%20",
                                 "%00",
                                 "..",
                                 ".",
                                 "%2f",
                                 "%2e%2e%2f",
                                 "%25",
                                 "%22%3c%3e",
                                 "broadcast",
                                 "zo%c3%ab",
                                 "0000000000000000"};
    for (const std::size_t size : {128U, 129U, 255U, 256U, 511U, 512U, 7'000U}) {
        ids.emplace_back(size, 'a');
    }
    ids.emplace_back("");
    for (const std::string& id : ids) {
        for (const std::string& path :
             {"/api/agents/" + id + "/subscriptions", "/api/mailbox/" + id, "/api/channels/" + id,
              "/api/channels/" + id + "/history", "/api/messages?from=" + id + "&to=" + id,
              "/api/messages?channel=" + id, "/api/threads/" + id,
              "/api/threads/" + id + "/replies", "/api/threads/" + id + "/root",
              "/api/analytics/agents/" + id + "/hourly"}) {
            const auto answer = alice.get(path);
            EXPECT_LT(answer.status, 500) << path;
            EXPECT_TRUE(answer.json().is_object()) << path;
        }
        for (const std::string& path :
             {"/api/mailbox/" + id + "/ack", "/api/channels/" + id + "/subscribe",
              "/api/channels/" + id + "/unsubscribe", "/api/channels/" + id + "/publish"}) {
            const auto answer = alice.post(path, {{"seq", 1}, {"payload", Json::object()}});
            EXPECT_GE(answer.status, 400) << path;
            EXPECT_LT(answer.status, 500) << path;
        }
        const auto revoked = admin.request("DELETE", "/admin/tokens/" + id);
        EXPECT_LT(revoked.status, 500) << id;
    }
    for (const std::string& id :
         {std::string(), std::string(129, 'a'), std::string("broadcast"), std::string("a\nb")}) {
        const auto answer = admin.post("/admin/tokens", {{"agent_id", id}});
        EXPECT_EQ(answer.status, 400) << id;
        EXPECT_EQ(answer.json().at("error"), "invalid_agent_id") << id;
    }
    EXPECT_EQ(alice.get("/api/mailbox/alice").status, 200) << "alice's token is gone";
}

TEST_F(BadInput, AHugeIdempotencyKeyIsRefused) {
    const auto alice = join();
    HttpClient client = http();
    for (const std::size_t size : {129U, 10'000U, 900'000U}) {
        const std::string key(size, 'k');
        const Json frame{{"type", "message"}, {"to", "bob"}, {"idempotency_key", key}};
        EXPECT_EQ(error_of(*alice, frame.dump()), "invalid_idempotency_key");
        const auto answer =
            client.post("/api/message", {{"payload", Json::object()}, {"idempotency_key", key}});
        EXPECT_EQ(answer.status, 400);
        EXPECT_EQ(answer.json().at("error"), "invalid_idempotency_key");
        if (size > 10'000U) continue;
        const auto header = client.request("POST", "/api/message", R"({"payload":{}})",
                                           {"Idempotency-Key: " + key});
        EXPECT_EQ(header.status, 400);
        EXPECT_EQ(header.json().at("error"), "invalid_idempotency_key");
    }
}

}  // namespace
}  // namespace agentcom::test
