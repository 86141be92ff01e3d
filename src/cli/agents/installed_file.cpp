#include "cli/agents/installed_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

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

/// A note that cannot be used is none.
nlohmann::json read_note(const fs::path& file) {
    auto json = nlohmann::json::parse(read_file(file).value_or(""), nullptr, false);
    const bool sound = json.is_object() && json.contains("file") && json["file"].is_string() &&
                       json.contains("written") && json["written"].is_string() &&
                       json.contains("existed") && json["existed"].is_boolean() &&
                       json.contains("copied") && json["copied"].is_boolean() &&
                       json.contains("mode") && json["mode"].is_number_unsigned();
    return sound ? json : nlohmann::json();
}

}  // namespace

std::string read_config_file(const fs::path& file) {
    std::error_code error;
    const fs::file_status status = fs::status(file, error);
    if (status.type() == fs::file_type::not_found) return "";
    if (fs::exists(status) && !fs::is_regular_file(status)) {
        throw std::runtime_error(file.string() + " is not a file that could be changed");
    }
    auto text = read_file(file);
    if (!text) throw std::runtime_error("cannot read " + file.string());
    return *std::move(text);
}

void require_writable(const fs::path& directory) {
    std::error_code error;
    fs::path there = directory;
    while (fs::status(there, error).type() == fs::file_type::not_found &&
           there.has_relative_path()) {
        there = there.parent_path();
    }
    if (!fs::is_directory(there, error) || ::access(there.c_str(), W_OK | X_OK) != 0) {
        throw std::runtime_error("nothing can be written into " + directory.string() +
                                 (there == directory ? "" : ", because of " + there.string()));
    }
}

InstalledFile::InstalledFile(FileChange change, fs::path state_directory)
    : change_(std::move(change)),
      target_(follow_links(change_.path)),
      notes_(std::move(state_directory) / "connect") {}

fs::path InstalledFile::backup() const {
    fs::path copy = target_;
    copy += ".agentcom-backup";
    if (change_.shared) copy += "-" + name_for(change_.key).substr(0, 8);
    return copy;
}

fs::path InstalledFile::note_path() const {
    return notes_ / (name_for(change_.key + '\n' + target_.string()) + ".json");
}

std::optional<InstalledFile::Note> InstalledFile::note() const {
    const auto json = read_note(note_path());
    if (json.is_null()) return std::nullopt;
    return Note{json["written"], json["existed"], json["copied"], json["mode"]};
}

void InstalledFile::write_note(const Note& note) const {
    const nlohmann::ordered_json json = {{"file", target_.string()},
                                         {"written", note.written},
                                         {"existed", note.existed},
                                         {"copied", note.copied},
                                         {"mode", note.mode}};
    const auto keep = nlohmann::ordered_json::error_handler_t::replace;
    replace_file(note_path(), json.dump(-1, ' ', false, keep) + "\n", kOwnerOnly);
}

bool InstalledFile::made_by_another() const {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(notes_, error)) {
        const auto json = read_note(entry.path());
        if (json.is_object() && json["file"] == target_.string() && json["existed"] == false) {
            return true;
        }
    }
    return false;
}

std::string InstalledFile::changed(const std::function<std::string(const std::string&)>& change,
                                   const std::string& text) const {
    try {
        return change(text);
    } catch (const Malformed& error) {
        throw std::runtime_error(change_.path.string() + " " + error.what() +
                                 "; it was left as it is");
    }
}

InstalledFile::Texts InstalledFile::connected() const {
    std::string before = read_config_file(change_.path);
    std::string after = changed(change_.with, before);
    return {std::move(before), std::move(after)};
}

InstalledFile::Texts InstalledFile::undone() const {
    std::string before = read_config_file(change_.path);
    const auto found = note();
    if (found && found->written == name_for(before)) {
        if (!found->copied) return {std::move(before), "", true};
        if (auto copy = read_file(backup())) {
            const bool gone = !found->existed && change_.is_nothing(*copy);
            return {std::move(before), gone ? "" : *std::move(copy), gone};
        }
    }
    std::string after = changed(change_.without, before);
    // A file that is not there, or never held anything of ours, is no file that goes.
    if (after != before && change_.is_nothing(after)) {
        if (!found || !found->existed) return {std::move(before), "", true};
        auto copy = read_file(backup());
        if (copy && change_.is_nothing(*copy)) after = *std::move(copy);
    }
    return {std::move(before), std::move(after)};
}

bool InstalledFile::copy_has_more() const {
    const auto copy = read_file(backup());
    try {
        return copy && change_.without(*copy) != *copy;
    } catch (const Malformed&) {
        return true;
    }
}

void InstalledFile::require_room() const {
    require_writable(target_.parent_path());
    require_writable(notes_);
}

void InstalledFile::install(const Texts& texts) const {
    std::error_code error;
    const bool there = fs::exists(target_, error);
    const auto kept = note();
    Note next = kept.value_or(Note{"", there && !made_by_another(), false, mode_of(target_, 0644)});
    next.written = name_for(texts.after);
    // Connected again without a change by others in between: the copy is the one to keep.
    if (!kept || kept->written != name_for(texts.before)) {
        const std::string rest = changed(change_.without, texts.before);
        // So it is when it alone has the user's own entry. Where `connect` has been before, what
        // stands there under our name is ours and no part of what undoing brings back; otherwise it
        // is the user's.
        if (copy_has_more() && (kept || rest == texts.before)) {
            next.copied = false;
            if (there) next.written.clear();
        } else {
            next.copied = there;
            if (there) replace_file(backup(), kept ? rest : texts.before, kOwnerOnly);
        }
    }
    const unsigned mode = change_.secret ? kOwnerOnly : mode_of(target_, 0644);
    replace_file(target_, texts.after, mode);
    write_note(next);
}

void InstalledFile::restore(const Texts& texts) const {
    std::error_code error;
    const auto found = note();
    const bool whole = found && found->copied && found->written == name_for(texts.before);
    if (texts.gone) {
        if (fs::exists(target_, error) && !fs::remove(target_, error)) {
            throw std::runtime_error("cannot remove " + change_.path.string() + ": " +
                                     error.message());
        }
    } else if (texts.after != texts.before) {
        replace_file(target_, texts.after, whole ? found->mode : mode_of(target_, 0644));
    }
    if (whole || !copy_has_more()) fs::remove(backup(), error);
    fs::remove(note_path(), error);
}

}  // namespace agentcom::cli::agents
