#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace agentcom::app {

/// How the command line finds the hub that serves a data directory.
struct RunningHub {
    std::string url;          // "http://127.0.0.1:4000"
    std::string certificate;  // PEM file it presents; empty without TLS
    std::string presented;    // what was in that file when the hub read it last, PEM
    std::int64_t pid = 0;
};

/// The file `agentcom.run` (mode 0600) in the data directory for as long as a hub serves it. A hub
/// that is killed leaves it behind: whether one runs is known only by the store's lock, and whoever
/// has that lock without serving removes what was left.
class RunFile {
public:
    /// Throws core::FileError.
    RunFile(const std::filesystem::path& data_dir, const RunningHub& hub);
    /// Replaces what it says, at once.
    void update(const RunningHub& hub);
    ~RunFile();
    RunFile(const RunFile&) = delete;
    RunFile& operator=(const RunFile&) = delete;

    /// Nothing when there is no file or it cannot be understood.
    [[nodiscard]] static std::optional<RunningHub> read(const std::filesystem::path& data_dir);
    /// For those who hold the store's lock: takes away what a killed hub left.
    static void remove_stale(const std::filesystem::path& data_dir) noexcept;

private:
    std::filesystem::path file_;
};

}  // namespace agentcom::app
