// How the hub and the commands begin: side by side, as another user.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "app/command_fixture.hpp"

namespace agentcom::app {
namespace {

class Start : public CommandTest {
protected:
    /// The hub's address, from its log: it may have no run file.
    static RunningHub address_of(test::Program& hub) {
        const std::string line = hub.wait_for_line("listening on ");
        return {line.substr(line.find("http")), {}, {}};
    }
};

TEST_F(Start, HubAndCommandsThatStartTogetherWaitForOneAnother) {
    for (int round = 0; round < 3; ++round) {
        const std::string where = directory_ / ("round" + std::to_string(round)).c_str();
        test::Program hub({"serve", "--data-dir", where, "--port", "0"});
        std::vector<std::unique_ptr<test::Program>> commands;
        for (int i = 0; i < 3; ++i) {
            commands.push_back(std::make_unique<test::Program>(std::vector<std::string>{
                "token", "create", "agent-" + std::to_string(i), "--create", "--data-dir", where}));
        }
        for (auto& command : commands) {
            EXPECT_EQ(command->wait(), 0) << command->errors();
        }
        const RunningHub address = address_of(hub);
        for (std::size_t i = 0; i < commands.size(); ++i) {
            const std::string token = first_line(commands[i]->output());
            EXPECT_EQ(AdminClient(address, token)
                          .ask("GET", "/api/mailbox/agent-" + std::to_string(i))
                          .status,
                      200);
        }
    }
}

TEST_F(Start, WhatTheSuperuserMakesBelongsToTheOwnerOfTheDirectory) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "only the superuser may give files away";
    }
    static constexpr uid_t kService = 12'345;
    std::filesystem::create_directory(data());
    ASSERT_EQ(::chown(data().c_str(), kService, kService), 0);
    const auto expect_owned = [&] {
        std::size_t files = 0;
        for (const auto& entry : std::filesystem::directory_iterator(data())) {
            struct stat status {};
            ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
            EXPECT_EQ(status.st_uid, kService) << entry.path();
            EXPECT_EQ(status.st_gid, kService) << entry.path();
            ++files;
        }
        EXPECT_GE(files, 3U);
    };
    ASSERT_EQ(run({"token", "create", "alice", "--create", "--data-dir", data()}).status, 0);
    expect_owned();
    auto hub = serve();
    EXPECT_TRUE(std::filesystem::exists(data() + "/agentcom.run"));
    EXPECT_TRUE(std::filesystem::exists(data() + "/admin_token"));
    expect_owned();
}

TEST_F(Start, ADirectoryThatTheSuperuserMakesBelongsToTheOwnerOfTheOneItIsIn) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "only the superuser may give files away";
    }
    static constexpr uid_t kService = 12'345;
    ASSERT_EQ(::chown(directory_.path().c_str(), kService, kService), 0);
    const std::string inner = data() + "/inner";
    ASSERT_EQ(run({"token", "create", "alice", "--create", "--data-dir", inner}).status, 0);
    for (const std::string& path : {data(), inner, inner + "/data.mdb"}) {
        struct stat status {};
        ASSERT_EQ(::stat(path.c_str(), &status), 0) << path;
        EXPECT_EQ(status.st_uid, kService) << path;
    }
    EXPECT_EQ(mode_of(inner), 0700U);
}

TEST_F(Start, AnUnfinishedFileOfACrashIsReplaced) {
    std::filesystem::create_directory(data());
    std::ofstream(data() + "/admin_token.new") << "half";
    std::ofstream(data() + "/agentcom.run.new") << "half";
    auto hub = serve();
    EXPECT_EQ(client(admin_token()).ask("GET", "/admin/tokens").status, 200);
    EXPECT_FALSE(std::filesystem::exists(data() + "/admin_token.new"));
    EXPECT_FALSE(std::filesystem::exists(data() + "/agentcom.run.new"));
}

}  // namespace
}  // namespace agentcom::app
