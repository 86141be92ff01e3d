// Power cuts below LMDB: the preloaded disk kills the hub in the middle of its writing and leaves
// an arbitrary subset of what was not synced. With durability "commit" everything acknowledged must
// be there when the hub starts on the real disk.

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "crash/support/preloaded_disk.hpp"
#include "crash/support/seeds.hpp"
#include "crash/support/traffic.hpp"
#include "support/hub_process.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::test {
namespace {

constexpr const char* kAdminToken =
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

struct CutFigures {
    std::size_t cuts = 0;
    std::size_t put_back = 0;
    std::size_t acknowledged = 0;
};

std::vector<std::string> cut_settings() {
    std::vector<std::string> all = roomy_settings();
    all.emplace_back("AGENTCOM_STORE_DURABILITY=commit");
    all.push_back(std::string("AGENTCOM_ADMIN_TOKEN=") + kAdminToken);
    return all;
}

/// One store, two cuts while it works, and one more while the hub starts on what the first left.
void survive_power_cuts(std::uint64_t seed, CutFigures& figures) {
    SCOPED_TRACE("AGENTCOM_CRASH_SEED=" + std::to_string(seed));
    Random random(seed);
    const TempDir dir;
    PreloadedDisk disk(dir.path());
    const auto start = [&](bool on_that_disk) {
        return std::make_unique<HubProcess>(
            dir.path(), std::vector<std::string>{},
            on_that_disk ? disk.environment(cut_settings()) : cut_settings());
    };
    auto hub = start(true);
    Traffic traffic(random.next(), hub->port(), kAdminToken);
    for (int cut = 0; cut < 2; ++cut) {
        traffic.connect(hub->port());
        ASSERT_TRUE(traffic.run(1 + random.below(150)));
        disk.cut_power(1 + random.below(60), random.next());
        ASSERT_FALSE(traffic.run(100'000)) << "the power was not cut";
        hub->kill();
        traffic.drain();
        figures.put_back += disk.restore();
        ++figures.cuts;
        if (random.one_in(3)) {
            disk.cut_power(1 + random.below(8), random.next());
            try {
                hub = start(true);
                hub->kill();
            } catch (const std::runtime_error&) {
                ++figures.cuts;
            }
            figures.put_back += disk.restore();
        }
        hub = start(cut == 0);
        ASSERT_NO_FATAL_FAILURE(traffic.verify(hub->port()));
    }
    figures.acknowledged += traffic.acknowledged_messages();
}

TEST(PowerCut, EverythingAcknowledgedIsThereWhateverOfTheUnsyncedIsLost) {
    if (!PreloadedDisk::is_possible()) GTEST_SKIP() << "a sanitizer's runtime is preloaded";
    CutFigures figures;
    for (const std::uint64_t seed : seeds(15, 150)) {
        ASSERT_NO_FATAL_FAILURE(survive_power_cuts(seed, figures));
        if (testing::Test::HasFailure()) break;
    }
    std::printf(
        "[ figures  ] %zu power cuts, %zu sectors, sizes and names put back, %zu messages\n",
        figures.cuts, figures.put_back, figures.acknowledged);
    // Of one seed that may be.
    if (figures.cuts > 10) {
        EXPECT_GT(figures.put_back, figures.cuts) << "hardly anything was ever lost";
    }
}

/// Wherever a first start is cut off, the next one has a store and somebody who administers it.
TEST(PowerCut, AFirstStartThatIsCutOffIsDoneByTheNext) {
    if (!PreloadedDisk::is_possible()) GTEST_SKIP() << "a sanitizer's runtime is preloaded";
    std::vector<std::string> settings = roomy_settings();
    settings.emplace_back("AGENTCOM_STORE_DURABILITY=commit");
    Random random(11);
    std::uint64_t cuts = 0;
    for (bool cut = true; cut; cuts += cut ? 1 : 0) {
        const TempDir dir;
        PreloadedDisk disk(dir.path());
        disk.cut_power(cuts + 1, random.next());
        try {
            HubProcess(dir.path(), {}, disk.environment(settings)).kill();
            cut = false;
        } catch (const std::runtime_error&) {
            disk.restore();
        }
        try {
            HubProcess next(dir.path(), {}, settings);
            EXPECT_EQ(next.create_token("bob").size(), 64U);
        } catch (const std::runtime_error& error) {
            FAIL() << "event " << cuts + 1 << ": " << error.what();
        }
    }
    EXPECT_GT(cuts, 10U);
}

/// The disk itself: what was synced stays, what was not may go, and does now and then.
TEST(PowerCut, TheSimulatedDiskForgetsWithRelaxedDurability) {
    if (!PreloadedDisk::is_possible()) GTEST_SKIP() << "a sanitizer's runtime is preloaded";
    std::size_t lost = 0;
    Random random(7);
    for (int round = 0; round < 20 && lost == 0; ++round) {
        const TempDir dir;
        PreloadedDisk disk(dir.path());
        auto relaxed = cut_settings();
        relaxed.emplace_back("AGENTCOM_STORE_DURABILITY=relaxed");
        relaxed.emplace_back("AGENTCOM_STORE_SYNC_INTERVAL=1h");
        auto hub = std::make_unique<HubProcess>(dir.path(), std::vector<std::string>{},
                                                disk.environment(relaxed));
        HttpClient http(hub->port(), kAdminToken);
        disk.cut_power(40, random.next());
        std::size_t sent = 0;
        try {
            for (; sent < 1'000; ++sent) {
                ASSERT_EQ(http.post("/api/message", {{"to", "x"}, {"payload", "y"}}).status, 200);
            }
        } catch (const std::runtime_error&) {
        }
        ASSERT_LT(sent, 1'000U) << "the power was not cut";
        hub->kill();
        disk.restore();
        try {
            hub = std::make_unique<HubProcess>(dir.path(), std::vector<std::string>{},
                                               cut_settings());
            if (Stored(hub->port(), kAdminToken).messages().size() < sent) ++lost;
        } catch (const std::runtime_error&) {
            ++lost;  // without syncs the order of writes is anybody's, and the store may be damaged
        }
    }
    EXPECT_GT(lost, 0U) << "a disk that never forgets tests nothing";
}

}  // namespace
}  // namespace agentcom::test
