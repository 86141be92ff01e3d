// Which hub a command talks to and as whom: flags, variables and stored contexts.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "agentcom/cli/hub_client.hpp"
#include "cli/context_file.hpp"
#include "cli/support/client_fixture.hpp"
#include "cli/support/stand_in.hpp"

namespace agentcom::cli {
namespace {

namespace fs = std::filesystem;

const std::string kFirst(64, 'a');
const std::string kSecond(64, 'b');

class Contexts : public ClientTest {
protected:
    Contexts() { url_ = server_.url(); }

    [[nodiscard]] std::vector<std::string> home_only() const { return {"HOME=" + home()}; }
    [[nodiscard]] std::string file() const { return directory_ / ".config/agentcom/contexts.json"; }
    Ran add(const std::string& name, const std::string& token,
            std::vector<std::string> more = {"--url"}) {
        std::ofstream(directory_ / "token") << token << '\n';
        if (more == std::vector<std::string>{"--url"}) {
            more.push_back(url_);
        }
        more.insert(more.begin(), {"context", "add", name, "--token-file", directory_ / "token"});
        return run(more, home_only());
    }
    /// Whose token a command shows to the server.
    std::string shown(std::vector<std::string> arguments, std::vector<std::string> variables) {
        arguments.insert(arguments.begin(), "whoami");
        variables.push_back("HOME=" + home());
        const std::size_t before = server_.requests().size();
        const Ran ran = run(arguments, variables);
        const auto requests = server_.requests();
        if (requests.size() == before) {
            return std::to_string(ran.status) + ": " + ran.errors;
        }
        return requests.back().headers.at("authorization").substr(7, 1);
    }

    StandIn server_{[](const StandIn::Request& request, const StandIn::Peer& peer) {
        const bool first = request.headers.at("authorization") == "Bearer " + kFirst;
        peer.answer(200, "application/json",
                    first ? R"({"agent_id":"alice","role":"agent"})"
                          : R"({"agent_id":"bob","role":"agent"})");
        return true;
    }};
};

TEST_F(Contexts, AreStoredListedUsedShownAndForgotten) {
    EXPECT_EQ(run({"context", "list"}, home_only()).output,
              "no contexts; `agentcom context add` stores one\n");
    const Ran added = add("work", kFirst);
    EXPECT_EQ(added.output, "stored work: alice at " + url_ + ", in use\n") << added.errors;
    EXPECT_EQ(add("home", kSecond).output, "stored home: bob at " + url_ + '\n');

    struct stat status {};
    ASSERT_EQ(::stat(file().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    ASSERT_EQ(::stat(fs::path(file()).parent_path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0700U);

    EXPECT_EQ(shown({}, {}), "a");
    EXPECT_EQ(run({"context", "use", "home"}, home_only()).output, "in use: home\n");
    EXPECT_EQ(shown({}, {}), "b");
    const auto listed = run({"context", "list", "--json"}, home_only());
    ASSERT_EQ(listed.lines().size(), 2U);
    EXPECT_EQ(listed.lines()[0]["name"], "home");
    EXPECT_EQ(listed.lines()[0]["current"], true);
    EXPECT_EQ(listed.lines()[1]["agent"], "alice");
    const Ran shown_context = run({"context", "show"}, home_only());
    EXPECT_NE(shown_context.output.find("bbbbbbbb...\n"), std::string::npos);
    for (const Ran& ran : {listed, shown_context, run({"context", "list"}, home_only())}) {
        EXPECT_EQ(ran.output.find(kSecond.substr(0, 9)), std::string::npos) << ran.output;
    }

    EXPECT_EQ(run({"context", "remove", "home"}, home_only()).status, 0);
    EXPECT_EQ(shown({}, {}).substr(0, 2), "6:") << "none is in use";
    EXPECT_EQ(run({"context", "show"}, home_only()).status, 1);
    EXPECT_EQ(run({"context", "use", "home"}, home_only()).status, 1);
    EXPECT_EQ(run({"context", "remove", "home"}, home_only()).status, 1);
}

TEST_F(Contexts, AreAddedWithCare) {
    ASSERT_EQ(add("work", kFirst).status, 0);
    const Ran again = add("work", kSecond);
    EXPECT_EQ(again.status, 1);
    expect_complaint(again.errors, "--replace");
    EXPECT_EQ(add("work", kSecond, {"--url", url_, "--replace"}).status, 0);
    EXPECT_EQ(shown({}, {}), "b");
    EXPECT_EQ(add("a/b", kFirst).status, 2);
    EXPECT_EQ(add("short", "abc").status, 1);
    EXPECT_EQ(add("nobody", kFirst, {"--url", "http://127.0.0.1:1"}).status, 5);
    EXPECT_EQ(add("later", kFirst, {"--url", "http://127.0.0.1:1", "--offline"}).status, 0);
    EXPECT_EQ(run({"context", "add", "none", "--url", url_}, home_only()).status, 2);
    const Ran empty =
        run({"context", "add", "none", "--url", url_}, {"HOME=" + home(), "AGENTCOM_TOKEN="});
    EXPECT_EQ(empty.status, 2) << "a variable that is empty is one that is not set";
    expect_complaint(empty.errors, "--token-file");
    EXPECT_EQ(add("slash", kFirst, {"--url", url_ + "/"}).output,
              "stored slash: alice at " + url_ + '\n');
    EXPECT_EQ(run({"context", "add", "piped", "--url", url_, "--token-file", "-"}, home_only(),
                  kFirst + "\n")
                  .status,
              0);
}

TEST_F(Contexts, WhatIsNoHubIsNotStored) {
    StandIn other([](const StandIn::Request&, const StandIn::Peer& peer) {
        peer.answer(200, "application/json", R"({"status":"ok"})");
        return true;
    });
    const Ran ran = add("other", kFirst, {"--url", other.url()});
    EXPECT_EQ(ran.status, 5);
    expect_complaint(ran.errors, "is no AgentCom hub");
    EXPECT_FALSE(fs::exists(file()));
}

TEST_F(Contexts, FlagsComeBeforeVariablesAndVariablesBeforeTheFile) {
    ASSERT_EQ(add("work", kFirst).status, 0);
    ASSERT_EQ(add("home", kSecond).status, 0);
    std::ofstream(directory_ / "other") << std::string(64, 'c');
    EXPECT_EQ(shown({}, {"AGENTCOM_CONTEXT=home"}), "b");
    EXPECT_EQ(shown({"--context", "work"}, {"AGENTCOM_CONTEXT=home"}), "a");
    EXPECT_EQ(shown({}, {"AGENTCOM_TOKEN=" + std::string(64, 'd')}), "d");
    EXPECT_EQ(shown({"--context", "work"},
                    {"AGENTCOM_TOKEN=" + std::string(64, 'd'), "AGENTCOM_URL=http://127.0.0.1:1"}),
              "a")
        << "a context that is named is meant as a whole";
    EXPECT_EQ(
        shown({"--token-file", directory_ / "other"}, {"AGENTCOM_TOKEN=" + std::string(64, 'd')}),
        "c");
    EXPECT_EQ(shown({"--context", "nope"}, {}).substr(0, 2), "1:");
}

TEST_F(Contexts, BlanksAroundATokenDoNotMatter) {
    EXPECT_EQ(shown({"--url", url_}, {"AGENTCOM_TOKEN= \t" + kFirst + "\r\n"}), "a");
    std::ofstream(directory_ / "kept") << "\r\n \t" << kSecond << "\r\n";
    EXPECT_EQ(shown({"--url", url_, "--token-file", directory_ / "kept"}, {}), "b");
    std::ofstream(directory_ / "more") << kSecond << " and more\n";
    EXPECT_EQ(shown({"--url", url_, "--token-file", directory_ / "more"}, {}).substr(0, 2), "1:");
    EXPECT_EQ(run({"context", "add", "blank", "--url", url_},
                  {"HOME=" + home(), "AGENTCOM_TOKEN=" + kFirst + " \n"})
                  .status,
              0);
    EXPECT_EQ(shown({"--context", "blank"}, {"AGENTCOM_TOKEN= "}), "a");
    EXPECT_EQ(shown({}, {"AGENTCOM_TOKEN= "}), "a") << "blanks are no token";
}

TEST_F(Contexts, ASlashAtTheEndOfAStoredUrlMeansNothing) {
    ASSERT_EQ(add("work", kFirst).status, 0);
    json stored = json::parse(std::ifstream(file()));
    stored["contexts"]["work"]["url"] = url_ + "//";
    std::ofstream(file()) << stored.dump();
    EXPECT_EQ(ContextFile::read(file()).contexts.at("work").url, url_);
    EXPECT_EQ(shown({"--url", url_}, {}), "a");
}

TEST_F(Contexts, AStoredTokenGoesToItsOwnHubOnly) {
    ASSERT_EQ(add("work", kFirst, {"--url", "http://127.0.0.1:1", "--offline"}).status, 0);
    EXPECT_EQ(shown({"--url", url_}, {}).substr(0, 2), "6:");
    EXPECT_EQ(shown({}, {"AGENTCOM_URL=" + url_}).substr(0, 2), "6:");
    ASSERT_EQ(add("same", kSecond).status, 0);
    EXPECT_EQ(shown({"--context", "same", "--url", url_ + "/"}, {}), "b");
}

TEST_F(Contexts, AFileThatOthersMayReadIsRefused) {
    ASSERT_EQ(add("work", kFirst).status, 0);
    ::chmod(file().c_str(), 0640);
    const Ran ran = run({"whoami"}, home_only());
    EXPECT_EQ(ran.status, 1);
    expect_complaint(ran.errors, "chmod 600");
    EXPECT_EQ(shown({"--url", url_}, {"AGENTCOM_TOKEN=" + kSecond}), "b")
        << "who needs no file is not held up by it";
    ::chmod(file().c_str(), 0600);
    std::ofstream(file()) << "{";
    EXPECT_EQ(run({"whoami"}, home_only()).status, 1);
}

TEST_F(Contexts, AreWhereTheConfigurationIs) {
    const std::string elsewhere = directory_ / "elsewhere";
    EXPECT_EQ(run({"context", "add", "x", "--url", url_},
                  {"XDG_CONFIG_HOME=" + elsewhere, "AGENTCOM_TOKEN=" + kFirst})
                  .status,
              0);
    EXPECT_TRUE(fs::exists(elsewhere + "/agentcom/contexts.json"));
    EXPECT_EQ(run({"context", "list"}, {}).status, 1);
}

TEST(ContextFile, ProgramsThatChangeItAtOnceLoseNothing) {
    const test::TestDirectory directory;
    const fs::path file = directory / "contexts.json";
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&, i] {
            for (int j = 0; j < 5; ++j) {
                ContextFile::change(file, [&](ContextFile& content) {
                    content.contexts['a' + std::to_string(10 * i + j)].url = "http://x";
                });
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(ContextFile::read(file).contexts.size(), 20U);
}

}  // namespace
}  // namespace agentcom::cli
