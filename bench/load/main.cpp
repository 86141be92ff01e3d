// agentcom-bench: a load generator for an AgentCom hub. One thread, no JSON tree, the ordinary
// protocol; see docs/performance.md for what each scenario measures.

#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <string>

#include "scenarios.hpp"

namespace {

using agentcom::bench::Figures;
using agentcom::bench::Options;

/// The run that is the median by one figure; all its other figures belong to it.
Figures median_run(std::vector<Figures> runs, const std::string& figure) {
    std::ranges::sort(runs, {}, [&](const Figures& run) { return run.at(figure); });
    return runs[runs.size() / 2];
}

void print(const std::string& label, const Figures& figures, bool json) {
    if (json) {
        std::printf("{\"scenario\":\"%s\"", label.c_str());
        for (const auto& [name, value] : figures) std::printf(",\"%s\":%.2f", name.c_str(), value);
        std::printf("}\n");
    } else {
        std::printf("%-40s", label.c_str());
        for (const auto& [name, value] : figures) {
            std::printf(value < 100 ? "  %s %.2f" : "  %s %.0f", name.c_str(), value);
        }
        std::printf("\n");
    }
    std::fflush(stdout);
}

void raise_file_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

int run(int argc, char** argv) {
    CLI::App app{"Load generator for an AgentCom hub"};
    Options options;
    std::string url = "http://127.0.0.1:4000";
    std::string token_file;
    std::string label;
    int runs = 1;
    bool json = false;
    std::string names;
    for (const auto& scenario : agentcom::bench::scenarios()) {
        names += "  " + std::string(scenario.name) + ": " + std::string(scenario.what) + "\n";
    }
    app.footer("Scenarios:\n" + names);
    app.add_option("scenario", options.scenario, "which scenario to run")->required();
    app.add_option("--url", url, "the hub")->capture_default_str();
    app.add_option("--admin-token", options.admin_token, "an administrator's token");
    app.add_option("--admin-token-file", token_file, "a file that holds one");
    app.add_option("--pairs", options.pairs, "senders (HTTP: connections)")
        ->capture_default_str()
        ->check(CLI::Range(1, 100'000));
    app.add_option("--window", options.window, "messages in flight per sender")
        ->capture_default_str()
        ->check(CLI::Range(1, 100'000));
    app.add_option("--count", options.count, "subscribers, mailboxes, connections")
        ->capture_default_str()
        ->check(CLI::Range(1, 1'000'000));
    app.add_option("--payload", options.payload, "bytes of a payload")->capture_default_str();
    app.add_option("--seconds", options.seconds, "measured time of a run")->capture_default_str();
    app.add_option("--rate", options.rate, "messages a second (rate)")->capture_default_str();
    app.add_option("--messages", options.messages, "messages to store (fill)")
        ->capture_default_str();
    app.add_option("--program", options.program, "agentcom (wakewait, wakehook)");
    app.add_option("--directory", options.directory,
                   "whose disk is measured (sync), where hooks keep their state (wakehook)")
        ->capture_default_str();
    app.add_option("--server-pid", options.server_pid, "the hub's process, for its memory");
    app.add_option("--runs", runs, "runs, of which the median is shown")
        ->capture_default_str()
        ->check(CLI::Range(1, 99));
    app.add_option("--label", label, "how to call the result");
    app.add_flag("--json", json, "one line of JSON instead of a row");
    CLI11_PARSE(app, argc, argv);
    options.target = agentcom::bench::Target::parse(url);
    if (!token_file.empty()) std::ifstream(token_file) >> options.admin_token;
    raise_file_limit();
    const auto& all = agentcom::bench::scenarios();
    const auto found = std::ranges::find(all, options.scenario, &agentcom::bench::Scenario::name);
    if (found == all.end()) {
        std::fprintf(stderr, "there is no scenario %s\n%s", options.scenario.c_str(),
                     names.c_str());
        return 2;
    }
    std::vector<Figures> results;
    for (int i = 0; i < runs; ++i) {
        agentcom::bench::begin_run();
        results.push_back(found->run(options));
    }
    print(label.empty() ? options.scenario : label,
          median_run(std::move(results), std::string(found->median_of)), json);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "agentcom-bench: %s\n", error.what());
        return 1;
    }
}
