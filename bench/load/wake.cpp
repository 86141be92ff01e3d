#include "wake.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "histogram.hpp"
#include "team.hpp"
#include "waiting_processes.hpp"

namespace agentcom::bench {

namespace {

/// Between a wake and the next send, so that the receiver waits again.
constexpr std::int64_t kPause = 5'000'000;  // ns
/// Twenty pings a second, which cost the hub little beside what is measured.
constexpr std::int64_t kPingInterval = 50'000'000;  // ns
constexpr std::int64_t kWakePatience = 60 * kSecond;

/// The number behind `"key":`; 0 when there is none.
std::uint64_t number_behind(std::string_view text, std::string_view key) {
    const std::size_t at = text.find(key);
    std::uint64_t number = 0;
    if (at != text.npos) {
        std::from_chars(text.data() + at + key.size(), text.data() + text.size(), number);
    }
    return number;
}

/// What `agentcom hook` asks while it waits (src/cli/agents/waiter.cpp), over one connection: how
/// much is unread, then a long poll for more, and again.
std::string unread_request(const std::string& agent, const std::string& token) {
    return get("/api/mailbox/" + agent + "/unread", token);
}
std::string poll_request(const std::string& agent, const std::string& token, std::uint64_t since) {
    return get("/api/mailbox/" + agent + "?limit=1&since=" + std::to_string(since) + "&wait=50",
               token);
}

/// Agents that wait for mail, each in the same way.
class Sleepers {
public:
    using Woken = std::function<void(std::size_t who)>;
    virtual ~Sleepers() = default;
    Sleepers(const Sleepers&) = delete;
    Sleepers& operator=(const Sleepers&) = delete;

    [[nodiscard]] virtual bool all_wait() const = 0;
    [[nodiscard]] const std::string& id(std::size_t who) const { return team_.ids[who]; }
    void on_woken(Woken woken) { woken_ = std::move(woken); }

protected:
    Sleepers(const Options& options, Poller& poller) : options_(options), poller_(poller) {}

    void recruit() { team_.recruit("w", options_.count); }
    /// A listener's queue is short; connecting in portions keeps it from overflowing.
    void settle(std::size_t number, const std::size_t& there) {
        constexpr std::size_t kPortion = 128;
        if (number % kPortion != kPortion - 1) return;
        poller_.run_until([&] { return there > number; }, now_ns() + kWakePatience);
    }
    void woken(std::size_t who) const {
        if (woken_) woken_(who);
    }

    const Options& options_;
    Poller& poller_;
    Team team_{options_, poller_};

private:
    Woken woken_;
};

class Polls final : public Sleepers {
public:
    /// Whether they look what is unread before each poll, as a waiting hook does.
    enum class Look : bool { never, first };

    Polls(const Options& options, Poller& poller, Look look)
        : Sleepers(options, poller), look_(look) {
        recruit();
    }
    void open() {
        places_.resize(options_.count);
        for (std::size_t i = 0; i < options_.count; ++i) {
            Connection& connection = poller_.connect(Connection::Kind::http, i);
            connection.on_text(
                [this](Connection& self, std::string_view body) { answered(self, body); });
            begin(connection);
            settle(i, asked_);
        }
    }
    /// All polls are on their way; that they have arrived is left to a pause.
    [[nodiscard]] bool all_wait() const override { return asked_ >= options_.count; }

private:
    struct Place {
        std::uint64_t since = 0;
        bool polling = false;
    };

    void begin(Connection& connection) {
        const std::size_t who = connection.index();
        if (look_ == Look::first) {
            places_[who].polling = false;
            connection.send_raw(unread_request(team_.ids[who], team_.tokens[who]));
        } else {
            poll(connection);
        }
    }
    void poll(Connection& connection) {
        const std::size_t who = connection.index();
        places_[who].polling = true;
        connection.send_raw(poll_request(team_.ids[who], team_.tokens[who], places_[who].since));
        ++asked_;
    }
    void answered(Connection& self, std::string_view body) {
        Place& place = places_[self.index()];
        if (self.status() != 200) throw std::runtime_error(std::string(body));
        if (!place.polling) return poll(self);
        const std::uint64_t last = number_behind(body, "\"last_seq\":");
        const bool mail = last > place.since;
        place.since = std::max(place.since, last);
        begin(self);
        if (mail) woken(self.index());
    }

    Look look_;
    std::vector<Place> places_;
    std::size_t asked_ = 0;
};

class Streams final : public Sleepers {
public:
    Streams(const Options& options, Poller& poller) : Sleepers(options, poller) { recruit(); }
    void open() {
        for (std::size_t i = 0; i < options_.count; ++i) {
            Connection& connection = poller_.connect(Connection::Kind::stream, i);
            connection.on_text([this](Connection& self, std::string_view event) {
                if (event.empty()) ++opened_;
                if (event.starts_with("id:")) woken(self.index());
            });
            connection.send_raw(get("/api/mailbox/" + team_.ids[i] + "/stream", team_.tokens[i]));
            settle(i, opened_);
        }
    }
    [[nodiscard]] bool all_wait() const override { return opened_ >= options_.count; }

private:
    std::size_t opened_ = 0;
};

void await_all(const Sleepers& sleepers, Poller& poller) {
    if (!poller.run_until([&] { return sleepers.all_wait(); }, now_ns() + kWakePatience)) {
        throw std::runtime_error("not all waited within a minute");
    }
}

/// One send after the other, each to the next of those who wait.
Figures wake(const Options& options, Poller& poller, Sleepers& sleepers) {
    Team sender(options, poller);
    sender.recruit("s", 1);
    sender.join(kQuiet);
    await_all(sleepers, poller);
    Histogram latency;
    std::uint64_t wakes = 0;
    std::size_t next = 0;
    std::int64_t sent = 0;
    std::int64_t due = now_ns() + kPause;
    constexpr std::int64_t kInFlight = std::numeric_limits<std::int64_t>::max();
    sleepers.on_woken([&](std::size_t who) {
        if (who != next) throw std::runtime_error("somebody else was woken");
        const std::int64_t now = now_ns();
        latency.record(now - sent);
        ++wakes;
        next = (next + 1) % options.count;
        due = now + kPause;
    });
    const auto send_due = [&] {
        if (due != kInFlight && now_ns() >= due) {
            due = kInFlight;
            sent = now_ns();
            sender.connections[0]->send_text(direct_frame(sleepers.id(next), options.payload));
        }
        return due;
    };
    std::uint64_t at_begin = 0;
    const Stopwatch watch = measure(
        options, poller,
        [&] {
            at_begin = wakes;
            latency.clear();
        },
        send_due);
    Figures figures = watch.rate(wakes - at_begin);
    add_latency(figures, "wake", latency);
    return figures;
}

/// Memory of each, CPU of all for a second, and the pings of an agent who has nothing to do with
/// them. Without anybody who waits (`sleepers` null) the pings alone.
template <class Kind>
Figures stand(const Options& options, Poller& poller, Kind* sleepers) {
    Team other(options, poller);
    other.recruit("o", 1);
    other.join(kQuiet);
    const auto rest = [&poller] {
        // The tick of the hub's sweep, so that what it keeps of an idle connection is measured.
        poller.run_until([] { return false; }, now_ns() + 2 * kSecond);
    };
    rest();
    const double before = resident_bytes(options.server_pid);
    if (sleepers != nullptr) {
        sleepers->open();
        await_all(*sleepers, poller);
        rest();
    }
    const double after = resident_bytes(options.server_pid);
    Histogram latency;
    std::uint64_t pings = 0;
    std::int64_t sent = 0;
    std::int64_t due = now_ns();
    other.on_text([&](Connection&, std::string_view) {
        latency.record(now_ns() - sent);
        ++pings;
    });
    const auto ping_due = [&] {
        const std::int64_t now = now_ns();
        if (now >= due) {
            due = now + kPingInterval;
            sent = now;
            other.connections[0]->send_text(R"({"type":"ping"})");
        }
        return due;
    };
    Stopwatch watch(options.server_pid);
    poller.run_until([] { return false; },
                     now_ns() + static_cast<std::int64_t>(options.seconds * 1e9), ping_due);
    watch.stop();
    Figures figures = watch.rate(pings);
    figures["hub_cpu_us_a_second"] = figures["hub_cpu_us"] * figures["per_second"];
    figures.erase("hub_cpu_us");
    figures.erase("load_cpu_us");
    if (sleepers != nullptr) {
        figures["bytes_each"] = (after - before) / static_cast<double>(options.count);
    }
    add_latency(figures, "ping", latency);
    return figures;
}

/// Rounds of processes that wait, each sent a message when all of them do.
Figures wake_processes(const Options& options, WaitingProcesses::Kind kind) {
    Poller poller(options.target);
    Team sender(options, poller);
    sender.recruit("s", 1);
    sender.join(kQuiet);
    Team team(options, poller);
    team.recruit("w", options.count);
    WaitingProcesses processes(options, kind);
    for (std::size_t i = 0; i < options.count; ++i) processes.start(team.ids[i], team.tokens[i]);
    // No process says that it waits, so they are given the time that is asked for.
    poller.run_until([] { return false; },
                     now_ns() + static_cast<std::int64_t>(options.seconds * 1e9));
    Figures figures = processes.memory();
    Histogram latency;
    Stopwatch watch(options.server_pid);
    for (std::size_t i = 0; i < options.count; ++i) {
        sender.connections[0]->send_text(direct_frame(team.ids[i], options.payload));
        const std::int64_t sent = now_ns();
        poller.run_until([] { return true; }, now_ns());  // writes it
        processes.await_end(i);
        latency.record(now_ns() - sent);
        poller.run_until([] { return false; }, now_ns() + kPause);
    }
    watch.stop();
    figures.merge(watch.rate(options.count));
    add_latency(figures, "wake", latency);
    figures.erase("load_cpu_us");
    return figures;
}

}  // namespace

Figures wake_polls(const Options& options) {
    Poller poller(options.target);
    Polls polls(options, poller, Polls::Look::never);
    polls.open();
    return wake(options, poller, polls);
}

Figures wake_streams(const Options& options) {
    Poller poller(options.target);
    Streams streams(options, poller);
    streams.open();
    return wake(options, poller, streams);
}

Figures wake_wait_processes(const Options& options) {
    return wake_processes(options, WaitingProcesses::Kind::wait);
}
Figures wake_hook_processes(const Options& options) {
    return wake_processes(options, WaitingProcesses::Kind::hook);
}

Figures standing_streams(const Options& options) {
    Poller poller(options.target);
    Streams streams(options, poller);
    return stand(options, poller, &streams);
}

Figures standing_hooks(const Options& options) {
    Poller poller(options.target);
    Polls polls(options, poller, Polls::Look::first);
    return stand(options, poller, &polls);
}

Figures standing_nobody(const Options& options) {
    Poller poller(options.target);
    return stand<Streams>(options, poller, nullptr);
}

}  // namespace agentcom::bench
