#include "crash/support/party.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace agentcom::test {
namespace {

bool is_push(const nlohmann::json& frame) {
    static constexpr std::array<std::string_view, 6> kPushed{
        "message",      "channel_message", "channel_agent_joined",
        "agent_joined", "agent_left",      "status_changed"};
    return std::ranges::find(kPushed, frame.at("type").get<std::string>()) != kPushed.end();
}

Outcome of_error(const std::string& code, const std::string& what) {
    if (code == "storage_full") return Outcome::refused;
    if (code == "storage_failed" || code == "shutting_down" || code == "internal") {
        return Outcome::unknown;
    }
    ADD_FAILURE() << what << " is answered " << code;
    return Outcome::unknown;
}

}  // namespace

Outcome outcome(const HttpClient::Response& answer, const std::string& what) {
    if (answer.status < 300) return Outcome::done;
    const auto body = nlohmann::json::parse(answer.body, nullptr, false);
    return of_error(body.is_object() ? body.value("error", "") : answer.body,
                    what + " (" + std::to_string(answer.status) + ")");
}

Outcome outcome(const nlohmann::json& frame) {
    if (frame.at("type") != "error") return Outcome::done;
    return of_error(frame.at("error"), frame.dump());
}

void HttpParty::connect(std::uint16_t port) {
    waiting_ = {};
    connection_lost();
    http_ = std::make_unique<HttpClient>(port, token_);
}

void HttpParty::ask(const std::string& verb, const std::string& path, const nlohmann::json* body,
                    Answered answered) {
    std::string text = verb + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ";
    text += token_ + "\r\n";
    if (body != nullptr) {
        const std::string bytes = body->dump();
        text +=
            "Content-Type: application/json\r\nContent-Length: " + std::to_string(bytes.size()) +
            "\r\n\r\n" + bytes;
    } else {
        text += "\r\n";
    }
    asked_ = verb + " " + path;
    count(verb + " " + path.substr(0, path.find_first_of("?", 0)));
    waiting_ = answered ? std::move(answered) : [this](const HttpClient::Response& answer) {
        EXPECT_EQ(answer.status, 200) << asked_ << ": " << answer.body;
    };
    http_->send_raw(text);
}

void HttpParty::get(const std::string& path, Answered answered) {
    ask("GET", path, nullptr, std::move(answered));
}

void HttpParty::post(const std::string& path, const nlohmann::json& body, Answered answered) {
    ask("POST", path, &body, std::move(answered));
}

void HttpParty::receive() {
    const auto answer = http_->read_response();
    // It may ask at once for something else.
    std::exchange(waiting_, {})(answer);
}

void WsParty::connect(std::uint16_t port) {
    waiting_.clear();
    connection_lost();
    socket_ = std::make_unique<WsClient>(port);
    count("identify");
    const auto answer = socket_->identify(agent_, token_, options_);
    if (answer.at("type") != "identified") throw std::runtime_error(answer.dump());
    EXPECT_FALSE(answer.contains("truncated")) << answer;
    for (const auto& frame : std::exchange(socket_->others, {})) pushed(frame);
}

void WsParty::ask(const nlohmann::json& frame, Answered answered) {
    tell(frame);
    waiting_.push_back(answered ? std::move(answered) : [](const nlohmann::json& answer) {
        EXPECT_NE(answer.at("type"), "error") << answer;
    });
}

void WsParty::tell(const nlohmann::json& frame) {
    count(frame.at("type"));
    socket_->send(frame);
}

bool WsParty::take_frame() {
    const auto frame = socket_->receive();
    if (is_push(frame)) {
        pushed(frame);
        return false;
    }
    if (frame.value("ref", "") == kAckRef) {
        (void)outcome(frame);
        ack_refused();
        return false;
    }
    if (waiting_.empty()) {
        ADD_FAILURE() << "nobody asked: " << frame;
        return false;
    }
    const Answered answered = std::move(waiting_.front());
    waiting_.pop_front();
    answered(frame);
    return true;
}

void WsParty::receive() {
    while (!take_frame()) {
    }
}

void WsParty::take_pushes() {
    while (socket_->has_input()) take_frame();
}

}  // namespace agentcom::test
