// What the hub writes to standard error is not a way to stop it.

#include <chrono>
#include <optional>
#include <utility>

#include "hostile/support/arena.hpp"
#include "hostile/support/attacker.hpp"

namespace agentcom::test {
namespace {

class HostileLog : public Arena {};

TEST_F(HostileLog, AStandardErrorThatNobodyReadsStopsNobody) {
    start_hub();
    begin();
    hub().block_log();
    for (int i = 0; i < 400; ++i) {
        WsClient client(port());
        if (i % 2 == 0) client.close();
    }
    observe(100);
    // More of them than there are loops, so that each loop is asked.
    for (int i = 0; i < 4; ++i) {
        HttpClient anybody(port());
        EXPECT_EQ(anybody.get("/health").json().at("status"), "ok");
    }
    end(mebibytes(64));
    EXPECT_EQ(hub().terminate(), 0);
}

TEST_F(HostileLog, TwoClientsThatTakeTurnsDoNotFillIt) {
    start_hub();
    const std::string token = hub().create_token("torn");
    begin();
    const std::size_t before = hub().log().size();
    const auto began = std::chrono::steady_clock::now();
    std::optional<Attacker> present;
    for (std::size_t i = 0; i < sized(2'400, 1'200, 200); ++i) {
        // The one before is still open when this one takes over, or is turned away.
        Attacker next(port());
        if (next.upgrade()) (void)next.identify("torn", token);
        present.emplace(std::move(next));
    }
    observe(100);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    const auto written = static_cast<double>(hub().log().size() - before);
    std::printf("[ figures  ] %.1f kB of log in %.1f s\n", written / 1'000, took.count());
    EXPECT_LT(written / took.count(), 20'000);
    end(mebibytes(64));
}

}  // namespace
}  // namespace agentcom::test
