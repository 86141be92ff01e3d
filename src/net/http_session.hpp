#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "agentcom/protocol/replies.hpp"
#include "net/connection.hpp"
#include "net/http_request.hpp"
#include "net/request_reader.hpp"

namespace agentcom::net {

/// One HTTP/1.1 connection: keep-alive, requests one after the other (what a client pipelines waits
/// in the stream). At /ws it hands its stream to a WsSession, for a stream of events to an
/// SseSession.
class HttpSession final : public Connection, private delivery::Debtor {
public:
    HttpSession(std::shared_ptr<Shard> shard, std::shared_ptr<BufferedStream> stream,
                Visitor visitor);
    static void start(std::shared_ptr<HttpSession> session);

    void sweep(core::SteadyTime now) override;
    void begin_shutdown() override { notify(); }
    [[nodiscard]] delivery::Outbox& output() override { return outbox_; }

private:
    enum class Phase : std::uint8_t { handshake, idle, reading, working, lingering, over };
    enum class Next : std::uint8_t { another_request, close, abandon, hand_over };
    enum class Received : std::uint8_t { complete, refused, gone };

    static Awaitable<void> run(std::shared_ptr<HttpSession> self);
    /// False when the connection ended, or has been idle for too long.
    Awaitable<bool> first_byte(core::Millis patience);
    void skip_empty_lines();
    /// An answer to a wrong token counts against its address, and may become another.
    [[nodiscard]] HttpAnswer judge(HttpAnswer answer);
    /// To whoever speaks HTTP without TLS where it is expected.
    void explain_tls();
    [[nodiscard]] bool came_by_https(const HttpHead& head) const;
    /// Whether who asks is on this machine, as far as that can be known.
    [[nodiscard]] bool is_local(const RequestReader& reader) const;
    /// Whatever throws in it is answered as an error of the hub.
    Awaitable<Next> answer_one();
    /// What is to be done for a request; or what follows, when no more need be done for it than,
    /// at `hand_over`, to make way for `successor_`.
    using Taken = std::variant<Next, BodyStep>;
    /// Receives one request and decodes it, or answers it already. What it took is gone after it.
    Awaitable<Taken> take_request();
    /// Read as far as the name says; a bad request is answered with an error.
    Awaitable<Received> receive_header(RequestReader& reader);
    Awaitable<Received> receive_body(RequestReader& reader);
    /// Waits for more than is at hand. An error when the request will not be completed.
    Awaitable<std::optional<core::ErrorCode>> more_input(const RequestReader& reader);
    /// An answer that needs no body: given at once, and a body of moderate size is passed over.
    Awaitable<Next> answer_early(RequestReader& reader, HttpAnswer answer);
    /// Waits until the connection can go on as what `successor_` says.
    Awaitable<Next> make_way();
    Awaitable<Next> respond(BodyStep step);
    /// Asks the router what the call needs, until only its answer is left. False when the client
    /// has gone away meanwhile.
    Awaitable<bool> follow(McpCall& call);
    /// The current request has shown this agent's token. False when the agent holds as many
    /// connections as it may.
    [[nodiscard]] bool vouch_for(const core::AgentId& agent);
    /// Who the WebSocket session is to take this connection for; without a place when the address
    /// has none left.
    [[nodiscard]] Visitor leave_as();
    /// So many bytes of the current request are kept while it waits. False when there is no memory
    /// left for that.
    [[nodiscard]] bool hold(std::uint64_t bytes);
    /// Counts an answer that is to be sent. False when its asker has taken too little of earlier
    /// ones, over all connections.
    [[nodiscard]] bool owe(std::uint64_t bytes);
    /// Who it is that holds or owes something: the agent, or the address.
    [[nodiscard]] std::string owner() const;
    /// Nothing when the client has gone away meanwhile.
    Awaitable<std::optional<protocol::Reply>> ask(RouterCall call);
    void on_reply(std::uint64_t number, protocol::Reply&& reply);
    [[nodiscard]] static Next after(Received failed) noexcept;
    /// Answers the current request with an error, after which nothing can follow.
    Received refuse(core::ErrorCode code);
    /// The request is refused before the router is asked, or instead.
    void count_refusal(core::ErrorCode code) noexcept;
    /// The error of a request for which there is no room, counted.
    core::Error overloaded() noexcept;
    Received give_up(core::ErrorCode code);
    /// The head of the current request has been read as far as it could be, which says how it is to
    /// be answered, also with a refusal; and who asks, if it is complete.
    void note_head(const RequestReader& reader);
    /// A token that stands in the body alone is looked at, unless its address has to wait.
    [[nodiscard]] BodyStep interpret_body(const HttpHead& head, router::Caller& caller,
                                          Admission& admission, std::string_view body);
    /// Who asks must also listen before more is answered.
    [[nodiscard]] bool owes_much();
    Awaitable<void> let_output_drain();
    void send(HttpAnswer answer, AnswerForm form);
    /// What has come of the current request, for whoever follows each of them in the log.
    void tell(std::string_view outcome) const;
    /// Of an answer that begins or ends a session in a browser; empty: of another.
    [[nodiscard]] std::string cookie_of(const protocol::Reply& reply) const;
    [[nodiscard]] HttpAnswer encode(protocol::Reply&& reply, bool hint);
    /// An answer cannot be ended in the middle: the connection is.
    void foreclose() override;
    void on_output(core::Seq seq) override;
    void enter(Phase phase, std::optional<core::Millis> limit = {});
    void hand_over();

    delivery::Outbox outbox_;
    Visitor visitor_;
    // Of the current request:
    Address from_;                        // who asks, behind trusted proxies
    AnswerForm form_;                     // how it is answered, as far as it has been read
    const Route* route_ = nullptr;        // that was asked for; null: none, or not known yet
    std::string asked_for_;               // verb and path, when that is logged; or empty
    std::optional<core::AgentId> asker_;  // if its token was valid
    bool wrong_token_shown_ = false;
    bool by_https_ = false;         // how the current request came, as far as that can be known
    Shares::Holding owed_;          // bytes of answers that have not been taken, likewise
    Shares::Holding held_;          // bytes, of `asker_` or the address
    Shares::Holding agents_place_;  // this connection, of the first agent that asked over it
    Phase phase_ = Phase::idle;
    bool timed_out_ = false;  // the deadline of `idle` or `reading` has passed
    std::optional<core::SteadyTime> deadline_;
    std::uint64_t asked_ = 0;  // number of the newest question to the router
    std::optional<protocol::Reply> reply_;
    /// What the connection goes on as.
    std::optional<std::variant<Upgrade, StreamWish>> successor_;
};

}  // namespace agentcom::net
