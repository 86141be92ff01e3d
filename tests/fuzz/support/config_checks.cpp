#include "fuzz/support/config_checks.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "app/config_file.hpp"
#include "app/config_keys.hpp"
#include "fuzz/support/broken.hpp"

namespace agentcom::fuzz {

namespace {

/// A file in memory, written anew for each text.
class MemoryFile {
public:
    MemoryFile() : fd_(::memfd_create("agentcom.toml", MFD_CLOEXEC)) {
        if (fd_ < 0) throw std::runtime_error("memfd_create failed");
    }
    ~MemoryFile() { ::close(fd_); }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;

    std::filesystem::path with(std::string_view text) {
        const auto size = static_cast<ssize_t>(text.size());
        if (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, text.data(), text.size(), 0) != size) {
            throw std::runtime_error("cannot write to memory");
        }
        return "/proc/self/fd/" + std::to_string(fd_);
    }

private:
    int fd_;
};

/// False when it was refused.
bool read_file(app::Config& config, std::string_view text) {
    static MemoryFile file;
    try {
        app::apply_config_file(config, file.with(text));
        return true;
    } catch (const app::ConfigError&) {
        return false;
    }
}

void check_value(std::string_view line) {
    const std::size_t equals = line.find('=');
    const std::string_view name = line.substr(0, equals);
    const std::size_t dot = name.find('.');
    if (equals == line.npos || dot == name.npos) return;
    const app::ConfigKey* key = app::find_config_key(name.substr(0, dot), name.substr(dot + 1));
    if (key == nullptr) return;
    app::Config config;
    const std::string before = key->show(config);
    if (key->read(config, std::string(line.substr(equals + 1)))) {
        require(key->show(config) == before, "a refused value was set", line);
        return;
    }
    app::Config again;
    require(read_file(again, '[' + std::string(key->section) + "]\n" + std::string(key->name) +
                                 " = " + key->show(config) + '\n'),
            "what was set is refused when it is printed", line);
    require(key->show(again) == key->show(config), "what was printed reads differently", line);
}

}  // namespace

void check_configuration(std::string_view text) {
    app::Config config;
    if (read_file(config, text)) {
        const std::string printed = app::print_config(config);
        app::Config again;
        require(read_file(again, printed), "what was printed is refused", text);
        require(app::print_config(again) == printed, "what was printed reads differently", text);
    }
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        check_value(line);
        text.remove_prefix(std::min(line.size() + 1, text.size()));
    }
}

}  // namespace agentcom::fuzz
