#include "hostile/support/arena.hpp"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "support/paths.hpp"

namespace agentcom::test {
namespace {

/// Another build of the hub, to compare with.
std::string binary() {
    const char* given = std::getenv("AGENTCOM_HOSTILE_BINARY");
    return given != nullptr ? given : built_binary();
}

double in_mebibytes(std::size_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

void print_figures(const std::string& who, const Latencies& latencies) {
    std::printf("[ figures  ] %-12s %6zu, p50 %8.1f ms, p99 %8.1f ms, longest %8.1f ms\n",
                who.c_str(), latencies.count(), latencies.percentile(0.5),
                latencies.percentile(0.99), latencies.max());
}

}  // namespace

Arena::Arena() = default;

void Arena::start_hub(std::vector<std::string> settings) {
    settings_ = std::move(settings);
    settings_.emplace_back("AGENTCOM_SERVER_THREADS=2");
    launch();
}

void Arena::restart_hub() {
    watch_.reset();
    hub_.reset();
    launch();
}

void Arena::launch() {
    hub_ = std::make_unique<HubProcess>(directory_.path(), std::vector<std::string>{}, settings_,
                                        binary());
    watch_ = std::make_unique<MemoryWatch>(hub_->pid());
}

void Arena::begin() {
    std::vector<std::string> agents{"innocent-0", "innocent-1"};
    std::vector<std::string> tokens;
    for (const std::string& agent : agents) tokens.push_back(hub_->create_token(agent));
    const std::string courier = hub_->create_token("courier");
    // Connections are given to the loops in turn, so these two are opened one after the other.
    for (std::size_t i = 0; i < innocents_.size(); ++i) {
        innocents_[i] = std::make_unique<Innocent>(port(), agents[i], tokens[i]);
    }
    courier_ = std::make_unique<Courier>(port(), courier, std::move(agents));
    watch_ = std::make_unique<MemoryWatch>(hub_->pid());
    memory_before_ = watch_->now();
}

void Arena::observe(std::size_t pings) {
    for (const auto& innocent : innocents_) EXPECT_TRUE(innocent->wait_for_pings(pings));
}

bool Arena::wait_for_memory_below(std::size_t bytes) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (watch_->now() >= bytes) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        observe(1);
    }
    return true;
}

void Arena::end(std::size_t memory_bound) {
    const Courier::Figures sent = courier_->stop();
    EXPECT_EQ(sent.trouble, "") << "a message of the innocents was not taken";
    EXPECT_GT(sent.sent_to_each, 0U);
    print_figures("sends", sent.sends);
    for (std::size_t i = 0; i < innocents_.size(); ++i) {
        EXPECT_TRUE(innocents_[i]->wait_for_messages(sent.sent_to_each));
        const Innocent::Figures figures = innocents_[i]->figures();
        const std::string who = "innocent " + std::to_string(i);
        print_figures(who, figures.pings);
        EXPECT_EQ(figures.trouble, "") << who;
        EXPECT_EQ(figures.messages, sent.sent_to_each) << who;
        EXPECT_GT(figures.pings.count(), 0U) << who;
        EXPECT_LT(figures.pings.percentile(0.99), kInnocentP99) << who;
    }
    const std::size_t peak = watch_->peak();
    std::printf("[ figures  ] anonymous memory: before %.0f MiB, most %.0f MiB, after %.0f MiB\n",
                in_mebibytes(memory_before_), in_mebibytes(peak), in_mebibytes(watch_->now()));
    EXPECT_LT(in_mebibytes(peak), in_mebibytes(memory_bound));
    for (auto& innocent : innocents_) innocent.reset();
    courier_.reset();
}

void Arena::TearDown() {
    for (auto& innocent : innocents_) innocent.reset();
    courier_.reset();
    watch_.reset();
    hub_.reset();
}

}  // namespace agentcom::test
