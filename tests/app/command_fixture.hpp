#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "app/admin_client.hpp"
#include "app/run_file.hpp"
#include "support/program.hpp"

namespace agentcom::app {

inline constexpr const char* kSomeToken =
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

inline std::string read_text(const std::filesystem::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
}

inline std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

inline mode_t mode_of(const std::filesystem::path& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 0777U;
}

/// Commands on a data directory of the test's own.
class CommandTest : public ::testing::Test {
protected:
    [[nodiscard]] std::string data() const { return directory_ / "data"; }

    /// Runs a command to its end.
    struct Ran {
        int status;
        std::string output;
        std::string errors;
    };
    static Ran run(std::vector<std::string> arguments, std::vector<std::string> variables = {}) {
        test::Program program(std::move(arguments), std::move(variables));
        const int status = program.wait();
        return {status, program.output(), program.errors()};
    }

    /// A hub on a free port that listens already.
    std::unique_ptr<test::Program> serve(std::vector<std::string> variables = {},
                                         std::vector<std::string> more = {}) {
        std::vector<std::string> arguments{"serve", "--data-dir", data(), "--port", "0"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        auto hub = std::make_unique<test::Program>(std::move(arguments), std::move(variables));
        hub->wait_for_line("listening on ");
        return hub;
    }
    [[nodiscard]] AdminClient client(const std::string& token) const {
        const auto running = RunFile::read(data());
        if (!running) {
            throw std::runtime_error("no run file");
        }
        return {*running, token};
    }
    [[nodiscard]] std::string admin_token() const {
        return first_line(read_text(data() + "/admin_token"));
    }

    test::TestDirectory directory_;
};

inline void expect_one_line(const std::string& errors, const std::string& part) {
    EXPECT_TRUE(errors.starts_with("agentcom: ")) << errors;
    EXPECT_EQ(std::ranges::count(errors, '\n'), 1) << errors;
    EXPECT_NE(errors.find(part), std::string::npos) << errors;
}

}  // namespace agentcom::app
