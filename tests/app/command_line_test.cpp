// The real binary, as an operator meets it.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fstream>
#include <map>
#include <regex>

#include "agentcom/core/version.hpp"
#include "app/admin_client.hpp"
#include "app/command_fixture.hpp"
#include "app/run_file.hpp"
#include "support/paths.hpp"
#include "support/program.hpp"
#include "support/socket_client.hpp"

namespace agentcom::app {
namespace {

using CommandLine = CommandTest;

TEST_F(CommandLine, HelpIsThereForEveryCommand) {
    for (const std::vector<std::string>& command : {std::vector<std::string>{},
                                                    {"serve"},
                                                    {"check"},
                                                    {"token"},
                                                    {"token", "create"},
                                                    {"token", "list"},
                                                    {"token", "revoke"},
                                                    {"import"},
                                                    {"import", "tokens"},
                                                    {"backup"},
                                                    {"restore"},
                                                    {"doctor"}}) {
        auto arguments = command;
        arguments.emplace_back("--help");
        const Ran ran = run(arguments);
        EXPECT_EQ(ran.status, 0);
        EXPECT_NE(ran.output.find("Usage:"), std::string::npos) << ran.output;
    }
}

TEST_F(CommandLine, VersionIsPrinted) {
    const Ran ran = run({"--version"});
    EXPECT_EQ(ran.status, 0);
    EXPECT_EQ(ran.output, "agentcom " + std::string(core::kVersion) + "\n");
}

TEST_F(CommandLine, WrongUsageExitsWithTwo) {
    for (const std::vector<std::string>& arguments : {std::vector<std::string>{},
                                                      {"dance"},
                                                      {"serve", "--prot", "1"},
                                                      {"token", "create"},
                                                      {"token", "create", "a", "--role", "king"}}) {
        const Ran ran = run(arguments);
        EXPECT_EQ(ran.status, 2);
        EXPECT_FALSE(ran.errors.empty());
    }
}

TEST_F(CommandLine, CheckPrintsWhatResults) {
    std::ofstream(directory_ / "a.toml") << "[server]\nport = 1234\n";
    const Ran ran = run({"check", "--config", directory_ / "a.toml"}, {"AGENTCOM_MAILBOX_CAP=7"});
    EXPECT_EQ(ran.status, 0) << ran.errors;
    EXPECT_NE(ran.output.find("port = 1234\n"), std::string::npos);
    EXPECT_NE(ran.output.find("cap = 7\n"), std::string::npos);
}

TEST_F(CommandLine, AQuietCheckSaysOnlyWhatIsWrong) {
    const Ran good = run({"check", "--quiet"});
    EXPECT_EQ(good.status, 0);
    EXPECT_EQ(good.output + good.errors, "");
    // What the hub would meet only at its start.
    const Ran bad = run({"check", "--quiet"}, {"AGENTCOM_AUTH_ADMIN_TOKEN_FILE=/nowhere"});
    EXPECT_EQ(bad.status, 1);
    EXPECT_EQ(bad.output, "");
    expect_one_line(bad.errors, "auth.admin_token_file: cannot read /nowhere");
}

TEST_F(CommandLine, ACheckLooksForTheHost) {
    // A name of this length is refused by the resolver itself, without asking a server.
    const std::string host(300, 'a');
    const Ran ran = run({"check"}, {"AGENTCOM_SERVER_HOST=" + host});
    EXPECT_EQ(ran.status, 1);
    EXPECT_EQ(ran.output, "");
    expect_one_line(ran.errors, "cannot find the address of the host " + host);
    EXPECT_EQ(run({"check", "--quiet"}, {"AGENTCOM_SERVER_HOST=localhost"}).status, 0);
}

TEST_F(CommandLine, ABadConfigurationIsOneLineAndExitsWithOne) {
    const auto file = directory_ / "a.toml";
    std::ofstream(file) << "[server]\nport = 'x'\n";
    for (const char* command : {"check", "serve"}) {
        const Ran ran = run({command, "--config", file});
        EXPECT_EQ(ran.status, 1);
        expect_one_line(ran.errors, "a.toml:2: server.port must be a number");
    }
    const Ran missing = run({"serve", "--config", directory_ / "missing.toml"});
    EXPECT_EQ(missing.status, 1);
    expect_one_line(missing.errors, "missing.toml");
    const Ran variable = run({"check"}, {"AGENTCOM_SERVER_PROT=1"});
    EXPECT_EQ(variable.status, 1);
    expect_one_line(variable.errors, "AGENTCOM_SERVER_PROT");
}

TEST_F(CommandLine, ServeAnswersUntilItIsToldToStop) {
    for (const int signal : {SIGTERM, SIGINT}) {
        auto hub = serve();
        EXPECT_EQ(client("").ask("GET", "/health").status, 200);
        hub->signal(signal);
        EXPECT_EQ(hub->wait(), 0) << hub->errors();
        EXPECT_FALSE(RunFile::read(data()));
    }
}

TEST_F(CommandLine, TheFirstStartMakesAnAdministratorsToken) {
    std::string token;
    {
        auto hub = serve();
        token = admin_token();
        EXPECT_EQ(mode_of(data()), 0700U);
        EXPECT_EQ(mode_of(data() + "/admin_token"), 0600U);
        EXPECT_EQ(mode_of(data() + "/agentcom.run"), 0600U);
        EXPECT_EQ(client(token).ask("GET", "/admin/tokens").status, 200);
        EXPECT_NE(hub->errors().find(data() + "/admin_token"), std::string::npos);
        EXPECT_EQ(hub->errors().find(token), std::string::npos);
        hub->signal(SIGTERM);
        EXPECT_EQ(hub->wait(), 0);
    }
    auto hub = serve();
    EXPECT_EQ(admin_token(), token);
    EXPECT_EQ(client(token).ask("GET", "/admin/tokens").status, 200);
}

TEST_F(CommandLine, TheAdministratorsTokenMayBeGiven) {
    auto hub = serve({std::string("AGENTCOM_ADMIN_TOKEN= ") + kSomeToken + "\n"});
    EXPECT_EQ(client(kSomeToken).ask("GET", "/admin/tokens").status, 200);
    EXPECT_FALSE(std::filesystem::exists(data() + "/admin_token"));
    EXPECT_EQ(hub->errors().find(kSomeToken), std::string::npos);
}

TEST_F(CommandLine, AnUnusableGivenTokenIsNotShown) {
    const Ran ran =
        run({"serve", "--data-dir", data(), "--port", "0"}, {"AGENTCOM_ADMIN_TOKEN=not-a-token"});
    EXPECT_EQ(ran.status, 1);
    expect_one_line(ran.errors, "AGENTCOM_ADMIN_TOKEN must be 64");
    EXPECT_EQ(ran.errors.find("not-a-token"), std::string::npos);
}

TEST_F(CommandLine, APortInUseIsOneLine) {
    boost::asio::io_context context;
    boost::asio::ip::tcp::acceptor taken(
        context, {boost::asio::ip::address_v4::loopback(), boost::asio::ip::port_type{0}});
    const auto port = std::to_string(taken.local_endpoint().port());
    const Ran ran = run({"serve", "--data-dir", data(), "--port", port});
    EXPECT_EQ(ran.status, 1);
    expect_one_line(ran.errors, port);
}

TEST_F(CommandLine, ASecondHubOnTheSameDataIsRefused) {
    auto hub = serve();
    const Ran ran = run({"serve", "--data-dir", data(), "--port", "0"});
    EXPECT_EQ(ran.status, 1);
    expect_one_line(ran.errors, data());
    EXPECT_EQ(client("").ask("GET", "/health").status, 200);
}

TEST_F(CommandLine, ADataDirectoryThatCannotBeMadeIsOneLine) {
    std::ofstream(directory_ / "file") << "";
    const Ran ran = run({"serve", "--data-dir", directory_ / "file/data", "--port", "0"});
    EXPECT_EQ(ran.status, 1);
    expect_one_line(ran.errors, directory_ / "file/data");
}

TEST_F(CommandLine, ADataDirectoryThatCannotHoldAStoreIsOneLine) {
    std::filesystem::create_directories(data() + "/data.mdb");
    const Ran ran = run({"serve", "--data-dir", data(), "--port", "0"});
    EXPECT_EQ(ran.status, 1);
    expect_one_line(ran.errors, data());
}

TEST_F(CommandLine, ADataDirectoryThatIsNotWritableIsOneLine) {
    if (::geteuid() == 0) {
        GTEST_SKIP() << "the superuser may write everywhere";
    }
    std::filesystem::create_directory(data());
    std::filesystem::permissions(data(), std::filesystem::perms::owner_read);
    const Ran ran = run({"serve", "--data-dir", data(), "--port", "0"});
    EXPECT_EQ(ran.status, 1);
    expect_one_line(ran.errors, data());
}

TEST_F(CommandLine, TokensAreMadeListedAndRevokedWithoutAHub) {
    const Ran made = run({"token", "create", "alice", "--create", "--data-dir", data()});
    ASSERT_EQ(made.status, 0) << made.errors;
    const std::string token = first_line(made.output);
    EXPECT_EQ(made.output.size(), 65U);
    ASSERT_EQ(run({"token", "create", "root", "--role", "admin", "--data-dir", data()}).status, 0);

    const Ran list = run({"token", "list", "--data-dir", data()});
    EXPECT_EQ(list.status, 0);
    EXPECT_NE(list.output.find(token.substr(0, 8) + "...  agent     alice\n"), std::string::npos)
        << list.output;
    EXPECT_NE(list.output.find("admin     root\n"), std::string::npos) << list.output;
    EXPECT_EQ(list.output.find(token), std::string::npos);
    {
        auto hub = serve();
        EXPECT_EQ(client(token).ask("GET", "/api/mailbox/alice").status, 200);
    }
    EXPECT_EQ(run({"token", "revoke", "alice", "--data-dir", data()}).status, 0);
    const Ran again = run({"token", "revoke", "alice", "--data-dir", data()});
    EXPECT_EQ(again.status, 1);
    expect_one_line(again.errors, "alice has no token");
    auto hub = serve();
    EXPECT_THROW((void)client(token).ask("GET", "/api/mailbox/alice"), std::runtime_error);
}

/// Scripts read a token from standard output; what is logged of the store is not for them.
TEST_F(CommandLine, AfterAKillCommandsFindAllThatTheHubHadTakenAndAnswerNothingElse) {
    {
        auto hub = serve();
        ASSERT_EQ(run({"token", "create", "bob", "--data-dir", data()}).status, 0);
        hub->signal(SIGKILL);
        EXPECT_EQ(hub->wait(), 128 + SIGKILL);
    }
    const Ran made = run({"token", "create", "carol", "--data-dir", data()});
    EXPECT_EQ(made.status, 0) << made.errors;
    EXPECT_EQ(made.output.size(), 65U) << made.output;
    EXPECT_NE(made.errors.find("was not closed in order"), std::string::npos) << made.errors;
    const Ran list = run({"token", "list", "--data-dir", data()});
    EXPECT_NE(list.output.find("agent     bob\n"), std::string::npos) << list.output;
    EXPECT_NE(list.output.find("agent     carol\n"), std::string::npos) << list.output;
    EXPECT_EQ(list.errors, "") << "the second one finds a store that was closed";
    const Ran doctor = run({"doctor", "--data-dir", data()});
    EXPECT_EQ(doctor.status, 0) << doctor.output << doctor.errors;
    EXPECT_NE(doctor.output.find("sound"), std::string::npos) << doctor.output;
}

TEST_F(CommandLine, TokensAreMadeListedAndRevokedThroughARunningHub) {
    auto hub = serve();
    const Ran made = run({"token", "create", "bob", "--data-dir", data()});
    ASSERT_EQ(made.status, 0) << made.errors;
    const std::string token = first_line(made.output);
    EXPECT_EQ(client(token).ask("GET", "/api/mailbox/bob").status, 200);
    const Ran list = run({"token", "list", "--data-dir", data()});
    EXPECT_NE(list.output.find(token.substr(0, 8) + "...  agent     bob\n"), std::string::npos)
        << list.output << list.errors;
    const Ran revoked = run({"token", "revoke", "bob", "--data-dir", data()});
    EXPECT_EQ(revoked.status, 0) << revoked.errors;
    EXPECT_THROW((void)client(token).ask("GET", "/api/mailbox/bob"), std::runtime_error);
}

TEST_F(CommandLine, ARunningHubWantsAnAdministratorsToken) {
    auto hub = serve({std::string("AGENTCOM_ADMIN_TOKEN=") + kSomeToken});
    const Ran without = run({"token", "create", "bob", "--data-dir", data()});
    EXPECT_EQ(without.status, 1);
    expect_one_line(without.errors, "--admin-token");
    const Ran wrong =
        run({"token", "list", "--data-dir", data(), "--admin-token", std::string(64, 'a')});
    EXPECT_EQ(wrong.status, 1);
    expect_one_line(wrong.errors, "401");
    EXPECT_EQ(run({"token", "list", "--data-dir", data(), "--admin-token", kSomeToken}).status, 0);
    const std::string file = data() + "/somewhere";
    const Ran missing = run({"token", "list", "--data-dir", data(), "--admin-token-file", file});
    EXPECT_EQ(missing.status, 1);
    expect_one_line(missing.errors, "cannot read");
    std::ofstream(file) << kSomeToken << "\t\r\n";
    EXPECT_EQ(run({"token", "list", "--data-dir", data(), "--admin-token-file", file}).status, 0);
    EXPECT_EQ(run({"token", "list", "--data-dir", data()},
                  {std::string("AGENTCOM_ADMIN_TOKEN=") + kSomeToken})
                  .status,
              0);
}

TEST_F(CommandLine, AKilledHubDoesNotStopTheNextOrTheTokenCommand) {
    {
        auto hub = serve();
        hub->signal(SIGKILL);
        EXPECT_EQ(hub->wait(), 128 + SIGKILL);
    }
    EXPECT_EQ(run({"token", "create", "alice", "--data-dir", data()}).status, 0);
    auto hub = serve();
    EXPECT_EQ(client(admin_token()).ask("GET", "/admin/tokens").status, 200);
}

TEST_F(CommandLine, AMistypedDataDirectoryIsNotMade) {
    for (const char* command : {"list", "revoke", "create"}) {
        std::vector<std::string> arguments{"token", command, "--data-dir", data()};
        if (arguments[1] != "list") {
            arguments.emplace_back("alice");
        }
        const Ran ran = run(arguments);
        EXPECT_EQ(ran.status, 1);
        expect_one_line(ran.errors, "no data directory");
        EXPECT_EQ(ran.errors.find("--create") != std::string::npos, arguments[1] == "create");
        EXPECT_EQ(ran.output, "");
    }
    EXPECT_FALSE(std::filesystem::exists(data()));
}

TEST_F(CommandLine, ADirectoryWithoutAStoreIsLeftAsItIs) {
    std::filesystem::create_directory(data());
    for (const char* command : {"list", "revoke", "create"}) {
        std::vector<std::string> arguments{"token", command, "--data-dir", data()};
        if (arguments[1] != "list") {
            arguments.emplace_back("alice");
        }
        const Ran ran = run(arguments);
        EXPECT_EQ(ran.status, 1);
        expect_one_line(ran.errors, "no store in " + data());
    }
    EXPECT_TRUE(std::filesystem::is_empty(data()));
}

TEST_F(CommandLine, TokensOfTheOriginalHubKeepWorking) {
    const auto file = directory_ / "tokens.json";
    std::ofstream(file) << R"({")" << kSomeToken << R"(": "old-agent", "tooshort": "bad-one", ")"
                        << std::string(64, 'b') << R"(": 7, ")" << std::string(64, 'c')
                        << R"(": "Zo\u00eb at home"})";
    const Ran ran = run({"import", "tokens", file, "--data-dir", data()});
    EXPECT_EQ(ran.status, 1);
    EXPECT_EQ(ran.output, "2 imported, 0 already there, 2 refused\n");
    EXPECT_NE(ran.errors.find("\"bad-one\""), std::string::npos) << ran.errors;
    EXPECT_EQ(ran.errors.find("tooshort"), std::string::npos) << ran.errors;
    EXPECT_EQ(run({"import", "tokens", file, "--data-dir", data()}).output,
              "0 imported, 2 already there, 2 refused\n");
    auto hub = serve();
    EXPECT_EQ(client(kSomeToken).ask("GET", "/api/mailbox/old-agent").status, 200);
}

TEST_F(CommandLine, ARunningHubsTokensAreListedToTheLastPage) {
    constexpr int kTokens = 2'100;  // a page has 1,000
    nlohmann::json tokens;
    for (int i = 0; i < kTokens; ++i) {
        std::string digits = std::to_string(i);
        digits.insert(0, 64 - digits.size(), '0');
        tokens[digits] = "agent-" + std::to_string(i);
    }
    const auto file = directory_ / "tokens.json";
    std::ofstream(file) << tokens;
    ASSERT_EQ(run({"import", "tokens", file, "--data-dir", data()}).status, 0);
    auto hub = serve();
    const Ran list = run({"token", "list", "--data-dir", data()});
    ASSERT_EQ(list.status, 0) << list.errors;
    EXPECT_EQ(std::ranges::count(list.output, '\n'), kTokens + 1) << "and the administrator's";
    for (int i = 0; i < kTokens; ++i) {
        ASSERT_NE(list.output.find("  agent-" + std::to_string(i) + "\n"), std::string::npos) << i;
    }
}

TEST_F(CommandLine, AFileThatIsNoTokenFileIsRefused) {
    const auto file = directory_ / "tokens.json";
    for (const char* text : {"[]", "{", "7"}) {
        std::ofstream(file) << text;
        const Ran ran = run({"import", "tokens", file, "--data-dir", data()});
        EXPECT_EQ(ran.status, 1);
        expect_one_line(ran.errors, "not a JSON object");
    }
    EXPECT_FALSE(std::filesystem::exists(data()));
}

TEST_F(CommandLine, JsonLogLinesAreJson) {
    auto hub = serve({"AGENTCOM_LOG_FORMAT=json"});
    hub->signal(SIGTERM);
    EXPECT_EQ(hub->wait(), 0);
    std::istringstream lines(hub->errors());
    int count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
        const auto entry = nlohmann::json::parse(line, nullptr, false);
        ASSERT_TRUE(entry.is_object()) << line;
        EXPECT_TRUE(entry.contains("time") && entry.contains("level") && entry.contains("message"));
    }
    EXPECT_GE(count, 2);
}

TEST_F(CommandLine, ASecondSignalHurriesTheShutdown) {
    // A client that never reads nor closes keeps its connection open past any closing handshake.
    auto hub = serve({"AGENTCOM_SERVER_SHUTDOWN_TIMEOUT=1h", "AGENTCOM_LIMITS_CLOSE_TIMEOUT=1h",
                      "AGENTCOM_LIMITS_REQUEST_TIMEOUT=1h"});
    boost::asio::io_context context;
    boost::asio::ip::tcp::socket socket(context);
    const std::string url = RunFile::read(data())->url;
    const auto port = static_cast<std::uint16_t>(std::stoul(url.substr(url.rfind(':') + 1)));
    socket.connect({boost::asio::ip::address_v4::loopback(), port});
    socket.send(boost::asio::buffer(std::string(
        "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")));
    std::array<char, 512> answer{};
    ASSERT_GT(socket.receive(boost::asio::buffer(answer)), 0U);
    hub->signal(SIGTERM);
    hub->wait_for_line("stopping");
    hub->signal(SIGTERM);
    EXPECT_EQ(hub->wait(), 0) << hub->errors();
    EXPECT_NE(hub->errors().find("1 connections did not end in time"), std::string::npos)
        << hub->errors();
}

TEST_F(CommandLine, TheDashboardIsServedWithAllThatItLinksTo) {
    auto hub = serve();
    const std::string url = RunFile::read(data())->url;
    test::HttpClient client(static_cast<std::uint16_t>(std::stoul(url.substr(url.rfind(':') + 1))));
    const auto page = client.get("/dashboard");
    EXPECT_EQ(page.status, 200);
    EXPECT_TRUE(page.body.starts_with("<!doctype html>")) << page.body;
    const std::regex link("(?:href|src)=\"([^\"]+)\"");
    std::size_t links = 0;
    std::size_t packed_bytes = page.body.size();
    for (std::sregex_iterator each(page.body.begin(), page.body.end(), link), end; each != end;
         ++each, ++links) {
        const std::string path = '/' + (*each)[1].str();
        const auto plain = client.get(path);
        EXPECT_EQ(plain.status, 200) << path;
        const auto packed = client.request("GET", path, {}, {"Accept-Encoding: gzip"});
        EXPECT_EQ(packed.headers.at("content-encoding"), "gzip") << path;
        EXPECT_TRUE(packed.body.starts_with("\x1f\x8b")) << path;
        EXPECT_NE(packed.body.size(), plain.body.size()) << path;
        packed_bytes += packed.body.size();
    }
    EXPECT_EQ(links, 3U);
    EXPECT_LT(packed_bytes, 120'000U);
}

}  // namespace
}  // namespace agentcom::app
