#include "app/manifest.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

#include "agentcom/core/private_file.hpp"
#include "agentcom/core/version.hpp"

namespace agentcom::app {
namespace {

constexpr const char* kManifestName = "manifest.json";
constexpr std::string_view kChecksum = "sha256:";

/// "2026-01-31T12:00:00Z"
std::string show_time(core::Timestamp time) {
    const auto seconds = static_cast<std::time_t>(time.ms / 1'000);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return {text.data(), size};
}

core::Timestamp parse_time(const std::string& text) {
    std::tm parts{};
    const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    if (end == nullptr || *end != '\0') {
        throw std::runtime_error("time");
    }
    return core::Timestamp{std::int64_t{::timegm(&parts)} * 1'000};
}

core::Epoch parse_epoch(std::string_view text) {
    core::Epoch epoch;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), epoch.value, 16);
    if (text.size() != 16 || parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) {
        throw std::runtime_error("epoch");
    }
    return epoch;
}

}  // namespace

void Manifest::write(const std::filesystem::path& directory) const {
    const nlohmann::ordered_json content = {
        {"version", core::kVersion},
        {"schema", copy.schema},
        {"epoch", copy.epoch.str()},
        {"head", copy.head.value},
        {"time", show_time(time)},
        {"size", copy.bytes},
        {"checksum", std::string(kChecksum) + copy.sha256},
        {"findings", copy.findings},
    };
    core::write_private_file(directory / kManifestName, content.dump(2) + '\n');
}

Manifest Manifest::read(const std::filesystem::path& directory) {
    const auto file = directory / kManifestName;
    std::ifstream stream(file);
    if (!stream) {
        throw std::runtime_error("there is no backup in " + directory.string() + ": it has no " +
                                 kManifestName);
    }
    try {
        const auto content = nlohmann::json::parse(stream);
        Manifest manifest;
        manifest.copy.schema = content.at("schema").get<std::uint64_t>();
        manifest.copy.epoch = parse_epoch(content.at("epoch").get<std::string>());
        manifest.copy.head = core::Seq{content.at("head").get<std::uint64_t>()};
        manifest.copy.bytes = content.at("size").get<std::uint64_t>();
        manifest.time = parse_time(content.at("time").get<std::string>());
        const auto checksum = content.at("checksum").get<std::string>();
        if (!checksum.starts_with(kChecksum)) {
            throw std::runtime_error("checksum");
        }
        manifest.copy.sha256 = checksum.substr(kChecksum.size());
        return manifest;
    } catch (const std::exception&) {
        throw std::runtime_error(file.string() + " is not a manifest of a backup");
    }
}

}  // namespace agentcom::app
