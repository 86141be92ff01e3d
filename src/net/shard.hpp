#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agentcom/core/log_fields.hpp"
#include "agentcom/core/log_limit.hpp"
#include "agentcom/core/time.hpp"
#include "agentcom/core/token.hpp"
#include "agentcom/delivery/event_loop.hpp"
#include "agentcom/net/endpoint.hpp"
#include "agentcom/router/router.hpp"
#include "agentcom/webhooks/sessions.hpp"
#include "net/address.hpp"
#include "net/address_table.hpp"
#include "net/await.hpp"
#include "net/documents.hpp"
#include "net/loop_clock.hpp"
#include "net/shared_answers.hpp"
#include "net/shares.hpp"
#include "net/site_policy.hpp"
#include "net/tls.hpp"

namespace agentcom::net {

class Connection;

/// What a connection may have sent ahead of what its session has taken, in bytes: as much as makes
/// reading cheap for those who are known, and a header for all others.
inline constexpr std::size_t kInputAtHand = std::size_t{64} * 1024;
inline constexpr std::size_t kInputOfStrangers = std::size_t{16} * 1024;

/// What a storm of connections may write to the log, per kind of line and event loop.
struct ConnectionLog {
    static constexpr std::uint32_t kLines = 10;
    static constexpr core::Millis kInterval{1'000};
    core::LogLimit opened{kLines, kInterval};
    core::LogLimit identified{kLines, kInterval};
    core::LogLimit ended{kLines, kInterval};
    core::LogLimit failed_handshakes{kLines, kInterval};
    core::LogLimit exceptions{kLines, kInterval};
    core::LogLimit wrong_tokens{kLines, kInterval};
    core::LogLimit failed_requests{kLines, kInterval};
};

/// What strangers may do, whose connections have a part of all there are.
[[nodiscard]] AddressTable::Limits limits_of_strangers(const Limits& limits);

/// What all loops of one endpoint share. Constant once the endpoint accepts, except what counts.
struct Shared {
    /// `output_bytes`: the most that may wait to be written in the whole hub.
    Shared(const EndpointOptions& options, router::Router& router, const core::Clock& clock,
           Site site, std::size_t output_bytes);
    router::Router& router;
    const core::Clock& clock;
    Limits limits;
    Documents documents;
    std::string base_path;           // see EndpointOptions
    std::string cookie_name;         // of sessions in browsers
    std::unique_ptr<ServerTls> tls;  // null: plain text
    /// Accepted and not yet closed, over all loops.
    std::shared_ptr<std::atomic<std::uint64_t>> open =
        std::make_shared<std::atomic<std::uint64_t>>(0);
    TrustedProxies proxies;
    std::shared_ptr<AddressTable> addresses;
    /// Tells in the log about wrong tokens, at most once a minute. Any thread.
    void report_wrong_tokens();
    std::atomic<core::SteadyTime> wrong_tokens_reported{core::SteadyTime{}};
    std::shared_ptr<Shares> input;        // bytes of what has come in part, by agent or address
    std::shared_ptr<Shares> output;       // bytes of answers that have not been taken, likewise
    std::shared_ptr<Shares> connections;  // with a valid token, by agent
    webhooks::Sessions hooked_sessions;   // of coding agents whose hooks ask the hub itself
};

/// Where a connection comes from. It holds a place of its address until somebody vouches for it; a
/// trusted proxy holds none, because it comes for many.
struct Visitor {
    Address address;  // behind a trusted proxy its own, until a request says for whom it comes
    AddressTable::Place place;
    bool through_proxy = false;
};

/// The connections of one event loop; its members are for that loop's thread. A connection is owned
/// by its coroutine and listed here for as long as it exists.
class Shard {
public:
    Shard(std::shared_ptr<Shared> shared, delivery::EventLoop& loop,
          std::shared_ptr<const SitePolicy> sites);

    [[nodiscard]] delivery::EventLoop& loop() noexcept { return loop_; }
    [[nodiscard]] router::Router& router() noexcept { return shared_->router; }
    /// By which deadlines are judged; see there.
    [[nodiscard]] const core::Clock& clock() const noexcept { return clock_; }
    [[nodiscard]] const Limits& limits() const noexcept { return shared_->limits; }
    [[nodiscard]] const Documents& documents() const noexcept { return shared_->documents; }
    [[nodiscard]] const std::string& base_path() const noexcept { return shared_->base_path; }
    [[nodiscard]] const std::string& cookie_name() const noexcept { return shared_->cookie_name; }
    [[nodiscard]] SharedAnswers& shared_answers() noexcept { return shared_answers_; }
    /// A header must fit as a whole; everything else is consumed as it comes.
    [[nodiscard]] std::size_t max_input_of_strangers() const noexcept {
        return std::max<std::size_t>(kInputOfStrangers, limits().max_header_bytes);
    }
    [[nodiscard]] ConnectionLog& log() noexcept { return log_; }
    [[nodiscard]] bool shutting_down() const noexcept { return shutting_down_; }
    [[nodiscard]] const TrustedProxies& proxies() const noexcept { return shared_->proxies; }
    /// Whose pages may use the hub; until this loop is given another one.
    [[nodiscard]] const SitePolicy& sites() const noexcept { return *sites_; }
    void set_sites(std::shared_ptr<const SitePolicy> sites) noexcept { sites_ = std::move(sites); }
    [[nodiscard]] AddressTable& addresses() const noexcept { return *shared_->addresses; }
    /// One from this address asks without a valid token; false when it does so too often.
    [[nodiscard]] bool admit_stranger(const Address& address) const {
        return addresses().spend(address_key(address), shared_->clock.steady());
    }
    /// One from this address has shown a token that nobody holds: how long it has to wait now.
    /// `fields`: of its request, for the log.
    core::Millis note_wrong_token(const Address& address,
                                  std::span<const core::LogField> fields = {});
    /// Of the next request of all on this loop; those of other loops are unlikely to be the same.
    [[nodiscard]] std::uint64_t next_request() noexcept { return next_request_++; }
    /// How long no token from this address is looked at; not positive: it may be. Loopback never
    /// waits for the failures of others: a good token is taken at any time.
    [[nodiscard]] core::Millis wait_before_token(const Address& address) const;
    [[nodiscard]] Shares& input() const noexcept { return *shared_->input; }
    [[nodiscard]] Shares& output() const noexcept { return *shared_->output; }
    [[nodiscard]] webhooks::Sessions& hooked_sessions() const noexcept {
        return shared_->hooked_sessions;
    }
    [[nodiscard]] Shares& agent_connections() const noexcept { return *shared_->connections; }

    /// Starts to serve an accepted socket, which has been counted in `Shared::open`.
    static void adopt(const std::shared_ptr<Shard>& shard, Socket socket, Visitor visitor);

    void add(Connection& connection);
    void remove(Connection& connection);

    /// About once a second: time-outs.
    void sweep();
    void begin_shutdown();
    void abort_all();
    /// Lets go of every suspended coroutine. Only when the loop does not run any more.
    void drop_suspended();

    /// Wakes the connections that hold back requests because the pipeline was saturated, once it
    /// is not any more. Called whenever the store says so or a reply comes.
    void reply_came();
    void wait_for_pipeline(const std::shared_ptr<Connection>& connection);

private:
    std::shared_ptr<Shared> shared_;
    delivery::EventLoop& loop_;
    std::shared_ptr<const SitePolicy> sites_;
    SharedAnswers shared_answers_;
    LoopClock clock_;
    std::vector<Connection*> connections_;
    std::vector<std::weak_ptr<Connection>> held_back_;
    ConnectionLog log_;
    bool shutting_down_ = false;
    std::uint64_t next_request_ = core::random_u64();
};

}  // namespace agentcom::net
