// Two coding agents and a script talk for twenty messages, each in its own way: ada with hooks and
// `POST /mcp`, bea with hooks and `agentcom mcp`, and nightly with the command line and the stream
// of its mailbox. They sleep and are woken, bea is killed in the middle of her work, and the hub is
// killed and restarted beneath them. Every message is handled once (support/record.hpp says what
// that means), in the order its sender sent them.

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/support/client_fixture.hpp"
#include "integration/support/coding_agent.hpp"
#include "integration/support/doorway.hpp"
#include "integration/support/record.hpp"
#include "integration/support/tools.hpp"
#include "support/event_source.hpp"

namespace agentcom::test {
namespace {

/// The script's exit status when no hub answers.
constexpr int kNoHub = 5;

class Conversation : public cli::ClientTest {
protected:
    void SetUp() override {
        serve();
        ada_token_ = token("ada");
        bea_token_ = token("bea");
        nightly_token_ = token("nightly");
        doorway_ = std::make_unique<Doorway>(port());
        ada_ = std::make_unique<CodingAgent>(directory_.path() / "ada",
                                             through_doorway("ada", ada_token_),
                                             CodingAgent::Waking::by_hook);
        bea_ = std::make_unique<CodingAgent>(directory_.path() / "bea", bea_variables(),
                                             CodingAgent::Waking::otherwise);
    }

    [[nodiscard]] std::uint16_t port() const {
        return static_cast<std::uint16_t>(std::stoul(port_));
    }
    [[nodiscard]] std::vector<std::string> through_doorway(const std::string& name,
                                                           const std::string& token) const {
        return {"AGENTCOM_URL=http://127.0.0.1:" + std::to_string(doorway_->port()),
                "AGENTCOM_TOKEN=" + token, "AGENTCOM_AGENT=" + name};
    }
    [[nodiscard]] std::vector<std::string> bea_variables() const {
        return through_doorway("bea", bea_token_);
    }
    [[nodiscard]] std::unique_ptr<HttpTools> ada_tools() const {
        return std::make_unique<HttpTools>(port(), ada_token_);
    }

    /// The message with this id is from one to the other.
    std::string note(const std::string& from, const std::string& to, std::string id) {
        EXPECT_FALSE(id.empty());
        sent_.push_back({id, from, to});
        return id;
    }
    std::string ada_writes(const std::string& to, const std::string& text,
                           const std::string& reply_to = {}) {
        return note("ada", to, ada_->send(to, text, reply_to));
    }
    std::string bea_writes(const std::string& to, const std::string& text,
                           const std::string& reply_to = {}) {
        return note("bea", to, bea_->send(to, text, reply_to));
    }
    /// `agentcom send` with these arguments.
    std::string nightly_writes(const std::string& to, std::vector<std::string> arguments,
                               const std::string& input = {}) {
        arguments.insert(arguments.begin(), {"send", "--json", to});
        const Ran ran = run(std::move(arguments), as(nightly_token_), input);
        EXPECT_EQ(ran.status, 0) << ran.errors;
        return note("nightly", to, ran.line().at("id"));
    }
    /// The script has done what a line of `listen` or `poll` or an event says.
    Letter nightly_handles(const Json& message) {
        const Letter letter = Letter::of(message);
        EXPECT_FALSE(nightly_.has(letter.id)) << "shown twice: " << message;
        nightly_.enter(letter);
        return letter;
    }

    /// bea's client has no hook that wakes her; `agentcom wait` in the background does it.
    std::unique_ptr<Program> bea_sleeps() {
        EXPECT_EQ(bea_->told_at_end(), "");
        const std::size_t before = doorway_->passed();
        auto waiting = start({"wait"}, bea_variables());
        doorway_->await("/api/mailbox/bea/stream", before);
        return waiting;
    }
    static void expect_woken(Program& waiting, const std::string& by) {
        EXPECT_EQ(waiting.wait(), 0) << waiting.errors();
        EXPECT_EQ(waiting.output(), "1 unread, from " + by + "\n");
    }
    /// Her turn is over, and her waiter waits at the hub. What the client goes on with.
    std::string ada_ends_turn() {
        const std::size_t before = doorway_->passed();
        std::string told = ada_->told_at_end();
        doorway_->await("/api/mailbox/ada?limit=1&since=", before);
        return told;
    }
    void ada_sleeps() { EXPECT_EQ(ada_ends_turn(), ""); }

    void opening();
    void sleep_and_wake();
    void hub_is_killed();
    void bea_is_killed();
    void hub_is_restarted();
    void expect_each_once();

    struct Sent {
        std::string id;
        std::string from;
        std::string to;
    };
    std::vector<Sent> sent_;
    std::string ada_token_;
    std::string bea_token_;
    std::string nightly_token_;
    std::unique_ptr<Doorway> doorway_;
    std::unique_ptr<CodingAgent> ada_;
    std::unique_ptr<CodingAgent> bea_;
    Record nightly_;
    std::unique_ptr<Program> listener_;  // the script's `agentcom listen`
    std::unique_ptr<Program> bea_waits_;
};

bool names(const std::string& told, const std::string& part) {
    return told.find(part) != std::string::npos;
}

/// Everybody is awake; every hook says once what has come.
void Conversation::opening() {
    listener_ = start({"listen", "--ack", "--json", "--count", "3"}, as(nightly_token_));
    const auto failed = nightly_writes("ada", {"the build is red"});
    EXPECT_TRUE(
        names(ada_->begin("ada-1", ada_tools()), "1 unread message for ada: 1 from nightly"));
    EXPECT_EQ(ada_->told_at_prompt("good morning"), "") << "a session is told once";
    ada_->handle_mail();

    const auto task = ada_writes("bea", "please look at it");
    EXPECT_TRUE(
        names(bea_->begin("bea-1", std::make_unique<BridgeTools>(bea_variables())), "1 from ada"));
    bea_->handle_mail();
    const auto question = bea_writes("ada", "on which branch?", task);
    EXPECT_TRUE(names(ada_->told_after_tool(), "1 from bea"));
    ada_->handle_mail();
    ada_writes("bea", "main", question);
    EXPECT_TRUE(names(bea_->told_at_prompt("any news?"), "1 from ada"));
    bea_->handle_mail();

    const auto order = bea_writes("nightly", "run the tests");
    const Json heard = Json::parse(listener_->wait_for_output(order));
    EXPECT_EQ(heard.at("payload").at("text"), "run the tests");
    nightly_handles(heard);
    nightly_writes("bea", {"--payload", R"({"failed":3})", "--reply-to", order});
    nightly_writes("ada", {"--type", "report"}, "three failed\n");
    // At the end of a turn mail makes both go on.
    EXPECT_TRUE(names(bea_->told_at_end(), "1 from nightly"));
    bea_->handle_mail();
    EXPECT_TRUE(names(ada_ends_turn(), "1 from nightly"));
    ada_->handle_mail();
}

void Conversation::sleep_and_wake() {
    ada_sleeps();
    const auto fixed = bea_writes("ada", "mended, have a look");
    EXPECT_TRUE(names(ada_->woken(), "1 unread message for ada: 1 from bea"));
    ada_->handle_mail();

    const auto waiting = bea_sleeps();
    ada_writes("bea", "good; a test is missing", fixed);
    expect_woken(*waiting, "ada");
    bea_->handle_mail();
}

/// SIGKILL while bea sleeps, ada waits for an answer, and the script listens.
void Conversation::hub_is_killed() {
    bea_waits_ = bea_sleeps();

    // ada's message is stored, which she is never told: its receiver has it before the hub dies.
    const Json call{{"jsonrpc", "2.0"},
                    {"id", 77},
                    {"method", "tools/call"},
                    {"params",
                     {{"name", "send_message"},
                      {"arguments", {{"to", "nightly"}, {"text", "run them again"}}},
                      {"_meta", McpClient::meta()}}}};
    std::string headers;
    for (const std::string& line : McpClient::headers("tools/call", "send_message")) {
        headers += line + "\r\n";
    }
    HttpClient unanswered(port(), ada_token_);
    unanswered.send_raw("POST /mcp HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer " + ada_token_ +
                        "\r\nContent-Type: application/json\r\n" + headers + "Content-Length: " +
                        std::to_string(call.dump().size()) + "\r\n\r\n" + call.dump());
    const Letter heard = nightly_handles(Json::parse(listener_->wait_for_output("run them again")));
    kill();

    const std::vector<std::string> report{
        "send", "ada", "all green", "--json", "--idempotency-key", "night 1"};
    EXPECT_EQ(run(report, as(nightly_token_)).status, kNoHub);
    serve();
    auto tools = ada_tools();
    const Json again = tools->client()
                           .post(call.dump(), McpClient::headers("tools/call", "send_message"))
                           .json()
                           .at("result")
                           .at("structuredContent");
    EXPECT_EQ(again.at("duplicate"), true);
    EXPECT_EQ(note("ada", "nightly", again.at("id")), heard.id);
    ada_->connect(std::move(tools));
    ada_sleeps();

    // The script tries again as it was, and once more because it is careful.
    const Json sent = run(report, as(nightly_token_)).line();
    EXPECT_EQ(run(report, as(nightly_token_)).line().at("id"), sent.at("id"));
    note("nightly", "ada", sent.at("id"));
    EXPECT_TRUE(names(ada_->woken(), "1 unread message for ada: 1 from nightly"));
    ada_->handle_mail();

    ada_writes("bea", "they are green: write the changelog");
    expect_woken(*bea_waits_, "ada");  // it has outlived the hub
    bea_->handle_mail();
}

/// SIGKILL to bea's client while two messages are in her hands: one is handled and not
/// acknowledged, of the other the answer is sent and nothing else done.
void Conversation::bea_is_killed() {
    bea_->end();
    auto bridge = std::make_unique<BridgeTools>(bea_variables());
    BridgeTools& process = *bridge;
    EXPECT_EQ(bea_->begin("bea-2", std::move(bridge)), "");
    ada_writes("bea", "which version is it?");
    nightly_writes("bea", {"what shall I name the archive?"});
    EXPECT_TRUE(names(bea_->told_after_tool(), "2 unread messages for bea"));
    const auto letters = bea_->look();
    ASSERT_EQ(letters.size(), 2U);
    ada_sleeps();
    note("bea", "ada", bea_->answer(letters[0], "0.1.0").at("id"));
    bea_->record.enter(letters[0]);
    const std::string answer = bea_->answer(letters[1], "agentcom-0.1.0").at("id");
    note("bea", "nightly", answer);
    process.kill();

    EXPECT_TRUE(names(ada_->woken(), "1 from bea"));
    ada_->handle_mail();
    // The third of three messages for a listener that has outlived the hub.
    nightly_handles(Json::parse(listener_->wait_for_output(answer)));
    EXPECT_EQ(listener_->wait(), 0) << listener_->errors();
    ada_writes("bea", "are you there?");

    EXPECT_TRUE(names(bea_->begin("bea-3", std::make_unique<BridgeTools>(bea_variables())),
                      "3 unread messages for bea: 2 from ada, 1 from nightly"));
    bea_->handle_mail([&](const Letter& letter) {
        if (letter.id != letters[1].id) return;
        const Json repeated = bea_->answer(letter, "agentcom-0.1.0");
        EXPECT_EQ(repeated.at("duplicate"), true);
        EXPECT_EQ(repeated.at("id"), answer);
    });
    EXPECT_EQ(bea_->record.repeated(), std::vector<std::string>{letters[0].id});
}

/// SIGTERM and a start at the same place, while ada sleeps and the script reads its stream.
void Conversation::hub_is_restarted() {
    const auto stream = [this](const std::string& headers) {
        return std::make_unique<EventSource>(port(), "/api/mailbox/nightly/stream", nightly_token_,
                                             headers);
    };
    auto source =
        stream("Last-Event-ID: " + std::to_string(nightly_.handled().back().seq) + "\r\n");
    ada_writes("nightly", "pack it");
    const Letter packed = nightly_handles(source->message());
    ada_sleeps();
    hub_->signal(SIGTERM);
    const auto farewell = source->next();
    ASSERT_TRUE(farewell);
    EXPECT_EQ(farewell->type, "close");
    EXPECT_FALSE(source->next());
    source.reset();
    EXPECT_EQ(hub_->wait(), 0) << hub_->errors();
    serve();

    source = stream("Last-Event-ID: " + std::to_string(packed.seq) + "\r\n");
    bea_writes("nightly", "and publish it");
    // The stream goes on behind what it was told it has shown.
    const Letter published = nightly_handles(source->message());
    // Nothing was acknowledged yet, so a poll shows both; the script knows them.
    for (const Json& message : run({"poll", "--json"}, as(nightly_token_)).lines()) {
        EXPECT_TRUE(nightly_.has(message.at("id"))) << message;
        nightly_.note_repetition(Letter::of(message));
    }
    EXPECT_EQ(nightly_.repeated(), (std::vector<std::string>{packed.id, published.id}));
    EXPECT_EQ(run({"ack", std::to_string(published.seq)}, as(nightly_token_)).status, 0);

    bea_writes("ada", "it is out");
    EXPECT_TRUE(names(ada_->woken(), "1 unread message for ada: 1 from bea"));
    ada_->connect(ada_tools());
    ada_->handle_mail();
    ada_sleeps();
    ada_->end();
    bea_->end();
}

void Conversation::expect_each_once() {
    std::map<std::string, std::vector<std::string>> expected;
    std::vector<std::string> all;
    for (const Sent& sent : sent_) {
        expected[sent.to].push_back(sent.from + ' ' + sent.id);
        all.push_back(sent.id);
    }
    EXPECT_EQ(all.size(), 20U);
    const std::map<std::string, const Record*> records{
        {"ada", &ada_->record}, {"bea", &bea_->record}, {"nightly", &nightly_}};
    for (const auto& [agent, record] : records) {
        // Each that was sent, none twice, none else, and in the order they were sent.
        std::vector<std::string> handled;
        for (const Letter& letter : record->handled()) {
            handled.push_back(letter.from + ' ' + letter.id);
        }
        EXPECT_EQ(handled, expected[agent]) << agent;
    }
    EXPECT_TRUE(ada_->record.repeated().empty());
    for (const auto& [agent, token] :
         {std::pair{"ada", ada_token_}, {"bea", bea_token_}, {"nightly", nightly_token_}}) {
        HttpClient http(port(), token);
        const Json unread = http.get("/api/mailbox/" + std::string(agent) + "/unread").json();
        EXPECT_EQ(unread.at("count"), 0) << agent;
    }
    // What was sent more than once is stored once.
    std::string admin_token;
    std::ifstream(data() + "/admin_token") >> admin_token;
    HttpClient auditor(port(), admin_token);
    std::vector<std::string> recorded;
    const Json history = auditor.get("/api/messages?limit=200").json();
    for (const Json& message : history.at("messages")) recorded.push_back(message.at("id"));
    EXPECT_EQ(recorded, all);
}

TEST_F(Conversation, TwentyMessagesAreHandledOnceEachThroughSleepKillsAndRestarts) {
    opening();
    sleep_and_wake();
    hub_is_killed();
    bea_is_killed();
    hub_is_restarted();
    expect_each_once();
}

}  // namespace
}  // namespace agentcom::test
