// The bridge between standard streams and `POST /mcp`, against a stand-in for the endpoint.
#include "cli/mcp_bridge.hpp"

#include <gtest/gtest.h>

#include <future>
#include <map>
#include <sstream>

#include "cli/support/client_fixture.hpp"
#include "cli/support/stand_in.hpp"

namespace agentcom::cli {
namespace {

json result(const json& id, const json& value) {
    return {{"jsonrpc", "2.0"}, {"id", id}, {"result", value}};
}

/// Answers as the endpoint does: notifications with 202, `listen` with a stream that stays.
bool answer_mcp(const StandIn::Request& request, const StandIn::Peer& peer) {
    const auto message = json::parse(request.body);
    const auto method = message.value("method", "");
    if (!message.contains("id")) {
        peer.answer(202, "application/json", "");
        return true;
    }
    const json id = message["id"];
    if (method == "initialize") {
        peer.answer(200, "application/json",
                    result(id, {{"protocolVersion", "2025-11-25"}}).dump(2));
    } else if (method == "events") {
        peer.send(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: hello\n\n"
            "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\ndata: " +
            result(id, "done").dump() + "\n\n");
        return false;
    } else if (method == "cut") {
        peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
        return false;
    } else if (method == "listen") {
        peer.send(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
            "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/opened\"}\n\n");
        peer.wait_for_end();
        return false;
    } else if (method == "unknown") {
        peer.answer(404, "application/json",
                    json{{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", -32601}}}}.dump());
    } else if (method == "denied") {
        peer.answer(401, "application/json", R"({"error":"unauthorized"})");
    } else {
        peer.answer(200, "application/json", result(id, request.headers).dump());
    }
    return true;
}

class McpCommand : public ClientTest {
protected:
    McpCommand() { url_ = server_.url(); }
    [[nodiscard]] std::vector<std::string> variables() const { return as(std::string(64, 'a')); }
    /// What the bridge answers to these lines, by id.
    std::map<std::string, json> answers_to(const std::string& lines) {
        const Ran ran = run({"mcp"}, variables(), lines);
        EXPECT_EQ(ran.status, 0) << ran.errors;
        errors_ = ran.errors;
        std::map<std::string, json> all;
        for (const json& line : ran.lines()) {
            all[line.contains("id") ? line["id"].dump() : line["method"].get<std::string>()] = line;
        }
        return all;
    }
    StandIn server_{answer_mcp};
    std::string errors_;
};

TEST_F(McpCommand, CarriesDocumentsStreamsAndNotifications) {
    auto answers = answers_to(
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"events\"}\n\n"
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n"
        "{\"jsonrpc\":\"2.0\",\"id\":\"two\",\"method\":\"unknown\"}\r\n"
        "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"ping\"}");
    EXPECT_EQ(answers.size(), 4U);
    EXPECT_EQ(answers["1"]["result"], "done");
    EXPECT_TRUE(answers.contains("notifications/progress"));
    EXPECT_EQ(answers["\"two\""]["error"]["code"], -32601);
    EXPECT_EQ(answers["3"]["result"]["authorization"], "Bearer " + std::string(64, 'a'));
    EXPECT_EQ(answers["3"]["result"]["accept"], "application/json, text/event-stream");
    EXPECT_EQ(errors_, "");
}

TEST_F(McpCommand, WhatTheHubCannotAnswerIsAnErrorToWhoAsked) {
    auto answers = answers_to(
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"denied\"}\n"
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"cut\"}\n");
    EXPECT_EQ(answers["1"]["error"]["code"], -32603);
    EXPECT_NE(answers["1"]["error"]["message"].get<std::string>().find("token"), std::string::npos);
    EXPECT_EQ(answers["2"]["error"]["code"], -32603);

    url_ = "http://127.0.0.1:1";
    answers = answers_to("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\"}\n");
    EXPECT_NE(answers["7"]["error"]["message"].get<std::string>().find("cannot reach the hub"),
              std::string::npos);
}

TEST_F(McpCommand, HeadersSayWhatTheBodySays) {
    auto answers = answers_to(
        R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"send_message","_meta":{)"
        R"("io.modelcontextprotocol/protocolVersion":"2026-07-28"}}})"
        "\n"
        R"({"jsonrpc":"2.0","id":2,"method":"resources/read","params":{"uri":"x\r\nEvil: \u00e9"}})"
        "\n");
    const json called = answers["1"]["result"];
    EXPECT_EQ(called["mcp-protocol-version"], "2026-07-28");
    EXPECT_EQ(called["mcp-method"], "tools/call");
    EXPECT_EQ(called["mcp-name"], "send_message");
    const json read = answers["2"]["result"];
    EXPECT_EQ(read["mcp-name"], "=?base64?eA0KRXZpbDogw6k=?=");
    EXPECT_FALSE(read.contains("evil"));
    EXPECT_FALSE(read.contains("mcp-protocol-version"));
}

TEST_F(McpCommand, AfterInitializeTheVersionIsTheOneAgreedOn) {
    const auto bridge = start({"mcp"}, variables());
    bridge->write("{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\"}\n");
    const std::string first = bridge->wait_for_output("2025-11-25");
    EXPECT_EQ(json::parse(first)["id"], 0) << "on one line, however the hub writes it";
    bridge->write("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n");
    const auto second = json::parse(bridge->wait_for_output("\"id\":1"));
    EXPECT_EQ(second["result"]["mcp-protocol-version"], "2025-11-25");
    bridge->end_input();
    EXPECT_EQ(bridge->wait(), 0);
}

TEST_F(McpCommand, AStreamThatStaysHoldsUpNothingAndEndsWhenItIsCancelled) {
    const auto bridge = start({"mcp"}, variables());
    bridge->write("{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"listen\"}\n");
    (void)bridge->wait_for_output("notifications/opened");
    bridge->write("{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"ping\"}\n");
    (void)bridge->wait_for_output("\"id\":6");
    bridge->write(
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
        "cancelled\",\"params\":{\"requestId\":5}}\n"
        "{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"ping\"}\n");
    (void)bridge->wait_for_output("\"id\":8");
    bridge->write("{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"listen\"}\n");
    ASSERT_TRUE(server_.wait_for_requests(4));
    bridge->end_input();
    EXPECT_EQ(bridge->wait(), 0) << "a stream is not waited for at the end";
    EXPECT_EQ(bridge->output().find("\"id\":5"), std::string::npos) << bridge->output();
    EXPECT_EQ(server_.requests().size(), 4U) << "the cancellation itself is not sent";
}

TEST_F(McpCommand, WithoutATokenItDoesNotStart) {
    const Ran ran = run({"mcp"}, {"AGENTCOM_URL=" + url_, "HOME=" + home()});
    EXPECT_EQ(ran.status, 6);
    expect_complaint(ran.errors, "there is no token");
}

}  // namespace
}  // namespace agentcom::cli
