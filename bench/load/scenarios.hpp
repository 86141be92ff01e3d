#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "connection.hpp"

namespace agentcom::bench {

struct Options {
    Target target;
    std::string admin_token;
    std::string scenario;
    std::size_t pairs = 32;       // senders, each with its own receiver
    std::size_t window = 32;      // messages in flight per sender
    std::size_t count = 100;      // subscribers, mailboxes, agents or connections
    std::size_t payload = 128;    // bytes
    double seconds = 3;           // measured time, after a warm-up of a fifth of it
    double rate = 20'000;         // messages a second, open loop
    std::uint64_t messages = 0;   // for `fill`: how many to store
    std::string directory = ".";  // for `sync`: on which disk; else what processes keep
    int server_pid = 0;           // for memory figures; 0: not measured
    std::string program;          // agentcom, where its processes are measured
};

/// Name -> number, printed as one line of JSON and as a row of the table.
using Figures = std::map<std::string, double>;

struct Scenario {
    std::string_view name;
    std::string_view what;
    Figures (*run)(const Options& options);
    /// Of several runs that one is shown which is the median by this figure.
    std::string_view median_of = "per_second";
};
[[nodiscard]] const std::vector<Scenario>& scenarios();

/// Tokens made through the hub's own API, over one pipelining connection.
class Admin {
public:
    explicit Admin(const Options& options) : options_(options) {}
    /// One token per agent, in order. Throws when the hub refuses.
    [[nodiscard]] std::vector<std::string> create_tokens(const std::vector<std::string>& agents);
    void create_channel(const std::string& name, const std::string& token);

private:
    const Options& options_;
};

/// A tag that makes the names of the present run its own.
[[nodiscard]] const std::string& run_tag();
void begin_run();

}  // namespace agentcom::bench
