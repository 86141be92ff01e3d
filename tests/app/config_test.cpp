#include "app/config.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "app/config_file.hpp"
#include "app/config_keys.hpp"
#include "app/config_values.hpp"
#include "support/paths.hpp"
#include "support/program.hpp"

namespace agentcom::app {
namespace {

class ConfigFiles : public ::testing::Test {
protected:
    std::filesystem::path write(std::string_view text) {
        const auto file = directory_.path() / "agentcom.toml";
        std::ofstream(file) << text;
        return file;
    }
    Config load(std::string_view text, Environment environment = {}) {
        return load_config({write(text), {}, std::move(environment)});
    }
    std::string problem(std::string_view text, Environment environment = {}) {
        try {
            (void)load(text, std::move(environment));
        } catch (const ConfigError& error) {
            return error.what();
        }
        return "";
    }
    test::TestDirectory directory_;
};

std::filesystem::path example_file() { return test::source_dir() / "config" / "agentcom.toml"; }

TEST(ExampleConfiguration, IsTheDefaults) {
    const Config config = load_config({example_file(), {}, {}});
    EXPECT_EQ(print_config(config), print_config(Config()));
}

TEST(ExampleConfiguration, HasEveryKeyOfEverySectionOnce) {
    std::ifstream stream(example_file());
    std::map<std::string, int> seen;
    std::string section;
    for (std::string line; std::getline(stream, line);) {
        if (line.starts_with('[')) {
            section = line.substr(1, line.find(']') - 1);
        } else if (const auto equals = line.find(" =");
                   !line.starts_with('#') && equals != std::string::npos) {
            ++seen[section + '.' + line.substr(0, equals)];
        }
    }
    EXPECT_EQ(seen.size(), config_keys().size());
    for (const ConfigKey& key : config_keys()) {
        EXPECT_EQ(seen[key.dotted()], 1) << key.dotted();
        EXPECT_FALSE(key.doc.empty()) << key.dotted();
    }
}

TEST(ExampleConfiguration, MarksWhatAReloadTakesOver) {
    std::ifstream stream(example_file());
    std::string section;
    std::string comment;
    for (std::string line; std::getline(stream, line);) {
        if (line.starts_with('[')) section = line.substr(1, line.find(']') - 1);
        const auto equals = line.find(" =");
        if (line.starts_with('#')) {
            comment = line;
        } else if (equals != std::string::npos) {
            const ConfigKey* key = find_config_key(section, line.substr(0, equals));
            ASSERT_NE(key, nullptr) << line;
            EXPECT_EQ(comment.ends_with(" [reload]"), key->change == Change::reload) << line;
        }
    }
}

TEST(OperationsPage, ListsWhatAReloadTakesOver) {
    std::ifstream page(test::source_dir() / "docs" / "operations.md");
    std::string line;
    while (std::getline(page, line) && line != "## Reload") {
    }
    std::set<std::string> listed;
    while (std::getline(page, line) && !line.starts_with("## ")) {
        if (!line.starts_with("| `")) continue;
        // What stands in backticks: the section, then its settings.
        std::vector<std::string> names;
        for (auto at = line.find('`'); at != std::string::npos; at = line.find('`', at)) {
            const auto end = line.find('`', at + 1);
            names.push_back(line.substr(at + 1, end - at - 1));
            at = end + 1;
        }
        for (std::size_t i = 1; i < names.size(); ++i) {
            EXPECT_TRUE(listed.insert(names[0] + '.' + names[i]).second) << names[i];
        }
    }
    std::set<std::string> reloadable;
    for (const ConfigKey& key : config_keys()) {
        if (key.change == Change::reload) reloadable.insert(key.dotted());
    }
    EXPECT_EQ(listed, reloadable);
}

TEST(Defaults, AreThoseOfTheOtherRooms) {
    const Config config = load_config({});
    EXPECT_EQ(config.endpoint.port, net::EndpointOptions().port);
    EXPECT_EQ(config.store.map_size, store::StoreOptions().map_size);
    EXPECT_EQ(config.router.mailbox_cap, router::RouterOptions().mailbox_cap);
    EXPECT_EQ(config.store.directory, "data");
}

TEST(Defaults, EveryKeyAcceptsItsOwnDefault) {
    for (const ConfigKey& key : config_keys()) {
        Config config;
        const std::string shown = key.show(config);
        std::stringstream file;
        file << '[' << key.section << "]\n" << key.name << " = " << shown << '\n';
        test::TestDirectory directory;
        const auto path = directory.path() / "one.toml";
        std::ofstream(path) << file.str();
        EXPECT_NO_THROW(apply_config_file(config, path)) << key.dotted();
        EXPECT_EQ(key.show(config), shown) << key.dotted();
    }
}

TEST_F(ConfigFiles, AnEmptyFileChangesNothing) {
    EXPECT_EQ(print_config(load("")), print_config(Config()));
}

TEST_F(ConfigFiles, ValuesOfEveryKindAreRead) {
    const Config config = load(R"(
[server]
host = "::1"
port = 8080
[store]
data_dir = "/var/lib/agentcom"
map_size = "2GiB"
durability = "relaxed"
sync_interval = 250
[auth]
anonymous_reads = true
admin_agents = ["root", "ops:1"]
[limits]
max_frame_bytes = 65536
identify_timeout = "3s"
[log]
level = "warning"
format = "json"
)");
    EXPECT_EQ(config.endpoint.host, "::1");
    EXPECT_EQ(config.endpoint.port, 8080);
    EXPECT_EQ(config.store.directory, "/var/lib/agentcom");
    EXPECT_EQ(config.store.map_size, std::size_t{2} << 30);
    EXPECT_EQ(config.store.durability, store::Durability::relaxed);
    EXPECT_EQ(config.store.sync_interval, core::Millis(250));
    EXPECT_TRUE(config.router.anonymous_reads);
    ASSERT_EQ(config.router.admin_agents.size(), 2U);
    EXPECT_EQ(config.router.admin_agents[1].str(), "ops:1");
    EXPECT_EQ(config.endpoint.limits.max_frame_bytes, 65536U);
    EXPECT_EQ(config.router.max_frame_bytes, 65536U);
    EXPECT_EQ(config.endpoint.limits.identify_timeout, core::Millis(3000));
    EXPECT_EQ(config.log_level, LogLevel::warning);
    EXPECT_EQ(config.log_format, LogFormat::json);
}

TEST_F(ConfigFiles, WhatIsPrintedCanBeReadAgain) {
    const Config config = load("[store]\ndata_dir = 'a \"b\" \\ c'\n[mailbox]\nttl = 1234\n");
    const std::string printed = print_config(config);
    EXPECT_EQ(print_config(load(printed)), printed);
    EXPECT_EQ(load(printed).store.directory, "a \"b\" \\ c");
}

TEST_F(ConfigFiles, EachSettingSaysWhereItComesFrom) {
    const auto file = write("[mailbox]\ncap = 7\nttl = 1234\n");
    const Config config = load_config(
        {file, {{"server.port", "4711"}}, {{"PORT", "1"}, {"AGENTCOM_MAILBOX_TTL", "99s"}}});
    const std::string printed = print_config(config, true);
    for (const std::string line :
         {"port = 4711  # the flag for server.port", "host = \"127.0.0.1\"  # the default",
          "ttl = \"99s\"  # the environment variable AGENTCOM_MAILBOX_TTL",
          "level = \"info\"  # the default; a reload takes a change over"}) {
        EXPECT_NE(printed.find('\n' + line + '\n'), std::string::npos) << line << '\n' << printed;
    }
    EXPECT_NE(printed.find("cap = 7  # " + file.string() + ", line 2\n"), std::string::npos);
    EXPECT_EQ(print_config(load(printed)), print_config(config));
}

TEST_F(ConfigFiles, AnIdentifyFrameWithTheLargestProfileAlwaysFits) {
    EXPECT_EQ(
        load("[limits]\nmax_profile_bytes = 100000\n").endpoint.limits.max_unidentified_frame_bytes,
        301'024U);
    EXPECT_EQ(load("").endpoint.limits.max_unidentified_frame_bytes, 65'536U);
}

TEST_F(ConfigFiles, TrustedProxiesAreAListOrATextWithCommas) {
    EXPECT_EQ(load("[server]\ntrusted_proxies = ['::1', '10.0.0.0/8']\n").endpoint.trusted_proxies,
              (std::vector<std::string>{"::1", "10.0.0.0/8"}));
    EXPECT_EQ(load_config({{}, {}, {{"AGENTCOM_SERVER_TRUSTED_PROXIES", "::1, 10.0.0.0/8"}}})
                  .endpoint.trusted_proxies.size(),
              2U);
}

TEST_F(ConfigFiles, AnUnknownKeyIsNamedWithFileAndLine) {
    const std::string text = problem("[server]\nport = 1\nprot = 2\n");
    EXPECT_NE(text.find("agentcom.toml:3: unknown key server.prot"), std::string::npos) << text;
}

TEST_F(ConfigFiles, AnUnknownSectionIsNamedWithFileAndLine) {
    const std::string text = problem("[servers]\nport = 1\n");
    EXPECT_NE(text.find("agentcom.toml:1: unknown section servers"), std::string::npos) << text;
}

TEST_F(ConfigFiles, AKeyOutsideEverySectionIsUnknown) {
    const std::string text = problem("port = 1\n");
    EXPECT_NE(text.find("agentcom.toml:1: unknown key port"), std::string::npos) << text;
}

TEST_F(ConfigFiles, BadValuesNameKeyPlaceAndExpectation) {
    const auto expect = [&](const char* file, const char* wanted) {
        const std::string text = problem(file);
        EXPECT_NE(text.find(wanted), std::string::npos) << text;
    };
    expect("[server]\nport = 65536\n", ":2: server.port must be a number from 0 to 65535");
    expect("[server]\nport = -1\n", "server.port must be a number");
    expect("[server]\nport = 1.5\n", "server.port must be a number");
    expect("[server]\nhost = ''\n", "server.host must be a text that is not empty");
    expect("[store]\nmap_size = '64GB'\n", "store.map_size must be a size");
    expect("[store]\ndurability = 'none'\n",
           "store.durability must be one of \"commit\" \"relaxed\"");
    expect("[auth]\nanonymous_reads = 'yes'\n", "auth.anonymous_reads must be true or false");
    expect("[auth]\nadmin_agents = ['a', 'broadcast']\n", "\"broadcast\" is not one");
    expect("[auth]\nadmin_agents = [1]\n", "auth.admin_agents must be a list of agent ids");
    expect("[server]\ntrusted_proxies = ['10.0.0.0/8', 'proxy']\n", "\"proxy\" is not one");
    expect("[server]\nallowed_origins = ['app.example']\n", "\"app.example\" is not one");
    expect("[server]\nallowed_hosts = ['hub.example:80']\n", "\"hub.example:80\" is not one");
    for (const char* url : {"hub.example", "https://hub.example/", "ftp://hub.example", "https://",
                            "https://a b.example", "https://hub.example/a?b"}) {
        const std::string text = "[server]\npublic_url = '" + std::string(url) + "'\n";
        expect(text.c_str(), "server.public_url must be like");
    }
    expect("[server]\ntrusted_proxies = 7\n", "must be a list of addresses and CIDR ranges");
    expect("[mailbox]\nttl = '7 weeks'\n", "mailbox.ttl must be a duration");
    expect("[mailbox]\nttl = '0s'\n", "mailbox.ttl must be a duration");
    expect("[mailbox]\ncap = 0\n", "mailbox.cap must be a number from 1");
}

TEST_F(ConfigFiles, BrokenTomlIsReportedWithFileAndLine) {
    const std::string text = problem("[server]\nport = \n");
    EXPECT_NE(text.find("agentcom.toml:2: "), std::string::npos) << text;
}

TEST_F(ConfigFiles, AFileThatCannotBeReadIsNamed) {
    for (const auto& file : {directory_.path() / "missing.toml", directory_.path()}) {
        try {
            (void)load_config({file, {}, {}});
            ADD_FAILURE() << file;
        } catch (const ConfigError& error) {
            EXPECT_NE(std::string(error.what()).find(file.string()), std::string::npos);
        }
    }
}

TEST_F(ConfigFiles, CertificateAndKeyBelongTogetherAndMustBeReadable) {
    EXPECT_NE(problem("[tls]\ncertificate = 'x.pem'\n").find("must be given together"),
              std::string::npos);
    EXPECT_NE(problem("[tls]\ncertificate = '/nowhere/x.pem'\nprivate_key = 'k.pem'\n")
                  .find("tls.certificate: cannot read /nowhere/x.pem"),
              std::string::npos);
    EXPECT_FALSE(load("").endpoint.tls);
}

TEST_F(ConfigFiles, LaterSourcesWin) {
    const auto file = write("[server]\nport = 1\n[auth]\nadmin_agents = ['file']\n");
    Environment environment{{"PORT", "2"}, {"ADMIN_AGENTS", "one, two"}};
    EXPECT_EQ(load_config({file, {}, {}}).endpoint.port, 1);
    EXPECT_EQ(load_config({file, {}, environment}).endpoint.port, 2);
    EXPECT_EQ(load_config({file, {}, environment}).router.admin_agents.size(), 2U);
    environment.emplace_back("AGENTCOM_SERVER_PORT", "3");
    EXPECT_EQ(load_config({file, {}, environment}).endpoint.port, 3);
    EXPECT_EQ(load_config({file, {{"server.port", "4"}}, environment}).endpoint.port, 4);
}

TEST_F(ConfigFiles, TheFileMayBeNamedByTheEnvironment) {
    const auto file = write("[server]\nport = 77\n");
    EXPECT_EQ(load_config({{}, {}, {{"AGENTCOM_CONFIG", file.string()}}}).endpoint.port, 77);
}

TEST(ConfigEnvironment, EveryKeyCanBeSet) {
    EXPECT_EQ(find_config_key("auth", "anonymous_reads")->environment_variable(),
              "AGENTCOM_AUTH_ANONYMOUS_READS");
    const Config config = load_config({{},
                                       {},
                                       {{"AGENTCOM_AUTH_ANONYMOUS_READS", "true"},
                                        {"AGENTCOM_MAILBOX_TTL", "15m"},
                                        {"AGENTCOM_STORE_MAP_SIZE", "1GiB"},
                                        {"AGENTCOM_LIMITS_MAX_CONNECTIONS", "7"},
                                        {"AGENTCOM_LOG_LEVEL", "debug"}}});
    EXPECT_TRUE(config.router.anonymous_reads);
    EXPECT_EQ(config.store.mailbox_ttl, core::Millis(900'000));
    EXPECT_EQ(config.store.map_size, std::size_t{1} << 30);
    EXPECT_EQ(config.endpoint.limits.max_connections, 7U);
    EXPECT_EQ(config.log_level, LogLevel::debug);
}

TEST(ConfigEnvironment, AnUnknownVariableOfAKnownSectionIsAnError) {
    try {
        (void)load_config({{}, {}, {{"AGENTCOM_SERVER_PROT", "1"}}});
        FAIL();
    } catch (const ConfigError& error) {
        EXPECT_NE(std::string(error.what()).find("AGENTCOM_SERVER_PROT"), std::string::npos);
    }
}

TEST(ConfigEnvironment, OtherVariablesAreNotOurs) {
    EXPECT_NO_THROW((void)load_config(
        {{}, {}, {{"AGENTCOM_ADMIN_TOKEN", "x"}, {"AGENTCOM_HOME", "x"}, {"SERVER_PORT", "x"}}}));
}

TEST(ConfigEnvironment, ABadValueNamesTheVariable) {
    for (const char* variable : {"AGENTCOM_SERVER_PORT", "PORT"}) {
        try {
            (void)load_config({{}, {}, {{variable, "http"}}});
            ADD_FAILURE() << variable;
        } catch (const ConfigError& error) {
            EXPECT_NE(std::string(error.what()).find(std::string(variable) + " must be a number"),
                      std::string::npos)
                << error.what();
        }
    }
}

TEST(ConfigEnvironment, StateDirectoryIsTheDefaultDataDirectory) {
    const Environment environment{{"STATE_DIRECTORY", "/var/lib/agentcom"}};
    EXPECT_EQ(load_config({{}, {}, environment}).store.directory, "/var/lib/agentcom");
    EXPECT_EQ(load_config({{}, {{"store.data_dir", "here"}}, environment}).store.directory, "here");
    // What systemd sets for StateDirectory=agentcom agentcom-more.
    const Environment two{{"STATE_DIRECTORY", "/var/lib/agentcom:/var/lib/agentcom-more"}};
    EXPECT_EQ(load_config({{}, {}, two}).store.directory, "/var/lib/agentcom");
}

TEST_F(ConfigFiles, ACredentialOfTheServiceIsTheDefaultTokenFile) {
    const Environment environment{{"CREDENTIALS_DIRECTORY", directory_.path().string()}};
    EXPECT_EQ(load("", environment).admin_token_file, "") << "the machine has none of that name";
    std::ofstream(directory_.path() / "admin_token") << "whatever";
    EXPECT_EQ(load("", environment).admin_token_file, directory_ / "admin_token");
    EXPECT_EQ(load("[auth]\nadmin_token_file = \"here\"\n", environment).admin_token_file, "here");
}

TEST(ConfigEnvironment, WhatKubernetesTellsOfAServiceIsNoSetting) {
    Environment environment{
        {"AGENTCOM_SERVER_SERVICE_HOST", "10.0.171.239"},
        {"AGENTCOM_SERVER_SERVICE_PORT", "4000"},
        {"AGENTCOM_SERVER_SERVICE_PORT_HTTP", "4000"},
        {"AGENTCOM_SERVER_PORT", "tcp://10.0.171.239:4000"},
        {"AGENTCOM_SERVER_PORT_4000_TCP", "tcp://10.0.171.239:4000"},
        {"AGENTCOM_SERVER_PORT_4000_TCP_PROTO", "tcp"},
        {"AGENTCOM_SERVER_PORT_4000_TCP_PORT", "4000"},
        {"AGENTCOM_SERVER_PORT_4000_TCP_ADDR", "10.0.171.239"},
        {"AGENTCOM_SERVER_THREADS", "3"},
    };
    EXPECT_EQ(load_config({{}, {}, environment}).endpoint.port, Config().endpoint.port);
    EXPECT_EQ(load_config({{}, {}, environment}).threads, 3U);
    // Whoever sets the port beside it means it.
    environment[3].second = "4711";
    EXPECT_EQ(load_config({{}, {}, environment}).endpoint.port, 4711);
    // Without the service it is a mistake.
    environment.erase(environment.begin());
    EXPECT_THROW((void)load_config({{}, {}, environment}), ConfigError);
}

TEST(ConfigLoops, AreChosenOnlyWhenNotGiven) {
    Config config;
    EXPECT_GE(config.event_loops(), 1U);
    EXPECT_LE(config.event_loops(), 8U);
    config.threads = 11;
    EXPECT_EQ(config.event_loops(), 11U);
}

TEST(ConfigLoops, FollowTheNumberOfCores) {
    std::vector<std::size_t> chosen;
    for (const std::size_t cores : {0U, 1U, 2U, 3U, 4U, 9U, 64U}) {
        chosen.push_back(event_loops_for(cores));
    }
    EXPECT_EQ(chosen, (std::vector<std::size_t>{1, 1, 2, 2, 3, 8, 8}));
}

TEST(ConfigValues, DurationsHaveUnits) {
    EXPECT_EQ(parse_duration("60s"), core::Millis(60'000));
    EXPECT_EQ(parse_duration("15m"), core::Millis(900'000));
    EXPECT_EQ(parse_duration("7d"), core::Millis(604'800'000));
    EXPECT_EQ(parse_duration("5 ms"), core::Millis(5));
    EXPECT_EQ(parse_duration("1500"), core::Millis(1500));
    for (const char* bad : {"", "s", "-1s", "1.5s", "1w", "1s1s", "1 ", "9999999999999999999d"}) {
        EXPECT_FALSE(parse_duration(bad)) << bad;
    }
}

TEST(ConfigValues, SizesHaveUnits) {
    EXPECT_EQ(parse_bytes("64GiB"), std::uint64_t{64} << 30);
    EXPECT_EQ(parse_bytes("512B"), 512U);
    EXPECT_EQ(parse_bytes("4096"), 4096U);
    for (const char* bad : {"", "1MB", "1 mib", "0x10", "99999999999999TiB"}) {
        EXPECT_FALSE(parse_bytes(bad)) << bad;
    }
}

TEST(ConfigValues, AreShownInTheLargestUnitThatDividesThem) {
    EXPECT_EQ(show_duration(core::Millis(604'800'000)), "\"7d\"");
    EXPECT_EQ(show_duration(core::Millis(90'000)), "\"90s\"");
    EXPECT_EQ(show_duration(core::Millis(1)), "\"1ms\"");
    EXPECT_EQ(show_duration(core::Millis(0)), "0");
    EXPECT_EQ(show_bytes(std::uint64_t{1} << 20), "\"1MiB\"");
    EXPECT_EQ(show_bytes(1000), "\"1000B\"");
}

TEST(ConfigValues, ListsAreSplitAtCommas) {
    EXPECT_EQ(split_list(" a, b ,,c"), (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_TRUE(split_list("").empty());
}

}  // namespace
}  // namespace agentcom::app
