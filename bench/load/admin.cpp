#include <random>
#include <stdexcept>

#include "scenarios.hpp"

namespace agentcom::bench {

namespace {

constexpr std::int64_t kPatience = 120'000'000'000;  // ns
constexpr std::size_t kPipelined = 64;

std::string post(const std::string& path, const std::string& token, const std::string& body) {
    return "POST " + path + " HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer " + token +
           "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

}  // namespace

namespace {
std::string& present_tag() {
    static std::string tag;
    return tag;
}
}  // namespace

const std::string& run_tag() { return present_tag(); }

void begin_run() {
    std::random_device random;
    present_tag() = "b" + std::to_string(random() % 1'000'000'000);
}

std::vector<std::string> Admin::create_tokens(const std::vector<std::string>& agents) {
    std::vector<std::string> tokens;
    if (agents.empty()) return tokens;
    tokens.reserve(agents.size());
    Poller poller(options_.target);
    std::size_t asked = 0;
    Connection& connection = poller.connect(Connection::Kind::http, 0);
    const auto ask = [&] {
        while (asked < agents.size() && asked - tokens.size() < kPipelined) {
            connection.send_raw(post("/admin/tokens", options_.admin_token,
                                     "{\"agent_id\":\"" + agents[asked] + "\"}"));
            ++asked;
        }
    };
    connection.on_text([&](Connection& self, std::string_view body) {
        constexpr std::string_view kKey = "\"token\":\"";
        const std::size_t at = body.find(kKey);
        if (self.status() != 201 || at == std::string_view::npos) {
            throw std::runtime_error("the hub refused a token: " + std::string(body));
        }
        tokens.emplace_back(body.substr(at + kKey.size(), 64));
        ask();
    });
    ask();
    if (!poller.run_until([&] { return tokens.size() == agents.size(); }, now_ns() + kPatience)) {
        throw std::runtime_error("the hub was too slow to create tokens");
    }
    return tokens;
}

void Admin::create_channel(const std::string& name, const std::string& token) {
    Poller poller(options_.target);
    bool done = false;
    Connection& connection = poller.connect(Connection::Kind::http, 0);
    connection.on_text([&](Connection& self, std::string_view body) {
        if (self.status() != 201) {
            throw std::runtime_error("the hub refused a channel: " + std::string(body));
        }
        done = true;
    });
    connection.send_raw(post("/api/channels", token, "{\"name\":\"" + name + "\"}"));
    if (!poller.run_until([&] { return done; }, now_ns() + kPatience)) {
        throw std::runtime_error("the hub was too slow to create a channel");
    }
}

}  // namespace agentcom::bench
