// How the hub and the commands begin: without room on the disk, side by side, as another user.
#include <gtest/gtest.h>
#include <sys/resource.h>
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
    static std::size_t count(const std::string& text, const std::string& part) {
        std::size_t found = 0;
        for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
            ++found;
        }
        return found;
    }
};

/// What is started meanwhile can write to no file: what a full disk is to those who may not fill
/// one.
class NoFiles {
public:
    NoFiles() {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        rlimit none = before_;
        none.rlim_cur = 0;
        ::setrlimit(RLIMIT_FSIZE, &none);
    }
    ~NoFiles() { ::setrlimit(RLIMIT_FSIZE, &before_); }
    NoFiles(const NoFiles&) = delete;
    NoFiles& operator=(const NoFiles&) = delete;

private:
    rlimit before_{};
};

TEST_F(Start, AKilledHubComesUpWithoutRoomOnTheDiskAndReads) {
#if defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "ThreadSanitizer itself does not start where no file may grow";
#endif
    std::string alice;
    std::string bob;
    {
        auto hub = serve();
        alice = first_line(run({"token", "create", "alice", "--data-dir", data()}).output);
        bob = first_line(run({"token", "create", "bob", "--data-dir", data()}).output);
        (void)client(alice).ask("POST", "/api/message", R"({"to":"bob","payload":1})");
        hub->signal(SIGKILL);
        hub->wait();
    }
    std::unique_ptr<test::Program> hub;
    {
        const NoFiles full;
        hub = std::make_unique<test::Program>(
            std::vector<std::string>{"serve", "--data-dir", data(), "--port", "0"});
    }
    const RunningHub address = address_of(*hub);
    const auto health = AdminClient(address, "").ask("GET", "/health");
    EXPECT_EQ(health.body.at("status"), "degraded");
    EXPECT_EQ(health.body.at("reason"), "storage_full");
    const auto mailbox = AdminClient(address, bob).ask("GET", "/api/mailbox/bob");
    EXPECT_EQ(mailbox.body.at("messages").size(), 1U);
    for (int i = 0; i < 3; ++i) {
        EXPECT_THROW((void)AdminClient(address, alice)
                         .ask("POST", "/api/message", R"({"to":"bob","payload":1})"),
                     std::runtime_error);
    }
    // What the killed one left would lead to nobody, or to somebody else.
    EXPECT_FALSE(RunFile::read(data()));
    hub->signal(SIGTERM);
    EXPECT_EQ(hub->wait(), 0) << hub->errors();
    EXPECT_EQ(count(hub->errors(), "cannot write " + data() + "/agentcom.run"), 1U)
        << hub->errors();
    EXPECT_EQ(count(hub->errors(), "the store is full"), 1U) << hub->errors();
}

TEST_F(Start, WithoutRoomAnAdministratorsTokenIsMissedAndSaid) {
#if defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "ThreadSanitizer itself does not start where no file may grow";
#endif
    ASSERT_EQ(run({"token", "create", "alice", "--create", "--data-dir", data()}).status, 0);
    for (const std::vector<std::string>& variables :
         {std::vector<std::string>{}, {std::string("AGENTCOM_ADMIN_TOKEN=") + kSomeToken}}) {
        std::unique_ptr<test::Program> hub;
        {
            const NoFiles full;
            hub = std::make_unique<test::Program>(
                std::vector<std::string>{"serve", "--data-dir", data(), "--port", "0"}, variables);
        }
        EXPECT_EQ(AdminClient(address_of(*hub), "").ask("GET", "/health").status, 200);
        EXPECT_NE(hub->errors().find("administrator's token"), std::string::npos) << hub->errors();
    }
    // With room there is one again.
    auto hub = serve();
    EXPECT_EQ(client(admin_token()).ask("GET", "/admin/tokens").status, 200);
}

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
