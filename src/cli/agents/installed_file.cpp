#include "cli/agents/installed_file.hpp"

#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "agentcom/core/private_file.hpp"
#include "cli/agents/json_text.hpp"
#include "cli/agents/session_file.hpp"

namespace agentcom::cli::agents {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kOwnerOnly = 0600;

std::optional<std::string> read_file(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(stream), {});
}

unsigned mode_of(const fs::path& file, unsigned otherwise) {
    struct stat status {};
    return ::stat(file.c_str(), &status) == 0 ? status.st_mode & 07777U : otherwise;
}

/// All of it or nothing, under the name at once.
void replace_file(const fs::path& file, const std::string& text, unsigned mode) {
    std::error_code error;
    fs::create_directories(file.parent_path(), error);
    core::write_private_file(file, text, mode, ".agentcom-new");
}

/// Where the links lead that stand at the file's place, also when there is nothing yet.
fs::path follow_links(fs::path file) {
    static constexpr int kMostLinks = 16;
    std::error_code error;
    for (int i = 0; i < kMostLinks && fs::is_symlink(file, error); ++i) {
        const fs::path to = fs::read_symlink(file, error);
        if (error) break;
        file = file.parent_path() / to;
    }
    fs::path found = fs::weakly_canonical(file, error);
    return error ? file : found;
}

}  // namespace

InstalledFile::InstalledFile(FileChange change, fs::path state_directory)
    : change_(std::move(change)),
      target_(follow_links(change_.path)),
      notes_(std::move(state_directory) / "connect") {}

std::string InstalledFile::read() const {
    std::error_code error;
    const fs::file_status status = fs::status(target_, error);
    if (!fs::exists(status)) return "";
    if (!fs::is_regular_file(status)) {
        throw std::runtime_error(change_.path.string() + " is not a file that could be changed");
    }
    auto text = read_file(target_);
    if (!text) throw std::runtime_error("cannot read " + change_.path.string());
    return *std::move(text);
}

fs::path InstalledFile::backup() const { return fs::path(target_) += ".agentcom-backup"; }

fs::path InstalledFile::note_path() const {
    return notes_ / (name_for(target_.string()) + ".json");
}

std::optional<InstalledFile::Note> InstalledFile::note(const std::string& current) const {
    const auto text = read_file(note_path());
    const auto json = nlohmann::json::parse(text.value_or(""), nullptr, false);
    if (!json.is_object()) return std::nullopt;
    const Note found{json.value("written", ""), json.value("existed", false),
                     json.value("mode", 0644U)};
    if (found.written != name_for(current)) return std::nullopt;
    return found;
}

InstalledFile::Texts InstalledFile::connected() const {
    std::string before = read();
    try {
        std::string after = change_.with(before);
        return {std::move(before), std::move(after)};
    } catch (const Malformed& error) {
        throw std::runtime_error(change_.path.string() + " " + error.what() +
                                 "; it was left as it is");
    }
}

InstalledFile::Texts InstalledFile::undone() const {
    std::string before = read();
    if (const auto found = note(before)) {
        if (!found->existed) return {std::move(before), "", true};
        if (auto original = read_file(backup())) return {std::move(before), *std::move(original)};
    }
    try {
        std::string after = change_.without(before);
        const bool gone = after.empty();
        return {std::move(before), std::move(after), gone};
    } catch (const Malformed& error) {
        throw std::runtime_error(change_.path.string() + " " + error.what() +
                                 "; it was left as it is");
    }
}

bool InstalledFile::copy_has_more() const {
    const auto copy = read_file(backup());
    try {
        return copy && change_.without(*copy) != *copy;
    } catch (const Malformed&) {
        return true;
    }
}

void InstalledFile::install(const Texts& texts) const {
    std::error_code error;
    const bool there = fs::exists(target_, error);
    // Connected again without a change by others in between: the first copy is the one to keep.
    Note kept = note(texts.before).value_or(Note{"", there, mode_of(target_, 0644)});
    if (!note(texts.before) && there) {
        // Where `connect` has been before, what is ours is no part of what undoing brings back.
        // What stands there under our name otherwise is the user's.
        const bool ours = fs::exists(note_path(), error);
        replace_file(backup(), ours ? change_.without(texts.before) : texts.before, kOwnerOnly);
    }
    kept.written = name_for(texts.after);
    const unsigned mode = change_.secret ? kOwnerOnly : mode_of(target_, 0644);
    replace_file(target_, texts.after, mode);
    const nlohmann::ordered_json json = {{"file", target_.string()},
                                         {"written", kept.written},
                                         {"existed", kept.existed},
                                         {"mode", kept.mode}};
    replace_file(note_path(), json.dump() + "\n", kOwnerOnly);
}

void InstalledFile::restore(const Texts& texts) const {
    std::error_code error;
    const auto found = note(texts.before);
    if (texts.gone) {
        if (fs::exists(target_, error) && !fs::remove(target_, error)) {
            throw std::runtime_error("cannot remove " + change_.path.string() + ": " +
                                     error.message());
        }
    } else if (texts.after != texts.before) {
        replace_file(target_, texts.after, found ? found->mode : mode_of(target_, 0644));
    }
    if (found || !copy_has_more()) fs::remove(backup(), error);
    fs::remove(note_path(), error);
}

}  // namespace agentcom::cli::agents
