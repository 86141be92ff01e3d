#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "crash/support/ledger.hpp"
#include "support/socket_client.hpp"

namespace agentcom::test {

/// How often what was asked, by the name of the frame or "VERB /path".
using Tally = std::map<std::string, std::size_t>;

/// A client that asks at random and keeps book of what it was told.
class Party {
public:
    explicit Party(Tally& tally) : tally_(tally) {}
    virtual ~Party() = default;
    Party(const Party&) = delete;
    Party& operator=(const Party&) = delete;

    /// A new connection; of the one before nothing will come any more.
    virtual void connect(std::uint16_t port) = 0;
    /// One more request.
    virtual void send(Random& random) = 0;
    /// Waits for the answer to the oldest request. Throws std::runtime_error when the connection
    /// has ended.
    virtual void receive() = 0;
    [[nodiscard]] virtual std::size_t in_flight() const = 0;
    [[nodiscard]] virtual std::size_t window() const { return 1; }
    /// Compares with what a restarted hub has, and settles what was in doubt.
    virtual void verify(const Stored& stored, std::uint16_t port) = 0;

protected:
    void count(const std::string& what) { ++tally_[what]; }

private:
    Tally& tally_;
};

/// What an answer over HTTP leaves of a change that was asked for.
enum class Outcome : std::uint8_t { done, refused, unknown };
/// done: 2xx; refused: the hub says that nothing was stored; unknown: it cannot say. Anything else
/// is a failure of the test.
[[nodiscard]] Outcome outcome(const HttpClient::Response& answer, const std::string& what);
/// The same of the error frames; nothing when it is no error.
[[nodiscard]] Outcome outcome(const nlohmann::json& frame);

/// One request at a time over one HTTP connection.
class HttpParty : public Party {
public:
    HttpParty(Tally& tally, std::string token) : Party(tally), token_(std::move(token)) {}

    void connect(std::uint16_t port) override;
    void receive() override;
    [[nodiscard]] std::size_t in_flight() const override { return waiting_ ? 1 : 0; }

protected:
    using Answered = std::function<void(const HttpClient::Response&)>;

    void ask(const std::string& verb, const std::string& path, const nlohmann::json* body,
             Answered answered);
    void get(const std::string& path, Answered answered = {});
    void post(const std::string& path, const nlohmann::json& body, Answered answered);
    [[nodiscard]] const std::string& token() const noexcept { return token_; }
    virtual void connection_lost() {}

private:
    std::string token_;
    std::unique_ptr<HttpClient> http_;
    Answered waiting_;
    std::string asked_;
};

/// Many requests at a time over one WebSocket; pushes come in between.
class WsParty : public Party {
public:
    WsParty(Tally& tally, std::string agent, std::string token, nlohmann::json options)
        : Party(tally),
          agent_(std::move(agent)),
          token_(std::move(token)),
          options_(std::move(options)) {}

    void connect(std::uint16_t port) override;
    void receive() override;
    [[nodiscard]] std::size_t in_flight() const override { return waiting_.size(); }
    [[nodiscard]] std::size_t window() const override { return 16; }

protected:
    using Answered = std::function<void(const nlohmann::json&)>;

    void ask(const nlohmann::json& frame, Answered answered = {});
    /// A frame that has no answer.
    void tell(const nlohmann::json& frame);
    /// Takes the pushes that have come.
    void take_pushes();
    /// `ref` of the frames `ack`, which are answered only when they fail.
    static constexpr const char* kAckRef = "ack";
    virtual void ack_refused() {}
    virtual void connection_lost() {}
    virtual void pushed(const nlohmann::json& /*frame*/) {}
    [[nodiscard]] const std::string& agent() const noexcept { return agent_; }
    [[nodiscard]] const std::string& token() const noexcept { return token_; }

private:
    bool take_frame();

    std::string agent_;
    std::string token_;
    nlohmann::json options_;
    std::unique_ptr<WsClient> socket_;
    std::deque<Answered> waiting_;
};

}  // namespace agentcom::test
