#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "support/hub_process.hpp"
#include "support/program.hpp"
#include "support/socket_client.hpp"
#include "support/temp_dir.hpp"

/// For tests of `agentcom connect` and `agentcom doctor CLIENT`, against a real hub and files in a
/// home of their own.
namespace agentcom::test {

namespace fs = std::filesystem;
using nlohmann::json;

struct Ran {
    int status = -1;
    std::string output;
    std::string errors;
};

class ClientOfHub : public testing::Test {
protected:
    void SetUp() override {
        fs::create_directories(project());
        hub_ = std::make_unique<HubProcess>(dir_.path() / "data");
        write(dir_.path() / "admin", hub_->admin_token());
    }

    [[nodiscard]] fs::path home() const { return dir_.path() / "home"; }
    /// Where the commands run.
    [[nodiscard]] fs::path project() const { return home() / "work"; }
    [[nodiscard]] std::string url() const {
        return "http://127.0.0.1:" + std::to_string(hub_->port());
    }
    static void write(const fs::path& file, const std::string& text) {
        fs::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary) << text;
    }
    static std::string read(const fs::path& file) {
        std::ifstream stream(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(stream), {}};
    }
    static unsigned mode(const fs::path& file) {
        struct stat status {};
        return ::stat(file.c_str(), &status) == 0 ? status.st_mode & 0777U : 0;
    }

    [[nodiscard]] Ran run(std::vector<std::string> arguments,
                          const std::string& patience = "30000") const {
        Program program(std::move(arguments),
                        {"HOME=" + home().string(), "AGENTCOM_HOOK_TIMEOUT=" + patience},
                        Program::Input::written, project());
        program.end_input();
        const int status = program.wait();
        return {status, program.output(), program.errors()};
    }
    [[nodiscard]] Ran connect(const std::string& client, std::vector<std::string> more = {}) const {
        std::vector<std::string> arguments = {
            "connect", client, "--url", url(), "--token-file", (dir_.path() / "admin").string()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run(std::move(arguments));
    }
    /// Every file below the home but the program's own notes and contexts, with its text.
    [[nodiscard]] std::map<std::string, std::string> client_files() const {
        std::map<std::string, std::string> files;
        for (const auto& entry : fs::recursive_directory_iterator(home())) {
            const std::string name = fs::relative(entry.path(), home()).string();
            if (entry.is_regular_file() && !name.starts_with(".local/") &&
                !name.starts_with(".config/agentcom/")) {
                files[name] = read(entry.path());
            }
        }
        return files;
    }
    [[nodiscard]] json context(const std::string& name) const {
        return json::parse(read(home() / ".config/agentcom/contexts.json")).at("contexts").at(name);
    }
    [[nodiscard]] std::size_t tokens_of(const std::string& agent) const {
        HttpClient client(hub_->port(), hub_->admin_token());
        std::size_t count = 0;
        const json listed = client.get("/admin/tokens").json();
        for (const json& token : listed.at("tokens")) {
            if (token.at("agent_id") == agent) ++count;
        }
        return count;
    }

    TempDir dir_;
    std::unique_ptr<HubProcess> hub_;
};

inline const std::vector<std::string> kClients = {"claude", "codex",   "gemini",  "cursor",
                                                  "vscode", "copilot", "opencode"};

inline constexpr const char* kSettings = "{\n  // mine\n  \"theme\": \"dark\",\n}\n";

}  // namespace agentcom::test
