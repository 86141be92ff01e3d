#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/program.hpp"

namespace agentcom::cli {

using nlohmann::json;

/// The client's commands of the real binary against a real hub, which may be restarted at its
/// address.
class ClientTest : public ::testing::Test {
protected:
    struct Ran {
        int status;
        std::string output;
        std::string errors;
        /// Every line of the output as JSON.
        [[nodiscard]] std::vector<json> lines() const {
            std::vector<json> all;
            for (std::size_t at = 0; at < output.size();) {
                const std::size_t end = output.find('\n', at);
                all.push_back(json::parse(output.substr(at, end - at)));
                at = end + 1;
            }
            return all;
        }
        [[nodiscard]] json line() const {
            const auto all = lines();
            EXPECT_EQ(all.size(), 1U) << output << errors;
            return all.empty() ? json() : all.front();
        }
    };

    void serve(const std::vector<std::string>& variables = {}) {
        hub_ = std::make_unique<test::Program>(
            std::vector<std::string>{"serve", "--data-dir", data(), "--port", port_}, variables);
        const std::string line = hub_->wait_for_line("listening on ");
        port_ = line.substr(line.rfind(':') + 1);
        url_ = line.substr(line.find("http"));
    }
    void stop() {
        hub_->signal(SIGTERM);
        EXPECT_EQ(hub_->wait(), 0) << hub_->errors();
        hub_.reset();
    }
    void kill() {
        hub_->signal(SIGKILL);
        (void)hub_->wait();
        hub_.reset();
    }

    [[nodiscard]] std::string token(const std::string& agent) const {
        const Ran ran = run({"token", "create", agent, "--data-dir", data()}, {});
        EXPECT_EQ(ran.status, 0) << ran.errors;
        return ran.output.substr(0, 64);
    }
    /// The variables of somebody with this token.
    [[nodiscard]] std::vector<std::string> as(const std::string& token) const {
        return {"AGENTCOM_URL=" + url_, "AGENTCOM_TOKEN=" + token, "HOME=" + home()};
    }

    static Ran run(std::vector<std::string> arguments, std::vector<std::string> variables,
                   const std::string& input = {}) {
        test::Program program(std::move(arguments), std::move(variables),
                              test::Program::Input::written);
        program.write(input);
        program.end_input();
        const int status = program.wait();
        return {status, program.output(), program.errors()};
    }
    /// A command that stays.
    static std::unique_ptr<test::Program> start(std::vector<std::string> arguments,
                                                std::vector<std::string> variables) {
        return std::make_unique<test::Program>(std::move(arguments), std::move(variables),
                                               test::Program::Input::written);
    }

    [[nodiscard]] std::string data() const { return directory_ / "data"; }
    [[nodiscard]] std::string home() const { return directory_.path().string(); }

    test::TestDirectory directory_;
    std::unique_ptr<test::Program> hub_;
    std::string port_ = "0";
    std::string url_;
};

/// One line that begins with the program's name and has this in it.
inline void expect_complaint(const std::string& errors, const std::string& part) {
    EXPECT_TRUE(errors.starts_with("agentcom: ")) << errors;
    EXPECT_EQ(std::ranges::count(errors, '\n'), 1) << errors;
    EXPECT_NE(errors.find(part), std::string::npos) << errors;
}

}  // namespace agentcom::cli
