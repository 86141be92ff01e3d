#include "hostile/support/innocent.hpp"

#include <chrono>
#include <stdexcept>
#include <utility>

namespace agentcom::test {
namespace {

constexpr std::chrono::milliseconds kPingInterval{5};
constexpr std::chrono::milliseconds kSendInterval{50};
/// For what an attack may hold up for long when the hub has no defence.
constexpr std::chrono::seconds kLongPatience{120};

}  // namespace

Innocent::Innocent(std::uint16_t port, const std::string& agent, const std::string& token)
    : client_(port) {
    client_.identify(agent, token, {{"presence", false}, {"echo", false}});
    pings_.emplace(agent, kPingInterval, [this] { ping(); });
}

Innocent::Figures Innocent::figures() const {
    const Bystander::Figures pings = pings_->figures();
    return {pings.answers, messages_, pings.trouble};
}

bool Innocent::wait_for_pings(std::size_t more) { return pings_->wait_for(more, kLongPatience); }

bool Innocent::wait_for_messages(std::size_t count) {
    return pings_->wait_until([&] { return messages_ >= count; }, kLongPatience);
}

void Innocent::ping() {
    client_.send({{"type", "ping"}});
    for (std::string type; type != "pong";) {
        type = client_.receive().value("type", "");
        if (type == "message") ++messages_;
    }
}

Courier::Courier(std::uint16_t port, std::string token, std::vector<std::string> recipients)
    : client_(port, std::move(token)),
      recipients_(std::move(recipients)),
      sends_("courier", kSendInterval, [this] { send_to_each(); }) {}

Courier::Figures Courier::stop() {
    sends_.end();
    const Bystander::Figures sends = sends_.figures();
    return {sends.answers, sent_to_each_, sends.trouble};
}

void Courier::send_to_each() {
    for (const std::string& recipient : recipients_) {
        const auto answer = client_.post(
            "/api/message", {{"to", recipient}, {"payload", {{"text", "still there?"}}}});
        if (answer.status != 200) {
            throw std::runtime_error(std::to_string(answer.status) + " " + answer.body);
        }
    }
    ++sent_to_each_;
}

}  // namespace agentcom::test
