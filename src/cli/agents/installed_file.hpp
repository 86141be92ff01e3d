#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "cli/agents/client_files.hpp"

namespace agentcom::cli::agents {

/// A file of a client on disk, with what is needed to bring it back: a copy beside it
/// (`NAME.agentcom-backup`) and a note in the state directory that says what was written. A file
/// that was not changed since is restored byte for byte; otherwise only what is ours is taken out.
/// Functions throw std::runtime_error with one sentence that names the file.
class InstalledFile {
public:
    InstalledFile(FileChange change, std::filesystem::path state_directory);

    struct Texts {
        std::string before;
        std::string after;
        bool gone = false;  // the file itself, of which nothing would be left
    };
    /// What the text becomes; nothing is written.
    [[nodiscard]] Texts connected() const;
    [[nodiscard]] Texts undone() const;

    /// Puts `after` in place of `before`: the file of that moment is kept as the copy.
    void install(const Texts& texts) const;
    void restore(const Texts& texts) const;

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return change_.path; }

private:
    struct Note {
        std::string written;  // digest
        bool existed = false;
        unsigned mode = 0644;
    };
    [[nodiscard]] std::string read() const;
    [[nodiscard]] std::optional<Note> note(const std::string& current) const;
    [[nodiscard]] std::filesystem::path backup() const;
    /// Whether the copy has an entry of the user's own under our name, which taking out what is
    /// ours does not bring back.
    [[nodiscard]] bool copy_has_more() const;
    [[nodiscard]] std::filesystem::path note_path() const;

    FileChange change_;
    std::filesystem::path target_;  // where a symbolic link leads
    std::filesystem::path notes_;
};

}  // namespace agentcom::cli::agents
