#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agentcom/core/ids.hpp"
#include "agentcom/core/seq.hpp"
#include "agentcom/core/token.hpp"
#include "agentcom/delivery/framing.hpp"
#include "agentcom/delivery/outbox.hpp"
#include "agentcom/delivery/sliced_list.hpp"
#include "agentcom/protocol/codec.hpp"
#include "agentcom/store/records.hpp"

namespace agentcom::delivery {

/// The identity of one identified connection or stream; empty before `identify` succeeded.
struct SessionIdentity {
    core::AgentId agent;
    core::Role role = core::Role::agent;
    std::uint64_t session_id = 0;
    bool acks = false;
    bool presence = true;
    bool echo = true;
    bool stream = false;        // of messages and nothing else, beside the agent's connection
    core::TokenDigest token{};  // that it has identified itself with
    std::optional<core::Timestamp> expires_at{};     // of that token, as far as is known
    std::optional<core::TokenDigest> web_session{};  // in a browser, that stood for the token
};

class PresenceFeed;

/// Where a session stands in the lists of its loop's registry, and what it has been told of
/// presence. The registry's business.
struct SessionListing {
    std::uint64_t presence_seen = 0;  // version of the newest change that it has been told
    PresenceFeed* feed = nullptr;     // while it wants presence frames
    std::uint32_t session_place = 0;
    std::uint32_t watcher_place = 0;
    bool watching = false;
    bool stalled = false;  // it is told more when its outbox has room
};

/// One stream of events to an agent, a WebSocket connection for instance, as delivery and the
/// router see it: identity, outbox, state of its mailbox. Owned by the connection in net; belongs
/// to one event loop's thread, so no member is locked. The registry holds plain pointers: a session
/// leaves it before it is destroyed.
class Session : public Debtor {
public:
    /// The framing must outlive the session. `account` may be null: then its output is not counted.
    Session(const Framing& framing, OutboxLimits limits, OutputAccount* account = nullptr)
        : framing_(framing), outbox_(limits, account, this) {}
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    [[nodiscard]] const std::optional<SessionIdentity>& identity() const noexcept {
        return identity_;
    }
    void set_identity(SessionIdentity identity) { identity_ = std::move(identity); }

    /// How its stream carries events.
    [[nodiscard]] const Framing& framing() const noexcept { return framing_; }

    /// Appends the bytes of a message, made with its framing, and asks for a flush. When half of
    /// the outbox is taken, this message and what comes after it are left to the backlog reader: a
    /// burst that comes faster than any socket takes it says nothing about whoever reads it.
    void push_message(const FramedBytes& frame, core::Seq seq);
    /// The same of what stands in no mailbox. When the outbox is full the session is closed as a
    /// slow consumer.
    void push(const SharedBytes& frame, core::Seq seq = {});
    void push(const FramedBytes& frame, core::Seq seq = {});
    void push(std::string_view frame, core::Seq seq = {});
    /// A part of shared bytes, complete frames.
    void push_part(const SharedBytes& frames, std::string_view part);
    /// The same of what is no message, also for one whose messages are replaced.
    void push_event(const SharedBytes& event);
    /// The same of several events, which many are sent and which may be larger than the outbox.
    void push_events(const std::shared_ptr<const core::Pieces>& events);
    /// Instead of messages these bytes are sent, for one that is told that something has come and
    /// reads it elsewhere. While they wait to be written what comes is told by one more. Empty: it
    /// is told nothing.
    void replace_messages(std::string notice) { notice_ = std::move(notice); }
    /// Sends them, because of this message.
    void push_notice(core::Seq seq);
    /// For net, after `on_written`: sends the one more, if it is due.
    void push_due_notice();
    /// Appends an event, given as its JSON text, that is paced by whoever sends it and so never
    /// overflows, and asks for a flush.
    void send_paced(std::string_view text, core::Seq seq);
    /// To be called after appending to the outbox directly; `was_empty`: before that.
    void appended(bool was_empty);

    /// Ends the connection with this code, once; later calls do nothing. Returns at once.
    void close(protocol::CloseCode code);
    void foreclose() override { close(protocol::CloseCode::slow_consumer); }
    [[nodiscard]] bool closing() const noexcept { return closing_; }

    [[nodiscard]] Outbox& outbox() noexcept { return outbox_; }

    /// For net: the bytes up to this message have been handed to the operating system.
    void on_written(core::Seq seq) noexcept;
    /// Where the position of `on_written` is published for the mailbox service.
    void set_read_position(std::shared_ptr<std::atomic<std::uint64_t>> position) {
        read_position_ = std::move(position);
    }

    /// Takes it back when the connection ends.
    [[nodiscard]] std::shared_ptr<std::atomic<std::uint64_t>> take_read_position() {
        return std::exchange(read_position_, nullptr);
    }

    /// True while an acks session is still being sent its backlog, and while one has fallen behind:
    /// live messages are then left to the backlog reader (Router::continue_backlog), so that order
    /// holds.
    [[nodiscard]] bool catching_up() const noexcept { return catching_up_; }
    void set_catching_up(bool on) noexcept { catching_up_ = on; }
    /// Newest message when the connection began: up to it a loop that lags pushes nothing.
    core::Seq begins_after;
    /// For the backlog reader: where the backlog begins, as far as that is known; up to which
    /// message it has been pushed; whether the next stretch is due in another turn of the loop.
    /// Without acks what waits at the beginning is not pushed, and so passed.
    store::MailboxView backlog_start;
    core::Seq backlog_position;
    bool backlog_due = false;

    /// What the session takes of a quota, given back by its end; the router's business.
    std::shared_ptr<void> quota_place;
    /// rate_limited errors in a row, the router's business.
    std::uint64_t rate_warnings = 0;
    /// Channels this session is listed under in its loop's registry.
    std::vector<ListedChannel> channels;
    SessionListing listing;

protected:
    /// Asks the connection to write the outbox when its loop runs dry. Called once per transition.
    virtual void request_flush() = 0;
    /// Begins the closing handshake with this code.
    virtual void begin_close(protocol::CloseCode code) = 0;

private:
    const Framing& framing_;
    Outbox outbox_;
    std::optional<SessionIdentity> identity_;
    std::shared_ptr<std::atomic<std::uint64_t>> read_position_;
    std::optional<std::string> notice_;
    bool notice_waits_ = false;
    core::Seq notice_due_;  // of what has come since; 0: nothing
    bool closing_ = false;
    bool catching_up_ = false;
};

}  // namespace agentcom::delivery
