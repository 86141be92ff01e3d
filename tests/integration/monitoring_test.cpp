// What watches the hub, at the real daemon: who is shown the figures, that promtool, the page, the
// alert rules and the dashboard agree with them, and a data directory that goes away.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/hub_process.hpp"
#include "support/paths.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::test {
namespace {

using Json = nlohmann::json;

std::string read(const std::filesystem::path& file) {
    std::ifstream in(file);
    EXPECT_TRUE(in.is_open()) << file;
    return {std::istreambuf_iterator<char>(in), {}};
}

std::filesystem::path monitoring() { return source_dir() / "config" / "monitoring"; }

/// What is printed by a command that must succeed.
std::string run(const std::string& command) {
    FILE* const pipe = ::popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
    std::string text;
    std::array<char, 4096> some{};
    while (const std::size_t size = std::fread(some.data(), 1, some.size(), pipe)) {
        text.append(some.data(), size);
    }
    EXPECT_EQ(::pclose(pipe), 0) << command << "\n" << text;
    return text;
}

/// A family of the page: its type, and the names of its labels.
struct Family {
    std::string type;
    std::set<std::string> labels;
};

std::map<std::string, Family> families(const std::string& page) {
    std::map<std::string, Family> found;
    std::istringstream lines(page);
    std::string current;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("# TYPE ")) {
            std::istringstream words(line.substr(7));
            words >> current;
            words >> found[current].type;
        } else if (!line.starts_with('#')) {
            const auto open = line.find('{');
            if (open == std::string::npos || open > line.find(' ')) continue;
            static const std::regex kLabel(R"lit(([a-z_]+)="(?:[^"\\]|\\.)*")lit");
            for (std::sregex_iterator each(line.begin(), line.end(), kLabel), end; each != end;
                 ++each) {
                if ((*each)[1] != "le") found[current].labels.insert((*each)[1]);
            }
        }
    }
    return found;
}

/// The rows of the first table below the heading, cell by cell.
std::vector<std::vector<std::string>> table_of(const std::string& page, const std::string& title) {
    std::vector<std::vector<std::string>> rows;
    std::istringstream lines(page.substr(page.find("\n## " + title + "\n") + 1));
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with('|')) {
            if (!rows.empty()) break;
            continue;
        }
        std::vector<std::string> cells;
        std::istringstream parts(line.substr(1));
        for (std::string cell; std::getline(parts, cell, '|');) {
            const auto first = cell.find_first_not_of(' ');
            cells.push_back(first == std::string::npos
                                ? ""
                                : cell.substr(first, cell.find_last_not_of(' ') - first + 1));
        }
        rows.push_back(std::move(cells));
    }
    if (!rows.empty()) rows.erase(rows.begin());
    return rows;
}

/// Every name of a metric that an expression of Prometheus' mentions.
std::set<std::string> metrics_in(const std::string& text) {
    std::set<std::string> names;
    static const std::regex kName(R"((?:agentcom|process)_[a-z0-9_]+)");
    for (std::sregex_iterator each(text.begin(), text.end(), kName), end; each != end; ++each) {
        names.insert(each->str());
    }
    return names;
}

class Monitoring : public ::testing::Test {
protected:
    /// A hub with some mail that waits, whose figures have been made.
    std::string page() {
        HttpClient admin(hub_.port(), hub_.admin_token());
        (void)hub_.create_token("bob");
        EXPECT_EQ(admin.post("/api/message", {{"to", "bob"}, {"payload", "x"}}).status, 200);
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        std::string text;
        do {
            text = HttpClient(hub_.port()).get("/metrics").body;
        } while (text.find("\nagentcom_mailbox_worst_unread_messages{") == std::string::npos &&
                 std::chrono::steady_clock::now() < deadline);
        return text;
    }
    TempDir dir_;
    HubProcess hub_{dir_.path() / "data"};
};

TEST_F(Monitoring, PromtoolThePageTheRulesAndTheDashboardAgreeWithTheFigures) {
    const std::string text = page();
    const auto shown = families(text);
    EXPECT_GT(shown.size(), 40U);

    // The page.
    auto missing = shown;
    for (const auto& row :
         table_of(read(source_dir() / "docs" / "monitoring.md"), "What there is")) {
        if (row.at(0).starts_with("---")) continue;
        const std::string name = row.at(0).substr(1, row.at(0).size() - 2);
        const auto node = missing.extract(name);
        ASSERT_FALSE(node.empty())
            << "the page has a row for " << name << ", the hub no such metric";
        EXPECT_EQ(row.at(1), node.mapped().type) << name;
        std::string labels;
        for (const std::string& label : node.mapped().labels) {
            labels += (labels.empty() ? "`" : ", `") + label + '`';
        }
        EXPECT_EQ(row.at(2), labels) << name;
    }
    for (const auto& [name, family] : missing) ADD_FAILURE() << "the page lacks " << name;

    // The rules and the dashboard. Histograms have three series each.
    std::set<std::string> series;
    for (const auto& [name, family] : shown) {
        series.insert(name);
        if (family.type != "histogram") continue;
        for (const char* end : {"_bucket", "_sum", "_count"}) series.insert(name + end);
    }
    const Json dashboard = Json::parse(read(monitoring() / "agentcom-dashboard.json"));
    std::string queries;
    for (const Json& panel : dashboard.at("panels")) {
        for (const Json& target : panel.at("targets")) {
            queries += target.at("expr").get<std::string>() + '\n';
        }
    }
    std::string rules;
    std::istringstream lines(read(monitoring() / "agentcom-alerts.yml"));
    for (std::string line; std::getline(lines, line);) {
        if (line.find("job=") == std::string::npos) rules += line + '\n';
    }
    for (const std::string& from : {queries, rules}) {
        const auto named = metrics_in(from);
        EXPECT_GT(named.size(), 10U);
        for (const std::string& name : named) EXPECT_TRUE(series.contains(name)) << name;
    }

    // The table of alerts.
    std::set<std::string> alerts;
    static const std::regex kAlert("- alert: (\\w+)");
    const std::string rule_text = read(monitoring() / "agentcom-alerts.yml");
    for (std::sregex_iterator each(rule_text.begin(), rule_text.end(), kAlert), end; each != end;
         ++each) {
        alerts.insert((*each)[1]);
    }
    std::set<std::string> told;
    for (const auto& row :
         table_of(read(source_dir() / "docs" / "monitoring.md"), "Alerts and dashboard")) {
        if (!row.at(0).starts_with("---")) told.insert(row.at(0).substr(1, row.at(0).size() - 2));
    }
    EXPECT_EQ(told, alerts);

    // promtool, which scripts/install-dependencies --with-tests brings.
    if (std::system("command -v promtool >/dev/null") != 0) {
        GTEST_SKIP() << "promtool is not installed; the rest has been looked at";
    }
    const std::filesystem::path file = dir_.path() / "metrics.txt";
    std::ofstream(file) << text;
    EXPECT_EQ(run("promtool check metrics <" + file.string()), "");
    run("promtool check rules " + (monitoring() / "agentcom-alerts.yml").string());
    run("promtool test rules " + (monitoring() / "agentcom-alerts-test.yml").string());
}

TEST_F(Monitoring, WhereOnlyTokensCountNobodyElseIsShownFigures) {
    TempDir dir;
    HubProcess strict(dir.path() / "data", {}, {"AGENTCOM_METRICS_ACCESS=token"});
    HttpClient admin(strict.port(), strict.admin_token());
    const auto made = admin.post("/admin/tokens", {{"agent_id", "eye"}, {"role", "observer"}});
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(HttpClient(strict.port()).get("/metrics").status, 401);
    HttpClient agent(strict.port(), strict.create_token("alice"));
    EXPECT_EQ(agent.get("/metrics").json().at("error"), "forbidden");
    EXPECT_EQ(HttpClient(strict.port(), made.json().at("token")).get("/metrics").status, 200);
    EXPECT_EQ(admin.get("/metrics").status, 200);
    for (const char* path : {"/livez", "/readyz", "/health"}) {
        EXPECT_EQ(HttpClient(strict.port()).get(path).status, 200) << path;
    }
}

TEST_F(Monitoring, ADataDirectoryThatIsDeletedOrReplacedIsToldOfAndNothingMoreIsAcknowledged) {
    const std::filesystem::path data = dir_.path() / "data";
    HttpClient admin(hub_.port(), hub_.admin_token());
    HttpClient nobody(hub_.port());
    ASSERT_EQ(nobody.get("/readyz").status, 200);
    std::filesystem::rename(data, dir_.path() / "elsewhere");
    std::filesystem::create_directory(data);
    std::filesystem::copy_file(dir_.path() / "elsewhere" / "data.mdb", data / "data.mdb");
    // The commit before which it is noticed is refused as well.
    const auto refused = admin.post("/api/message", {{"to", "bob"}, {"payload", "x"}});
    EXPECT_EQ(refused.status, 503) << refused.body;
    EXPECT_EQ(refused.json().at("error"), "storage_failed");
    const auto health = nobody.get("/health");
    EXPECT_EQ(health.status, 503);
    EXPECT_EQ(health.json().at("reason"), "storage_failed");
    EXPECT_EQ(nobody.get("/readyz").json().at("reason"), "storage_failed");
    EXPECT_EQ(nobody.get("/livez").status, 200);
    EXPECT_EQ(admin.get("/api/messages").status, 200);
    EXPECT_NE(nobody.get("/metrics").body.find("agentcom_store_state{state=\"failed\"} 1"),
              std::string::npos);
    EXPECT_TRUE(hub_.has_logged("data.mdb has been replaced by another file")) << hub_.log();
}

TEST_F(Monitoring, ADataDirectoryThatIsDeletedShowsWithoutAWrite) {
    std::filesystem::remove_all(dir_.path() / "data");
    HttpClient nobody(hub_.port());
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (nobody.get("/readyz").status == 200) {
        ASSERT_LT(std::chrono::steady_clock::now(), deadline);
        std::this_thread::yield();
    }
    EXPECT_EQ(nobody.get("/readyz").json().at("reason"), "storage_failed");
}

}  // namespace
}  // namespace agentcom::test
