#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "agentcom/router/router.hpp"
#include "net/ws_framing.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::router {

using Json = nlohmann::json;

/// Everything that waits gives up after this long; nothing ever waits for it to pass.
inline constexpr std::chrono::seconds kPatience{60};

/// How to identify without being told of presence.
inline protocol::Identify quietly() {
    protocol::Identify options{
        .agent_id = {}, .token = {}, .name = {}, .status = {}, .capabilities = {}};
    options.presence = false;
    return options;
}

/// A connection without a socket, not yet identified. Its members are touched on its loop's thread.
class TestSession final : public delivery::Session {
public:
    explicit TestSession(delivery::OutboxLimits limits = {})
        : Session(net::WsFraming::instance(), limits) {}
    std::vector<protocol::CloseCode> closes;

private:
    void request_flush() override {}
    void begin_close(protocol::CloseCode code) override { closes.push_back(code); }
};

/// The router with everything real below it: a store in a directory of its own, two event loops on
/// their threads. Only sockets are missing, and the clock stands still until it is moved.
class RouterTest : public ::testing::Test {
protected:
    void SetUp() override { start({}); }
    void TearDown() override { stop(); }

    void start(RouterOptions options) {
        stop();
        store_ = store::Store::open(
            {.directory = dir_.path() / "data", .map_size = std::size_t{1} << 30}, clock_);
        loops_ = std::make_unique<delivery::LoopGroup>(2, *store_, clock_);
        router_ = std::make_unique<Router>(std::move(options), *store_, *loops_, clock_);
        store_->start(loops_.get());
        for (std::size_t i = 0; i < loops_->size(); ++i) {
            threads_.emplace_back([this, i] { (*loops_)[i].run(); });
        }
    }
    void stop() {
        if (!store_) return;
        store_->stop();
        for (std::size_t i = 0; i < loops_->size(); ++i) (*loops_)[i].stop();
        for (std::thread& thread : threads_) thread.join();
        threads_.clear();
        router_.reset();
        // What waits in them is counted by the loops' budget.
        sessions_.clear();
        loops_.reset();
        store_.reset();
    }

    [[nodiscard]] delivery::EventLoop& loop(std::size_t index = 0) { return (*loops_)[index]; }

    template <class Future>
    static auto wait_for(Future& future) {
        if (future.wait_for(kPatience) != std::future_status::ready) {
            throw std::runtime_error("no answer in time");
        }
        return future.get();
    }

    /// Runs the function on a loop's thread and returns what it returns.
    template <class Function>
    auto on(std::size_t index, Function function) -> decltype(function()) {
        auto task = std::make_shared<std::packaged_task<decltype(function())()>>(function);
        auto result = task->get_future();
        loop(index).post([task] { (*task)(); });
        return wait_for(result);
    }
    /// Waits until both loops have done what was handed to them before, and have delivered all that
    /// was committed before: each is sent a write of its own, which comes back behind the others.
    void settle() {
        // What one loop posts to the other arrives in the second round.
        for (int round = 0; round < 2; ++round) {
            for (std::size_t i = 0; i < loops_->size(); ++i) {
                auto promise = std::make_shared<std::promise<void>>();
                auto done = promise->get_future();
                loop(i).post([this, i, promise] {
                    loop(i).submit(store::PutSetting{"settled", 1},
                                   [promise](const store::WriteResult&) { promise->set_value(); });
                });
                wait_for(done);
            }
        }
    }
    /// Hands the request over and does not wait.
    std::future<protocol::Reply> begin(const Caller& caller, protocol::Request request,
                                       delivery::Session* session = nullptr,
                                       std::size_t index = 0) {
        auto promise = std::make_shared<std::promise<protocol::Reply>>();
        auto future = promise->get_future();
        loop(index).post([this, caller, request = std::move(request), session, index, promise] {
            router_->handle(loop(index), caller, session, protocol::Request(request),
                            [promise](protocol::Reply&& reply) {
                                // A second answer throws here and ends the test program.
                                promise->set_value(std::move(reply));
                            });
        });
        return future;
    }
    protocol::Reply ask(const Caller& caller, protocol::Request request,
                        delivery::Session* session = nullptr, std::size_t index = 0) {
        auto future = begin(caller, std::move(request), session, index);
        return wait_for(future);
    }
    template <class Value>
    Value get(const Caller& caller, protocol::Request request,
              delivery::Session* session = nullptr) {
        const protocol::Reply reply = ask(caller, std::move(request), session);
        if (!reply) throw std::runtime_error("refused: " + reply.error().wire_name());
        return page_of<Value>(reply);
    }
    /// What is made once for many comes as a pointer.
    template <class Value>
    static const Value& page_of(const protocol::Reply& reply) {
        if constexpr (protocol::kMaybeShared<Value>) {
            if (const auto* shared = std::get_if<protocol::Shared<Value>>(&*reply)) return **shared;
        }
        return std::get<Value>(*reply);
    }
    std::optional<core::ErrorCode> error_of(const Caller& caller, protocol::Request request,
                                            delivery::Session* session = nullptr) {
        const protocol::Reply reply = ask(caller, std::move(request), session);
        return reply ? std::nullopt : std::optional(reply.error().code);
    }

    std::string create_token(const std::string& name, core::Role role = core::Role::agent) {
        const core::Token token = core::Token::generate();
        const auto done = store_->submit_and_wait(
            store::CreateToken{agent(name), token.digest(), token.prefix(), role});
        if (!done) throw std::runtime_error("no token");
        return token.reveal();
    }

    /// A session on the loop that has identified itself; the reply must be good.
    TestSession& join(const std::string& name, protocol::Identify options = {},
                      std::size_t index = 0) {
        if (options.token.empty()) options.token = create_token(name);
        options.agent_id = name;
        TestSession& session = fresh_session();
        const protocol::Reply reply = on(index, [&] {
            protocol::Reply answer = router_->identify(loop(index), session, options);
            if (answer) router_->continue_backlog(loop(index), session);
            return answer;
        });
        if (!reply) throw std::runtime_error("identify: " + reply.error().wire_name());
        return session;
    }
    TestSession& fresh_session() {
        sessions_.push_back(std::make_unique<TestSession>());
        return *sessions_.back();
    }
    void leave(TestSession& session, std::size_t index = 0) {
        on(index, [&] { router_->disconnected(loop(index), session); });
    }

    /// Writes out what waits, as the connection would, and returns it.
    std::vector<Json> written(TestSession& session, std::size_t index = 0) {
        settle();
        std::vector<Json> frames;
        // A backlog comes a stretch a turn.
        while (on(index, [&] {
            write_out(session, index, frames);
            return session.catching_up();
        })) {
        }
        return frames;
    }
    /// On the loop's thread.
    void write_out(TestSession& session, std::size_t index, std::vector<Json>& frames) {
        while (!session.outbox().empty()) {
            std::string_view views[16];
            std::string bytes;
            const std::size_t count = session.outbox().gather(views, 16);
            for (std::size_t i = 0; i < count; ++i) bytes += views[i];
            session.on_written(session.outbox().consume(bytes.size()));
            take_frames(bytes, frames);
            if (session.catching_up()) router_->continue_backlog(loop(index), session);
        }
    }
    static void take_frames(std::string_view bytes, std::vector<Json>& frames) {
        while (!bytes.empty()) {
            std::size_t header = 2;
            std::uint64_t size = static_cast<unsigned char>(bytes[1]) & 0x7fU;
            if (size >= 126) {
                const std::size_t more = size == 126 ? 2 : 8;
                size = 0;
                for (std::size_t i = 0; i < more; ++i) {
                    size = (size << 8) | static_cast<unsigned char>(bytes[2 + i]);
                }
                header += more;
            }
            frames.push_back(Json::parse(bytes.substr(header, size)));
            bytes.remove_prefix(header + size);
        }
    }

    static core::AgentId agent(std::string_view name) { return core::AgentId::parse(name).value(); }
    static core::ChannelName channel(std::string_view name) {
        return core::ChannelName::parse(name).value();
    }
    static Caller as(std::string_view name, core::Role role = core::Role::agent) {
        return Caller{agent(name), role};
    }
    static protocol::SendMessage direct(std::string_view to, std::string payload = "{}") {
        return {core::ToAgent{agent(to)}, "chat", {std::move(payload)}, {}, {}};
    }
    static protocol::SendMessage broadcast() {
        return {core::ToEveryone{true}, "chat", {"{}"}, {}, {}};
    }
    static protocol::Publish publication(std::string_view to) {
        return {channel(to), "chat", {"{}"}, {}, {}};
    }
    static protocol::PollMailbox poll(std::string_view whose, core::Millis wait = {}) {
        return {std::string(whose), {}, {}, wait};
    }
    void make_channel(const std::string& name, const std::vector<std::string>& subscribers) {
        (void)get<protocol::ChannelCreated>(as("maker"),
                                            protocol::CreateChannel{channel(name), "about"});
        for (const std::string& each : subscribers) {
            (void)get<protocol::Subscribed>(as(each), protocol::Subscribe{channel(name), name});
        }
    }

    test::TempDir dir_;
    core::ManualClock clock_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<delivery::LoopGroup> loops_;
    std::unique_ptr<Router> router_;
    std::vector<std::thread> threads_;
    std::vector<std::unique_ptr<TestSession>> sessions_;
};

}  // namespace agentcom::router
