#include "app/run_file.hpp"

#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "agentcom/core/private_file.hpp"

namespace agentcom::app {
namespace {

constexpr const char* kRunFileName = "agentcom.run";

}  // namespace

RunFile::RunFile(const std::filesystem::path& data_dir, const RunningHub& hub)
    : file_(data_dir / kRunFileName) {
    update(hub);
}

void RunFile::update(const RunningHub& hub) {
    const nlohmann::json content = {{"pid", ::getpid()},
                                    {"url", hub.url},
                                    {"certificate", hub.certificate},
                                    {"presented", hub.presented}};
    core::write_private_file(
        file_, content.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + '\n');
}

RunFile::~RunFile() {
    std::error_code ignored;  // a file left behind is harmless
    std::filesystem::remove(file_, ignored);
}

std::optional<RunningHub> RunFile::read(const std::filesystem::path& data_dir) {
    std::ifstream stream(data_dir / kRunFileName);
    const auto content = nlohmann::json::parse(stream, nullptr, false);
    if (!content.is_object()) {
        return std::nullopt;
    }
    const auto url = content.find("url");
    const auto certificate = content.find("certificate");
    if (url == content.end() || !url->is_string() || certificate == content.end() ||
        !certificate->is_string()) {
        return std::nullopt;
    }
    RunningHub hub{.url = url->get<std::string>(),
                   .certificate = certificate->get<std::string>(),
                   .presented = {},
                   .pid = 0};
    const auto presented = content.find("presented");
    if (presented != content.end() && presented->is_string()) {
        hub.presented = presented->get<std::string>();
    }
    const auto pid = content.find("pid");
    if (pid != content.end() && pid->is_number_integer()) {
        hub.pid = pid->get<std::int64_t>();
    }
    return hub;
}

void RunFile::remove_stale(const std::filesystem::path& data_dir) noexcept {
    std::error_code ignored;
    std::filesystem::remove(data_dir / kRunFileName, ignored);
}

}  // namespace agentcom::app
