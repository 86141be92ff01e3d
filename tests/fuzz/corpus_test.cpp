// The targets of libFuzzer in every build: over the files in tests/fuzz/corpus, among which every
// input is that ever broke a promise, and over what comes of damaging those.

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "fuzz/fuzz.hpp"
#include "fuzz/support/targets.hpp"
#include "support/paths.hpp"

namespace agentcom::fuzz {
namespace {

std::filesystem::path corpora() { return test::source_dir() / "tests" / "fuzz" / "corpus"; }

std::vector<std::string> corpus(std::string_view target) {
    std::set<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(corpora() / target)) {
        files.insert(entry.path());
    }
    std::vector<std::string> all;
    for (const auto& file : files) {
        std::ifstream stream(file, std::ios::binary);
        all.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
    }
    return all;
}

/// The bytes in memory that ends where they end, so that a sanitizer sees who reads on.
void run(const FuzzTarget& target, const std::string& bytes) {
    const std::vector<char> exact(bytes.begin(), bytes.end());
    ASSERT_NO_THROW(target.run({exact.data(), exact.size()})) << testing::PrintToString(bytes);
}

TEST(FuzzCorpus, EveryTargetHasOneAndEveryOneATarget) {
    std::set<std::string> names;
    for (const FuzzTarget& target : targets()) names.emplace(target.name);
    std::set<std::string> folders;
    for (const auto& entry : std::filesystem::directory_iterator(corpora())) {
        folders.insert(entry.path().filename());
    }
    EXPECT_EQ(folders, names);
}

TEST(FuzzCorpus, NoFileBreaksAPromise) {
    for (const FuzzTarget& target : targets()) {
        SCOPED_TRACE(target.name);
        const auto files = corpus(target.name);
        EXPECT_GE(files.size(), 3U);
        run(target, "");
        for (const std::string& bytes : files) run(target, bytes);
    }
}

TEST(FuzzCorpus, NorDoesWhatComesOfDamagingIt) {
    const auto level = spdlog::get_level();
    spdlog::set_level(spdlog::level::off);
    Random random(seed() + 12);
    constexpr std::string_view kSymbols("{}[]\",:\\ \r\n/?&=%.0129aAtf\x80\xff\x00\x01", 30);
    for (const FuzzTarget& target : targets()) {
        SCOPED_TRACE(target.name);
        const auto files = corpus(target.name);
        for (int i = 0; i < rounds(4'000) && !HasFatalFailure(); ++i) {
            run(target, random.mutate(random.pick(files), kSymbols));
        }
    }
    spdlog::set_level(level);
}

}  // namespace
}  // namespace agentcom::fuzz
