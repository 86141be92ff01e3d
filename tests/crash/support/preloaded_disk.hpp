#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "crash/shim/faulty_disk.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::test {

/// The test's side of the disk that is preloaded below a hub: its levers, and what a power cut
/// left.
class PreloadedDisk {
public:
    /// For the files of this directory.
    explicit PreloadedDisk(std::filesystem::path directory);
    ~PreloadedDisk();
    PreloadedDisk(const PreloadedDisk&) = delete;
    PreloadedDisk& operator=(const PreloadedDisk&) = delete;

    /// What a hub on this disk needs in its environment, besides these settings.
    [[nodiscard]] std::vector<std::string> environment(std::vector<std::string> settings) const;
    [[nodiscard]] FaultyDisk& levers() noexcept { return *levers_; }
    /// Power is cut in the `event`th event from now on.
    void cut_power(std::uint64_t event, std::uint64_t seed);
    /// After the hub has died of it: makes the directory what the disk holds. How many sectors,
    /// sizes and names were put back; nothing when the power was not cut.
    std::size_t restore();

    /// False where a sanitizer's runtime has to be the first that is loaded.
    [[nodiscard]] static bool is_possible() noexcept;

private:
    void undo(const UndoEntry& entry, const std::string& path, const std::string& bytes) const;

    std::filesystem::path directory_;
    TempDir own_;
    FaultyDisk* levers_ = nullptr;
};

}  // namespace agentcom::test
