#include "app/server.hpp"

#include <pthread.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <fstream>
#include <iterator>
#include <utility>

#include "agentcom/core/private_file.hpp"
#include "agentcom/store/opening.hpp"
#include "app/config_values.hpp"
#include "app/site.hpp"

namespace agentcom::app {
namespace {

/// How long connections that were cut may take to be torn down by their loops.
constexpr core::Millis kAbortTimeout{2'000};

/// Without room a token cannot be stored, but what is stored can be read.
void ensure_administrator(store::Store& store, const Config& config,
                          const std::optional<GivenToken>& given, bool store_is_new) {
    try {
        if (const auto file = ensure_admin_token(store, config, given, store_is_new)) {
            spdlog::info("the token of the agent {} is in {}", kFirstAdmin, file->string());
        }
    } catch (const core::FileError& error) {
        if (!error.no_room()) throw;
        spdlog::warn("there is no administrator's token: {}", error.what());
    } catch (const NoRoomForToken& error) {
        spdlog::warn("{}", error.what());
    }
}

net::Site site(const Config& config) {
    return {.dashboard_html = std::string(dashboard_html()),
            .assets = dashboard_assets(),
            .home_html = std::string(home_html()),
            .llms_txt = std::string(llms_txt()),
            .skill_md = std::string(skill_md()),
            .max_profile_bytes = config.router.max_profile_bytes,
            .max_payload_bytes = config.router.max_frame_bytes - router::kFrameOverheadBytes,
            .anonymous_reads = config.router.anonymous_reads,
            .anonymous_metrics = config.router.metrics_access != router::MetricsAccess::token};
}

}  // namespace

Server::Server(Config config, const core::Clock& clock,
               const std::optional<GivenToken>& admin_token, router::Router::Reloader reloader)
    : config_(std::move(config)),
      store_is_new_(!store::holds_store(config_.store.directory)),
      store_(store::Store::open(config_.store, clock)),
      loops_(config_.event_loops(), *store_, clock, config_.output_bytes),
      router_(config_.router, *store_, loops_, clock),
      endpoint_(config_.endpoint, loops_, router_, clock, site(config_)) {
    if (reloader) router_.set_reloader(std::move(reloader));
    RunFile::remove_stale(config_.store.directory);
    store_->start(&loops_);
    try {
        ensure_administrator(*store_, config_, admin_token, store_is_new_);
        write_run_file();
        router_.start_maintenance(loops_[0]);
        endpoint_.start();
        start_loops();
    } catch (...) {
        stop([] { return true; });
        throw;
    }
}

Server::~Server() {
    if (!stopped_) {
        stop([] { return false; });
    }
}

std::string Server::url() const {
    const auto& host = config_.endpoint.host;
    const bool is_ipv6 = host.find(':') != std::string::npos;
    return (config_.endpoint.tls ? "https://" : "http://") + (is_ipv6 ? '[' + host + ']' : host) +
           ':' + std::to_string(endpoint_.port());
}

std::string Server::place() const {
    const auto& addresses = endpoint_.addresses();
    if (addresses.size() == 1 && addresses.front() == config_.endpoint.host) return url();
    return url() + " (" + join_list(addresses) + ')';
}

void Server::write_run_file() {
    std::string presented;
    if (config_.endpoint.tls) {
        std::ifstream file(config_.tls_certificate);
        presented.assign(std::istreambuf_iterator<char>(file), {});
    }
    const RunningHub hub{.url = url(),
                         .certificate = config_.tls_certificate,
                         .presented = std::move(presented),
                         .pid = ::getpid()};
    try {
        if (run_file_) {
            run_file_->update(hub);
        } else {
            run_file_.emplace(config_.store.directory, hub);
        }
    } catch (const core::FileError& error) {
        spdlog::warn("{}; the command line will not find this hub", error.what());
    }
}

std::function<void()> Server::prepare(const Config& next) {
    return [this, next, put_into_force = endpoint_.prepare(next.endpoint)] {
        put_into_force();
        router_.set_limits(next.router);
        store_->set_quotas(next.store.quotas);
        if (!next.endpoint.tls) return;
        config_.tls_certificate = next.tls_certificate;
        // Commands are told what is presented from now on.
        write_run_file();
    };
}

void Server::start_loops() {
    for (std::size_t index = 0; index < loops_.size(); ++index) {
        loops_[index].post([this] { announce_turning(1); });
        threads_.emplace_back([this, &loop = loops_[index]] { run_loop(loop); });
        ::pthread_setname_np(threads_.back().native_handle(),
                             ("loop-" + std::to_string(index)).c_str());
    }
    // Whoever is told that the hub listens finds it ready.
    for (std::size_t turning = 0; turning < loops_.size(); turning = turning_.load()) {
        turning_.wait(turning);
    }
}

void Server::announce_turning(std::size_t loops) noexcept {
    turning_.fetch_add(loops);
    turning_.notify_one();
}

void Server::run_loop(delivery::EventLoop& loop) {
    try {
        loop.run();
    } catch (const std::exception& error) {
        // What the loop was doing is unknown, so the hub ends; what was acknowledged is on disk.
        spdlog::critical("event loop {} ended by an exception: {}", loop.index(), error.what());
        failed_.store(true);
        // Nobody waits for the others any more.
        announce_turning(loops_.size());
        ::kill(::getpid(), SIGTERM);
    }
}

void Server::stop(const std::function<bool()>& hurry) {
    stopped_ = true;
    router_.begin_shutdown();
    endpoint_.begin_shutdown();
    if (!threads_.empty() && !wait_for_connections(config_.shutdown_timeout, hurry)) {
        spdlog::warn("{} connections did not end in time", endpoint_.open_connections());
        endpoint_.abort_all();
        wait_for_connections(kAbortTimeout, [] { return false; });
    }
    // The loops still run, so the last completions reach their callers.
    store_->stop();
    stop_loops();
    run_file_.reset();
}

void Server::stop_loops() {
    for (std::size_t index = 0; index < loops_.size(); ++index) {
        loops_[index].stop();
    }
    for (std::thread& thread : threads_) {
        thread.join();
    }
    threads_.clear();
}

bool Server::wait_for_connections(core::Millis most, const std::function<bool()>& hurry) {
    static constexpr core::Millis kPause{10};
    const auto deadline = std::chrono::steady_clock::now() + most;
    while (endpoint_.open_connections() != 0) {
        if (std::chrono::steady_clock::now() >= deadline || hurry()) {
            return false;
        }
        std::this_thread::sleep_for(kPause);
    }
    return true;
}

}  // namespace agentcom::app
