#include "cli/context_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>

#include "agentcom/core/private_file.hpp"
#include "cli/context.hpp"

namespace agentcom::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMaker = "made_by";
constexpr const char* kConnect = "connect";

/// Keeps other programs from changing the file at the same time.
class FileLock {
public:
    explicit FileLock(const fs::path& file)
        : descriptor_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
        if (descriptor_ < 0 || ::flock(descriptor_, LOCK_EX) != 0) {
            const int error = errno;
            if (descriptor_ >= 0) {
                ::close(descriptor_);
            }
            throw std::runtime_error("cannot lock " + file.string() + ": " +
                                     std::system_category().message(error));
        }
    }
    ~FileLock() { ::close(descriptor_); }
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;

private:
    int descriptor_;
};

void require_private(const fs::path& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) == 0 && (status.st_mode & 077U) != 0) {
        throw std::runtime_error("others may read " + file.string() +
                                 ", which holds tokens; run: chmod 600 '" + file.string() + "'");
    }
}

std::string member(const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

fs::path ContextFile::default_path() {
    const char* configured = std::getenv("XDG_CONFIG_HOME");
    if (configured != nullptr && fs::path(configured).is_absolute()) {
        return fs::path(configured) / "agentcom" / "contexts.json";
    }
    const char* home = std::getenv("HOME");
    if (home == nullptr || *home == '\0') {
        throw std::runtime_error(
            "neither HOME nor XDG_CONFIG_HOME is set, so there are no contexts");
    }
    return fs::path(home) / ".config" / "agentcom" / "contexts.json";
}

ContextFile ContextFile::read(const fs::path& file) {
    ContextFile result;
    std::error_code ignored;
    if (!fs::exists(file, ignored)) {
        return result;
    }
    require_private(file);
    std::ifstream stream(file);
    if (!stream) {
        throw std::runtime_error("cannot read " + file.string());
    }
    const auto content = nlohmann::json::parse(stream, nullptr, false);
    const auto contexts = content.is_object() ? content.find("contexts") : content.end();
    if (!content.is_object() || contexts == content.end() || !contexts->is_object()) {
        throw std::runtime_error(file.string() +
                                 " is no file of contexts; mend it or take it away");
    }
    result.current = member(content, "current");
    for (const auto& [name, stored] : contexts->items()) {
        if (stored.is_object()) {
            result.contexts[name] = {.url = without_slash(member(stored, "url")),
                                     .token = member(stored, "token"),
                                     .agent = member(stored, "agent"),
                                     .ca_file = member(stored, "ca_file"),
                                     .made_by_connect = member(stored, kMaker) == kConnect};
        }
    }
    return result;
}

void ContextFile::change(const fs::path& file, const std::function<void(ContextFile&)>& edit) {
    std::error_code error;
    const fs::path directory = file.parent_path();
    const bool there = fs::exists(directory, error);
    fs::create_directories(directory, error);
    if (error) {
        throw std::runtime_error("cannot make " + directory.string() + ": " + error.message());
    }
    if (!there) {
        fs::permissions(directory, fs::perms::owner_all, error);
    }
    fs::path lock = file;
    lock += ".lock";
    const FileLock alone(lock);
    ContextFile content = read(file);
    edit(content);
    nlohmann::ordered_json json = {{"current", content.current},
                                   {"contexts", nlohmann::ordered_json::object()}};
    for (const auto& [name, stored] : content.contexts) {
        nlohmann::ordered_json entry = {{"url", stored.url}, {"token", stored.token}};
        if (!stored.agent.empty()) {
            entry["agent"] = stored.agent;
        }
        if (!stored.ca_file.empty()) {
            entry["ca_file"] = stored.ca_file;
        }
        if (stored.made_by_connect) {
            entry[kMaker] = kConnect;
        }
        json["contexts"][name] = std::move(entry);
    }
    core::write_private_file(
        file, json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n');
}

bool is_context_name(const std::string& name) {
    const auto plain = [](unsigned char c) {
        return (std::isalnum(c) != 0 && c < 128) || c == '.' || c == '_' || c == '-';
    };
    return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, plain) &&
           std::isalnum(static_cast<unsigned char>(name.front())) != 0;
}

}  // namespace agentcom::cli
