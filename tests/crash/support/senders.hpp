#pragma once

#include "crash/support/party.hpp"

namespace agentcom::test {

/// Sends and publishes over a WebSocket, many at a time, with all other frames in between.
class FrameSender final : public WsParty {
public:
    FrameSender(Tally& tally, std::string token, Stream stream, std::string toggled_channel);

    void send(Random& random) override;
    void verify(const Stored& stored, std::uint16_t port) override;
    [[nodiscard]] const Stream& stream() const noexcept { return stream_; }

private:
    void connection_lost() override { stream_.connection_lost(); }
    void toggle();

    Stream stream_;
    std::string toggled_channel_;
    Doubt<bool> subscribed_{false};
};

/// Sends and publishes over HTTP and reads what is there.
class HttpSender final : public HttpParty {
public:
    HttpSender(Tally& tally, std::string token, Stream stream);

    void send(Random& random) override;
    void verify(const Stored& stored, std::uint16_t port) override;
    [[nodiscard]] const Stream& stream() const noexcept { return stream_; }

private:
    void connection_lost() override { stream_.connection_lost(); }

    Stream stream_;
};

/// Polls a mailbox over HTTP and acknowledges what it was shown.
class PollingReader final : public HttpParty {
public:
    PollingReader(Tally& tally, std::string token, MailboxLedger ledger);

    void send(Random& random) override;
    void verify(const Stored& stored, std::uint16_t port) override;

private:
    void acknowledge();

    MailboxLedger ledger_;
};

/// Reads over a WebSocket with acks.
class AcksReader final : public WsParty {
public:
    AcksReader(Tally& tally, std::string token, MailboxLedger ledger);

    void send(Random& random) override;
    void verify(const Stored& stored, std::uint16_t port) override;

private:
    void connection_lost() override;
    void ack_refused() override;
    void pushed(const nlohmann::json& frame) override;

    MailboxLedger ledger_;
    std::uint64_t told_ = 0;  // newest ack of this connection that was not refused
    std::size_t refusals_ = 0;
    std::vector<std::vector<std::uint64_t>> pushes_{1};  // of each connection
};

}  // namespace agentcom::test
