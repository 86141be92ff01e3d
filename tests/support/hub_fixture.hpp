#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "agentcom/core/time.hpp"
#include "agentcom/core/token.hpp"
#include "agentcom/delivery/event_loop.hpp"
#include "agentcom/net/endpoint.hpp"
#include "agentcom/router/router.hpp"
#include "agentcom/store/store.hpp"
#include "support/logging.hpp"
#include "support/socket_client.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::test {

struct HubSettings {
    net::Limits limits{};
    router::RouterOptions router{};
    std::optional<net::TlsOptions> tls{};
    std::size_t loops = 2;
    std::size_t output_bytes = delivery::LoopGroup::kDefaultOutputBytes;
    std::vector<std::string> trusted_proxies{};
    std::vector<std::string> allowed_origins{};
    std::vector<std::string> allowed_hosts{};
    std::string base_path{};
};

/// A whole hub inside the test's process: real store in a directory of its own, event loops on
/// their threads, router, endpoint on a free port. Its clock stands still until the test moves it.
class Hub {
public:
    static constexpr const char* kDashboard = "<!doctype html><title>Hub</title>";
    /// Of which nothing depends on its being compressed indeed.
    static constexpr net::Asset kAsset{"dashboard-0123456789abcdef.js",
                                       "text/javascript; charset=utf-8", "export {};", "packed"};
    static net::Site site() {
        net::Site site;
        site.dashboard_html = kDashboard;
        site.assets = {&kAsset, 1};
        return site;
    }

    explicit Hub(HubSettings settings = {})
        : settings_(together(std::move(settings))),
          store_(store::Store::open(
              {.directory = dir_.path() / "data", .map_size = std::size_t{1} << 30}, clock_)),
          loops_(settings_.loops, *store_, clock_, settings_.output_bytes),
          router_(settings_.router, *store_, loops_, clock_),
          endpoint_(std::make_unique<net::Endpoint>(options_of(settings_), loops_, router_, clock_,
                                                    site())) {
        make_log_registry();
        store_->start(&loops_);
        admin_token_ = create_token("admin", core::Role::admin);
        endpoint_->start();
        for (std::size_t i = 0; i < loops_.size(); ++i) {
            threads_.emplace_back([this, i] { loops_[i].run(); });
        }
    }
    ~Hub() {
        endpoint_->begin_shutdown();
        endpoint_->abort_all();
        const auto deadline = std::chrono::steady_clock::now() + kPatience;
        while (open_connections() > 0 && std::chrono::steady_clock::now() < deadline) settle();
        store_->stop();
        for (std::size_t i = 0; i < loops_.size(); ++i) loops_[i].stop();
        for (std::thread& thread : threads_) thread.join();
    }
    Hub(const Hub&) = delete;
    Hub& operator=(const Hub&) = delete;

    [[nodiscard]] std::uint16_t port() const { return endpoint_->port(); }
    [[nodiscard]] const std::string& admin_token() const { return admin_token_; }
    [[nodiscard]] core::ManualClock& clock() { return clock_; }
    [[nodiscard]] store::Store& store() { return *store_; }
    [[nodiscard]] router::Router& router() { return router_; }
    [[nodiscard]] delivery::LoopGroup& loops() { return loops_; }
    [[nodiscard]] net::Endpoint& endpoint() { return *endpoint_; }
    [[nodiscard]] std::uint64_t open_connections() const { return endpoint_->open_connections(); }

    /// A fresh token for the agent.
    [[nodiscard]] std::string create_token(const std::string& agent,
                                           core::Role role = core::Role::agent) {
        const core::Token token = core::Token::generate();
        const auto created = store_->submit_and_wait(store::CreateToken{
            core::AgentId::parse(agent).value(), token.digest(), token.prefix(), role});
        if (!created) throw std::runtime_error("token: " + created.error().wire_name());
        return token.reveal();
    }

    /// So much time passes for the whole hub, in steps of which it takes no notice as being held
    /// up.
    void pass(core::Millis time) {
        for (; time.count() > 0; time -= kStep) {
            clock_.advance(std::min(time, kStep));
            endpoint_->sweep();
            settle();
        }
    }

    /// What of these settings may change while it runs is so from now on. Throws, and changes
    /// nothing, when they cannot be used.
    void reload(HubSettings settings) {
        settings = together(std::move(settings));
        const auto put_into_force = endpoint_->prepare(options_of(settings));
        put_into_force();
        router_.set_limits(settings.router);
        settle();
    }

    /// Waits until every loop has done what was handed to it before this call, and has written
    /// what came of it.
    void settle() {
        std::vector<std::future<void>> done;
        for (std::size_t i = 0; i < loops_.size(); ++i) {
            auto mark = std::make_shared<Mark>();
            done.push_back(mark->written.get_future());
            // A loop writes when it has nothing else to do, in the order of what was marked: seen
            // from outside it may take several steps of the clock in one turn.
            loops_[i].post([mark, &loop = loops_[i]] {
                mark->self = mark;
                loop.mark_dirty(*mark);
            });
        }
        for (auto& each : done) {
            if (each.wait_for(kPatience) != std::future_status::ready) {
                throw std::runtime_error("a loop does not answer");
            }
        }
    }
    /// Waits until so many connections are open. False when patience runs out.
    [[nodiscard]] bool wait_for_connections(std::uint64_t count) {
        const auto deadline = std::chrono::steady_clock::now() + kPatience;
        while (open_connections() != count) {
            if (std::chrono::steady_clock::now() > deadline) return false;
            settle();
        }
        settle();
        return true;
    }

private:
    /// The last in a loop's list of what is to be written.
    struct Mark final : delivery::Flushable {
        /// Behind those with much to write, too.
        [[nodiscard]] std::size_t pending() noexcept override { return SIZE_MAX; }
        void flush() override {
            written.set_value();
            self.reset();
        }
        std::promise<void> written;
        std::shared_ptr<Mark> self;  // until then
    };

    /// What the application derives from one setting for several rooms.
    static HubSettings together(HubSettings settings) {
        settings.router.max_frame_bytes = settings.limits.max_frame_bytes;
        return settings;
    }

    static net::EndpointOptions options_of(const HubSettings& settings) {
        return {.port = 0,
                .base_path = settings.base_path,
                .trusted_proxies = settings.trusted_proxies,
                .allowed_origins = settings.allowed_origins,
                .allowed_hosts = settings.allowed_hosts,
                .public_url = {},
                .limits = settings.limits,
                .tls = settings.tls};
    }

    static constexpr core::Millis kStep{1'000};
    HubSettings settings_;
    TempDir dir_;
    core::ManualClock clock_;
    std::unique_ptr<store::Store> store_;
    delivery::LoopGroup loops_;
    router::Router router_;
    std::unique_ptr<net::Endpoint> endpoint_;
    std::string admin_token_;
    std::vector<std::thread> threads_;
};

}  // namespace agentcom::test
