#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "cli/agents/client_files.hpp"

namespace agentcom::cli::agents {

/// The text of a file, empty when there is none. Throws std::runtime_error with one sentence that
/// names it.
[[nodiscard]] std::string read_config_file(const std::filesystem::path& file);

/// Throws std::runtime_error with one sentence when no file can be put into this directory, or one
/// that would have to be made first.
void require_writable(const std::filesystem::path& directory);

/// A file of a client on disk, with what is needed to bring it back: a copy beside it
/// (`NAME.agentcom-backup`) and a note in the state directory that says what was written. Both
/// belong to one connection; another may have its own in the same file, whose copy has a few digits
/// more in its name. A file that was not changed since is restored byte for byte; otherwise only
/// what is ours is taken out. Functions throw std::runtime_error with one sentence that names the
/// file.
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

    /// Throws when what `install` writes could not be written.
    void require_room() const;
    /// Puts `after` in place of `before`: the file of that moment is kept as the copy.
    void install(const Texts& texts) const;
    void restore(const Texts& texts) const;

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return change_.path; }

private:
    struct Note {
        std::string written;   // digest; empty: only what is ours can be taken out again
        bool existed = false;  // before the first time
        /// The copy is what is to be brought back. Without one, and with `written` as it was, the
        /// file is ours as a whole.
        bool copied = false;
        unsigned mode = 0644;
    };
    /// What a change does to the text; a malformed one is named with its file.
    [[nodiscard]] std::string changed(const std::function<std::string(const std::string&)>& change,
                                      const std::string& text) const;
    [[nodiscard]] std::optional<Note> note() const;
    void write_note(const Note& note) const;
    /// Whether the file is there only because another connection made it.
    [[nodiscard]] bool made_by_another() const;
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
