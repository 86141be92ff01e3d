// Power cuts below LMDB: the preloaded disk kills the hub in the middle of its writing and leaves
// an arbitrary subset of what was not synced. With durability "commit" everything acknowledged must
// be there when the hub starts on the real disk.

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
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
    for (const std::uint64_t seed : seeds(15, 250)) {
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

/// What became of a store with durability "relaxed" in a power cut.
struct Relaxed {
    std::size_t sent = 0;    // and acknowledged
    std::size_t synced = 0;  // of these, so many before a sync that was over when power was cut
    std::size_t found = 0;
};

/// The journal is synced by one thread, the store and its checkpoint, three syncs, by another; a
/// checkpoint begins with one of the journal. So many after an answer, one of the journal has begun
/// after it and is over.
constexpr std::uint64_t kSyncsEnough = 12;

void cut_relaxed(const std::string& interval, std::uint64_t event, std::uint64_t seed,
                 Relaxed& result) {
    SCOPED_TRACE("cut in event " + std::to_string(event) + ", seed " + std::to_string(seed));
    const TempDir dir;
    PreloadedDisk disk(dir.path());
    auto relaxed = cut_settings();
    relaxed.emplace_back("AGENTCOM_STORE_DURABILITY=relaxed");
    relaxed.push_back("AGENTCOM_STORE_SYNC_INTERVAL=" + interval);
    auto hub = std::make_unique<HubProcess>(dir.path(), std::vector<std::string>{},
                                            disk.environment(relaxed));
    HttpClient http(hub->port(), kAdminToken);
    disk.cut_power(event, seed);
    std::vector<std::uint64_t> syncs;  // when each was acknowledged
    try {
        while (syncs.size() < 5'000) {
            const nlohmann::json message{{"to", "x"}, {"payload", syncs.size()}};
            ASSERT_EQ(http.post("/api/message", message).status, 200);
            syncs.push_back(disk.levers().syncs);
        }
    } catch (const std::runtime_error&) {
    }
    ASSERT_LT(syncs.size(), 5'000U) << "the power was not cut";
    hub->kill();
    disk.restore();
    result.sent = syncs.size();
    while (result.synced < syncs.size() &&
           syncs[result.synced] + kSyncsEnough <= disk.levers().syncs) {
        ++result.synced;
    }
    hub = std::make_unique<HubProcess>(dir.path(), std::vector<std::string>{}, relaxed);
    const auto messages = Stored(hub->port(), kAdminToken).messages();
    result.found = messages.size();
    for (std::size_t i = 0; i < messages.size(); ++i) {
        ASSERT_EQ(messages[i].at("payload"), i) << "something before it is gone";
    }
    // And it goes on from there.
    HttpClient next(hub->port(), kAdminToken);
    ASSERT_EQ(next.post("/api/message", {{"to", "x"}, {"payload", "more"}}).status, 200);
    EXPECT_EQ(hub->terminate(), 0) << hub->log();
}

/// And the disk itself: what was synced stays, what was not may go, and does now and then.
TEST(PowerCut, RelaxedDurabilityLosesTheLastMomentsAndDamagesNothing) {
    if (!PreloadedDisk::is_possible()) GTEST_SKIP() << "a sanitizer's runtime is preloaded";
    std::size_t lost = 0;
    std::size_t kept = 0;
    for (const std::uint64_t seed : seeds(8, 60)) {
        Random random(seed);
        // Never synced but for checkpoints, and again and again.
        for (const char* interval : {"1h", "1ms"}) {
            Relaxed result;
            ASSERT_NO_FATAL_FAILURE(
                cut_relaxed(interval, 1 + random.below(1'000), random.next(), result));
            EXPECT_GE(result.found, result.synced) << interval;
            EXPECT_LE(result.found, result.sent + 1) << interval;
            lost += result.found < result.sent ? 1 : 0;
            kept += result.synced;
        }
    }
    std::printf("[ figures  ] %zu stores lost something, %zu messages had to be there\n", lost,
                kept);
    // Of one seed that may be.
    if (std::getenv("AGENTCOM_CRASH_SEED") != nullptr) return;
    EXPECT_GT(lost, 0U) << "a disk that never forgets tests nothing";
    EXPECT_GT(kept, 0U) << "nothing was ever synced";
}

}  // namespace
}  // namespace agentcom::test
