// Reading the configuration again: what it comes to, and SIGHUP and POST /admin/reload at the real
// daemon.
#include "app/reload.hpp"

#include <sys/stat.h>

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <string>

#include "app/command_fixture.hpp"
#include "app/config_keys.hpp"
#include "support/certificate.hpp"
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
    /// As a hub would that accepts everything; what it is given is kept.
    [[nodiscard]] Prepare accept() {
        return [this](const Config& next) { return [this, next] { in_force_ = next; }; };
    }

    test::TestDirectory directory_;
    std::optional<Config> in_force_;
};

TEST_F(Reload, SaysWhatWasTakenOverAndWhatNeedsARestart) {
    write("");
    Config running = load_config(sources());
    write(
        "[log]\nlevel = \"debug\"\n[limits]\nmax_connections = 77\nmessage_burst = 5\n"
        "[server]\nport = 1234\nallowed_origins = [\"https://a.example\", "
        "\"https://b.example\"]\n");
    const Reloaded first = reload(sources(), running, accept());
    EXPECT_FALSE(first.problem);
    EXPECT_EQ(first.line(),
              "reloaded: server.allowed_origins = [\"https://a.example\", \"https://b.example\"], "
              "limits.message_burst = 5, log.level = debug; needs a restart: server.port, "
              "limits.max_connections");
    EXPECT_EQ(first.what.changed, (std::vector<std::string>{"server.allowed_origins",
                                                            "limits.message_burst", "log.level"}));
    EXPECT_EQ(running.log_level, LogLevel::debug);
    EXPECT_EQ(running.endpoint.port, 4000);
    ASSERT_TRUE(in_force_);
    EXPECT_EQ(print_config(*in_force_), print_config(running));
    // What waits for a restart goes on waiting.
    EXPECT_EQ(reload(sources(), running, accept()).line(),
              "reloaded: nothing; needs a restart: server.port, limits.max_connections");
    write("[log]\nlevel = \"debug\"\n");
    const Reloaded last = reload(sources(), running, accept());
    EXPECT_EQ(last.line(), "reloaded: server.allowed_origins = [], limits.message_burst = 200000");
    EXPECT_TRUE(last.what.needs_restart.empty());
}

/// Gives the key another value, of whatever type it takes.
void alter(const ConfigKey& key, Config& config) {
    const std::vector<RawValue> others{std::int64_t{60'001},
                                       std::int64_t{99},
                                       std::int64_t{9},
                                       std::int64_t{50'000'000},
                                       false,
                                       true,
                                       std::vector<std::string>{"192.0.2.1"},
                                       std::vector<std::string>{"https://a.example"},
                                       std::string("error"),
                                       std::string("json"),
                                       std::string("relaxed"),
                                       std::string("all"),
                                       std::string("token"),
                                       std::string("other"),
                                       std::string("/hub")};
    const std::string before = key.show(config);
    for (const RawValue& other : others) {
        if (key.show(config) == before) (void)key.read(config, other);
    }
    ASSERT_NE(key.show(config), before) << key.dotted();
}

TEST_F(Reload, EveryKeyCanBeCopied) {
    write("");
    for (const ConfigKey& key : config_keys()) {
        Config from;
        Config to;
        ASSERT_NO_FATAL_FAILURE(alter(key, from));
        key.copy(from, to);
        EXPECT_EQ(key.show(from), key.show(to)) << key.dotted();
    }
}

TEST_F(Reload, AnUnusableConfigurationChangesNothing) {
    write("");
    Config running = load_config(sources());
    write("[log]\nlevel = \"debug\"\ncolour = \"red\"\n");
    const Reloaded reloaded = reload(sources(), running, accept());
    ASSERT_TRUE(reloaded.problem);
    EXPECT_TRUE(reloaded.line().starts_with("not reloaded, everything stays as it was: "));
    EXPECT_NE(reloaded.problem->find("log.colour"), std::string::npos) << *reloaded.problem;
    EXPECT_EQ(reloaded.result().error().code, core::ErrorCode::invalid_configuration);
    EXPECT_EQ(running.log_level, LogLevel::info);
    EXPECT_FALSE(in_force_);
}

TEST_F(Reload, APipeIsNotWaitedFor) {
    write("");
    Config running = load_config(sources());
    std::filesystem::remove(file());
    ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
    const Reloaded reloaded = reload(sources(), running, accept());
    ASSERT_TRUE(reloaded.problem);
    EXPECT_NE(reloaded.problem->find("is no regular file"), std::string::npos) << *reloaded.problem;
    EXPECT_FALSE(in_force_);
}

TEST_F(Reload, WhatTheHubCannotUseChangesNothingEither) {
    write("");
    Config running = load_config(sources());
    write("[log]\nlevel = \"debug\"\n");
    const Reloaded reloaded =
        reload(sources(), running, [](const Config&) -> std::function<void()> {
            throw std::runtime_error("the key has a password");
        });
    EXPECT_EQ(reloaded.line(), "not reloaded, everything stays as it was: the key has a password");
    EXPECT_EQ(running.log_level, LogLevel::info);
}

TEST_F(Reload, TlsFilesMayMoveButTlsIsNotTurnedOnOrOff) {
    const test::CertificateFiles files = test::make_certificate(directory_.path());
    const auto with_files = [&](const std::string& chain) {
        write("[tls]\ncertificate = \"" + chain + "\"\nprivate_key = \"" + files.key + "\"\n");
    };
    write("");
    Config plain = load_config(sources());
    with_files(files.certificate);
    const Reloaded on = reload(sources(), plain, accept());
    EXPECT_EQ(on.line(), "reloaded: nothing; needs a restart: tls.certificate, tls.private_key");
    EXPECT_FALSE(in_force_->endpoint.tls);

    Config running = load_config(sources());
    EXPECT_EQ(reload(sources(), running, accept()).line(), "reloaded: the TLS certificate and key");
    const std::string moved = directory_ / "moved.pem";
    std::filesystem::copy_file(files.certificate, moved);
    with_files(moved);
    EXPECT_EQ(reload(sources(), running, accept()).line(),
              "reloaded: tls.certificate = " + moved + ", the TLS certificate and key");
    EXPECT_EQ(in_force_->endpoint.tls->certificate_chain_file, moved);
}

TEST(ReloadDesk, AfterTheEndWhoeverAsksIsToldSo) {
    ReloadDesk desk;
    desk.close();
    std::optional<core::ErrorCode> told;
    desk.ask([&](const router::Router::ReloadResult& result) { told = result.error().code; });
    EXPECT_EQ(told, core::ErrorCode::shutting_down);
    EXPECT_TRUE(desk.take().empty());
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

/// What the hub says of itself is made at its start. A setting that it states and that a reload can
/// change would make it wrong: then this fails, and the documents have to be made anew.
TEST_F(Reload, WhatTheHubSaysOfItselfIsTrueAfterwards) {
    Config config;
    config.endpoint.port = 0;
    config.store.directory = directory_ / "data";
    Config other = config;
    other.store.directory = directory_ / "other";
    std::size_t altered = 0;
    for (const ConfigKey& key : config_keys()) {
        if (key.change != Change::reload || key.section == "tls") continue;
        ASSERT_NO_FATAL_FAILURE(alter(key, other));
        key.copy(other, config);
        ++altered;
    }
    ASSERT_GT(altered, 10U);
    const auto start = [this](const char* name, const std::string& text) {
        std::ofstream(directory_ / name) << text;
        return std::make_unique<test::Program>(
            std::vector<std::string>{"serve", "--config", directory_ / name});
    };
    const auto said_by = [](test::Program& hub) {
        const std::string line = hub.wait_for_line("listening on ");
        test::HttpClient client(
            static_cast<std::uint16_t>(std::stoul(line.substr(line.rfind(':') + 1))));
        std::vector<std::string> documents;
        for (const char* path : {"/openapi.json", "/asyncapi.json", "/llms.txt", "/SKILL.md",
                                 "/.well-known/agent-card.json"}) {
            const auto answer = client.get(path);
            EXPECT_EQ(answer.status, 200) << path;
            documents.push_back(answer.body);
        }
        return documents;
    };
    Config plain;
    plain.endpoint.port = 0;
    plain.store.directory = config.store.directory;
    // Lines of other levels would be missed.
    config.log_level = LogLevel::info;
    other.log_level = LogLevel::info;
    const auto reloaded = start("hub.toml", print_config(plain));
    reloaded->wait_for_line("listening on ");
    std::ofstream(directory_ / "hub.toml") << print_config(config);
    reloaded->signal(SIGHUP);
    const std::string line = reloaded->wait_for_line("reloaded: ");
    EXPECT_EQ(line.find("needs a restart"), std::string::npos) << line;
    const auto started = start("other.toml", print_config(other));
    EXPECT_EQ(said_by(*reloaded), said_by(*started));
    for (const auto* hub : {&reloaded, &started}) {
        (*hub)->signal(SIGTERM);
        EXPECT_EQ((*hub)->wait(), 0) << (*hub)->errors();
    }
}

TEST_F(Reload, AnAdministratorReloadsOverHttpAndByTheCommand) {
    write("");
    test::Program hub(
        {"serve", "--config", file(), "--port", "0"},
        {std::string("AGENTCOM_ADMIN_TOKEN=") + kSomeToken, "AGENTCOM_LIMITS_MESSAGE_BURST=9"});
    const std::string listening = hub.wait_for_line("listening on ");
    const auto port =
        static_cast<std::uint16_t>(std::stoul(listening.substr(listening.rfind(':') + 1)));
    test::HttpClient admin(port, kSomeToken);
    // The environment goes before the file, and the flag before both.
    write(
        "[server]\nport = 1\nthreads = 1\n[limits]\nmessage_burst = 7\nmax_channels = 1\n"
        "share_percent = 100\nmessages_per_second = 11\n");
    EXPECT_EQ(
        admin.post("/admin/reload", nlohmann::json::object()).json(),
        nlohmann::json::parse(R"({"status":"reloaded","changed":["limits.messages_per_second",)"
                              R"("limits.max_channels","limits.share_percent"],)"
                              R"("needs_restart":["server.threads"],"tls_read_again":false})"));
    EXPECT_EQ(admin.get("/api/me").json().at("limits").at("messages_per_second"), 11);
    EXPECT_EQ(admin.post("/api/channels", {{"name", "one"}}).status, 201);
    EXPECT_EQ(admin.post("/api/channels", {{"name", "two"}}).json().at("error"), "channel_limit");
    EXPECT_EQ(test::HttpClient(port).post("/admin/reload", nlohmann::json::object()).status, 401);

    const std::vector<std::string> as_admin{"AGENTCOM_URL=http://127.0.0.1:" + std::to_string(port),
                                            std::string("AGENTCOM_TOKEN=") + kSomeToken,
                                            "HOME=" + (directory_ / "home")};
    write("[limits]\nmax_channels = 2\nshare_percent = 100\nmessages_per_second = 11\n");
    test::Program command({"reload"}, as_admin);
    EXPECT_EQ(command.wait(), 0) << command.errors();
    EXPECT_EQ(command.output(), "reloaded: limits.max_channels\n");
    EXPECT_EQ(admin.post("/api/channels", {{"name", "two"}}).status, 201);

    write("[limits]\nmax_channels = 0\nshare_percent = 0\n");
    test::Program refused({"reload"}, as_admin);
    EXPECT_EQ(refused.wait(), 7);
    EXPECT_NE(refused.errors().find("limits.share_percent"), std::string::npos);
    EXPECT_EQ(admin.request("DELETE", "/api/channels/two").status, 200);
    EXPECT_EQ(admin.post("/api/channels", {{"name", "two"}}).status, 201);
    hub.signal(SIGTERM);
    EXPECT_EQ(hub.wait(), 0) << hub.errors();
}

}  // namespace
}  // namespace agentcom::app
