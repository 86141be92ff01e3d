// Mixed traffic of every operation, and kills at points that a seed chooses: what was acknowledged
// is there, once and in order, and nothing is there by half. AGENTCOM_CRASH_SEED repeats one.

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "agentcom/protocol/vocabulary.hpp"
#include "crash/support/seeds.hpp"
#include "crash/support/traffic.hpp"
#include "support/hub_process.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::test {
namespace {

struct KillFigures {
    std::size_t kills = 0;
    std::size_t acknowledged = 0;
    Tally tally;
};

/// One store, two kills.
void survive_kills(std::uint64_t seed, KillFigures& figures) {
    SCOPED_TRACE("AGENTCOM_CRASH_SEED=" + std::to_string(seed));
    Random random(seed);
    const TempDir dir;
    std::vector<std::string> settings = roomy_settings();
    // A kill leaves the operating system's cache alone, so relaxed durability loses nothing either.
    settings.emplace_back(random.one_in(3) ? "AGENTCOM_STORE_DURABILITY=relaxed"
                                           : "AGENTCOM_STORE_DURABILITY=commit");
    auto hub = std::make_unique<HubProcess>(dir.path(), std::vector<std::string>{}, settings);
    Traffic traffic(random.next(), hub->port(), hub->admin_token());
    for (int kill = 0; kill < 2; ++kill) {
        traffic.connect(hub->port());
        ASSERT_TRUE(traffic.run(1 + random.below(600)));
        hub->kill();
        traffic.drain();
        hub = std::make_unique<HubProcess>(dir.path(), std::vector<std::string>{}, settings);
        ASSERT_NO_FATAL_FAILURE(traffic.verify(hub->port()));
        ++figures.kills;
    }
    // What had no answer is sent again, and stands once. A stop in an orderly way loses nothing.
    traffic.connect(hub->port());
    ASSERT_TRUE(traffic.run(100));
    traffic.finish();
    EXPECT_EQ(hub->terminate(), 0) << hub->log();
    hub = std::make_unique<HubProcess>(dir.path(), std::vector<std::string>{}, settings);
    ASSERT_NO_FATAL_FAILURE(traffic.verify(hub->port()));
    figures.acknowledged += traffic.acknowledged_messages();
    for (const auto& [what, count] : traffic.tally()) figures.tally[what] += count;
}

TEST(SeededKill, NothingAcknowledgedIsLostDoubledReorderedOrHalfDone) {
    KillFigures figures;
    for (const std::uint64_t seed : seeds(25, 500)) {
        ASSERT_NO_FATAL_FAILURE(survive_kills(seed, figures));
        if (testing::Test::HasFailure()) break;
    }
    std::printf("[ figures  ] %zu kills, %zu messages acknowledged\n", figures.kills,
                figures.acknowledged);
    // Of one seed not everything need be there.
    if (figures.kills < 10) return;
    for (const std::string_view frame : protocol::client_frame_types()) {
        EXPECT_GT(figures.tally[std::string(frame)], 0U) << frame << " is not in the traffic";
    }
}

}  // namespace
}  // namespace agentcom::test
