#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agentcom/delivery/session.hpp"

namespace agentcom::test {

/// Events as they are, one after the other.
class PlainFraming final : public delivery::Framing {
public:
    void append(std::string& out, std::string_view text, core::Seq) const override { out += text; }
};
inline const PlainFraming kPlainFraming;

/// A session without a socket: remembers what it was asked for.
class RecordingSession final : public delivery::Session {
public:
    explicit RecordingSession(std::string_view agent, delivery::OutboxLimits limits = {},
                              const delivery::Framing& framing = kPlainFraming)
        : Session(framing, limits) {
        set_identity({.agent = *core::AgentId::parse(agent), .session_id = 1});
    }

    /// All bytes that wait to be written.
    [[nodiscard]] std::string waiting() {
        std::string all;
        std::string_view views[64];
        const std::size_t count = outbox().gather(views, 64);
        for (std::size_t i = 0; i < count; ++i) all.append(views[i]);
        return all;
    }

    int flush_requests = 0;
    std::vector<protocol::CloseCode> closes;

private:
    void request_flush() override { ++flush_requests; }
    void begin_close(protocol::CloseCode code) override { closes.push_back(code); }
};

}  // namespace agentcom::test
