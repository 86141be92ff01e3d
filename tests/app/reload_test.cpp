// SIGHUP at the real daemon, and what reading the configuration again comes to.
#include "app/reload.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <string>

#include "support/program.hpp"
#include "support/socket_client.hpp"

namespace agentcom::app {
namespace {

class Reload : public ::testing::Test {
protected:
    void write(const std::string& text) const {
        std::ofstream(file()) << "[store]\ndata_dir = \"" << (directory_ / "data") << "\"\n"
                              << text;
    }
    [[nodiscard]] std::string file() const { return directory_ / "hub.toml"; }
    [[nodiscard]] ConfigSources sources() const {
        return {.file = file(), .flags = {}, .environment = {}};
    }
    static bool no_tls() { return false; }

    test::TestDirectory directory_;
};

TEST_F(Reload, SaysWhatWasTakenOverAndWhatNeedsARestart) {
    write("");
    Config running = load_config(sources());
    write("[log]\nlevel = \"debug\"\n[limits]\nmax_connections = 77\n[server]\nport = 1234\n");
    const Reloaded first = reload(sources(), running, no_tls);
    EXPECT_TRUE(first.applied);
    EXPECT_TRUE(first.wants_restart);
    EXPECT_EQ(first.line,
              "reloaded: log.level = debug; needs a restart: server.port, limits.max_connections");
    EXPECT_EQ(running.log_level, LogLevel::debug);
    EXPECT_EQ(running.endpoint.port, 4000);
    // What waits for a restart goes on waiting.
    EXPECT_EQ(reload(sources(), running, no_tls).line,
              "reloaded: nothing; needs a restart: server.port, limits.max_connections");
    write("[log]\nlevel = \"debug\"\n");
    const Reloaded last = reload(sources(), running, no_tls);
    EXPECT_EQ(last.line, "reloaded: nothing");
    EXPECT_FALSE(last.wants_restart);
}

TEST_F(Reload, AnUnusableConfigurationChangesNothing) {
    write("");
    Config running = load_config(sources());
    write("[log]\nlevel = \"debug\"\ncolour = \"red\"\n");
    const Reloaded reloaded = reload(sources(), running, no_tls);
    EXPECT_FALSE(reloaded.applied);
    EXPECT_NE(reloaded.line.find("everything stays as it was"), std::string::npos);
    EXPECT_NE(reloaded.line.find("log.colour"), std::string::npos) << reloaded.line;
    EXPECT_EQ(running.log_level, LogLevel::info);
}

TEST_F(Reload, TheTlsFilesAreReadAgainAndKeptWhenTheyAreOfNoUse) {
    write("");
    Config running = load_config(sources());
    running.endpoint.tls = net::TlsOptions{"chain.pem", "key.pem"};
    EXPECT_EQ(reload(sources(), running, [] { return true; }).line,
              "reloaded: the TLS certificate and key");
    const Reloaded reloaded = reload(sources(), running, [] { return false; });
    EXPECT_FALSE(reloaded.applied);
    EXPECT_EQ(reloaded.line, "reloaded: nothing; the TLS certificate and key stay as they were");
}

TEST_F(Reload, TheHubReloadsOnSighupAndGoesOnServing) {
    write("[server]\nport = 0\n");
    test::Program hub({"serve", "--config", file()});
    const std::string listening = hub.wait_for_line("listening on ");
    const auto port =
        static_cast<std::uint16_t>(std::stoul(listening.substr(listening.rfind(':') + 1)));
    test::HttpClient client(port);
    const auto greet = [&] {
        test::WsClient visitor(port);
        EXPECT_EQ(visitor.ask({{"type", "ping"}}).at("error"), "not_identified");
    };
    write("[server]\nport = 0\n[log]\nlevel = \"error\"\n");
    hub.signal(SIGHUP);
    hub.wait_for_line("reloaded: log.level = error");
    greet();
    write("[server]\nport = 0\n[log]\nlevel = \"info\"\n[store]\n");
    hub.signal(SIGHUP);
    for (const int other : {SIGUSR1, SIGUSR2, SIGPIPE, SIGVTALRM, SIGPWR, SIGRTMIN, SIGRTMAX}) {
        hub.signal(other);
    }
    // A table that is there twice is no TOML; that is told at the old level, too.
    hub.wait_for_line("not reloaded, everything stays as it was");
    EXPECT_EQ(hub.errors().find("WebSocket connection from"), std::string::npos);
    write("[server]\nport = 0\n[log]\nlevel = \"info\"\n");
    hub.signal(SIGHUP);
    hub.wait_for_line("reloaded: log.level = info");
    greet();
    hub.wait_for_line("WebSocket connection from");
    // The connection from before is still served.
    EXPECT_EQ(client.get("/health").status, 200);
    hub.signal(SIGTERM);
    EXPECT_EQ(hub.wait(), 0) << hub.errors();
}

}  // namespace
}  // namespace agentcom::app
