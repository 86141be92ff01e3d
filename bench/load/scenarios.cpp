#include "scenarios.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "histogram.hpp"
#include "team.hpp"
#include "wake.hpp"

namespace agentcom::bench {

namespace {

/// Times of the messages in flight, oldest first; replies come in order.
class InFlight {
public:
    explicit InFlight(std::size_t window) : times_(std::max<std::size_t>(window, 1)) {}
    void sent(std::int64_t when) { times_[head_++ % times_.size()] = when; }
    [[nodiscard]] std::int64_t answered() { return times_[tail_++ % times_.size()]; }

private:
    std::vector<std::int64_t> times_;
    std::size_t head_ = 0;
    std::size_t tail_ = 0;
};

struct Pair {
    explicit Pair(std::size_t window) : acks(window), deliveries(window) {}
    std::string frame;
    std::uint64_t sent = 0;
    std::uint64_t acked = 0;
    std::uint64_t delivered = 0;
    InFlight acks;
    InFlight deliveries;
    [[nodiscard]] std::uint64_t complete() const { return std::min(acked, delivered); }
};

Figures direct(const Options& options) {
    Poller poller(options.target);
    Team senders(options, poller);
    Team receivers(options, poller);
    senders.recruit("s", options.pairs);
    receivers.recruit("r", options.pairs);
    receivers.join(kQuiet);
    senders.join(kQuiet);
    std::vector<Pair> pairs(options.pairs, Pair(options.window));
    Histogram ack;
    Histogram delivery;
    std::uint64_t complete = 0;
    const auto fill = [&](std::size_t i) {
        Pair& pair = pairs[i];
        while (pair.sent - pair.complete() < options.window) {
            senders.connections[i]->send_text(pair.frame);
            const std::int64_t now = now_ns();
            pair.acks.sent(now);
            pair.deliveries.sent(now);
            ++pair.sent;
        }
    };
    senders.on_text([&](Connection& self, std::string_view text) {
        if (kind_of(text) != FrameKind::sent) return;
        Pair& pair = pairs[self.index()];
        const std::uint64_t before = pair.complete();
        ++pair.acked;
        ack.record(now_ns() - pair.acks.answered());
        complete += pair.complete() - before;
        fill(self.index());
    });
    receivers.on_text([&](Connection& self, std::string_view text) {
        if (kind_of(text) != FrameKind::message) return;
        Pair& pair = pairs[self.index()];
        const std::uint64_t before = pair.complete();
        ++pair.delivered;
        delivery.record(now_ns() - pair.deliveries.answered());
        complete += pair.complete() - before;
        fill(self.index());
    });
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        pairs[i].frame = direct_frame(receivers.ids[i], options.payload);
        fill(i);
    }
    std::uint64_t at_begin = 0;
    const Stopwatch watch = measure(options, poller, [&] {
        at_begin = complete;
        ack.clear();
        delivery.clear();
    });
    Figures figures = watch.rate(complete - at_begin);
    add_latency(figures, "ack", ack);
    add_latency(figures, "delivery", delivery);
    return figures;
}

Figures rate(const Options& options) {
    Poller poller(options.target);
    Team senders(options, poller);
    Team receivers(options, poller);
    senders.recruit("s", options.pairs);
    receivers.recruit("r", options.pairs);
    receivers.join(kQuiet);
    senders.join(kQuiet);
    // An open loop may have any number in flight; room for ten seconds' worth per pair.
    const auto room =
        static_cast<std::size_t>(options.rate * 10 / static_cast<double>(options.pairs)) + 16;
    std::vector<Pair> pairs(options.pairs, Pair(room));
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        pairs[i].frame = direct_frame(receivers.ids[i], options.payload);
    }
    Histogram ack;
    Histogram delivery;
    senders.on_text([&](Connection& self, std::string_view text) {
        if (kind_of(text) == FrameKind::sent) {
            ack.record(now_ns() - pairs[self.index()].acks.answered());
        }
    });
    receivers.on_text([&](Connection& self, std::string_view text) {
        if (kind_of(text) == FrameKind::message) {
            delivery.record(now_ns() - pairs[self.index()].deliveries.answered());
        }
    });
    const double interval = 1e9 / options.rate;
    const std::int64_t began = now_ns();
    std::uint64_t sent = 0;
    const auto send_due = [&]() -> std::int64_t {
        const std::int64_t now = now_ns();
        for (;;) {
            const std::int64_t due =
                began + static_cast<std::int64_t>(static_cast<double>(sent) * interval);
            if (due > now) return due;
            const std::size_t i = sent % pairs.size();
            senders.connections[i]->send_text(pairs[i].frame);
            pairs[i].acks.sent(due);
            pairs[i].deliveries.sent(due);
            ++sent;
        }
    };
    const Stopwatch watch = measure(
        options, poller,
        [&] {
            ack.clear();
            delivery.clear();
        },
        send_due);
    Figures figures = watch.rate(ack.count());
    add_latency(figures, "ack", ack);
    add_latency(figures, "delivery", delivery);
    return figures;
}

/// One sender, many receivers: a channel's subscribers, or everyone. A message is complete when the
/// sender has its answer and the last receiver has the message.
Figures spread(const Options& options, const std::string& frame, Team& sender, Team& receivers,
               Poller& poller, FrameKind answer, FrameKind push) {
    std::uint64_t sent = 0;
    std::uint64_t acked = 0;
    std::uint64_t delivered = 0;
    std::uint64_t complete = 0;                          // delivered to all, in order
    std::vector<std::uint64_t> received(options.count);  // of each receiver
    std::vector<std::size_t> have(options.window, 0);    // receivers that have the message
    InFlight times(options.window);
    Histogram ack;
    const auto fill = [&] {
        while (sent - std::min(acked, complete) < options.window) {
            sender.connections[0]->send_text(frame);
            times.sent(now_ns());
            ++sent;
        }
    };
    sender.on_text([&](Connection&, std::string_view text) {
        if (kind_of(text) != answer) return;
        ++acked;
        ack.record(now_ns() - times.answered());
        fill();
    });
    receivers.on_text([&](Connection& self, std::string_view text) {
        if (kind_of(text) != push) return;
        ++delivered;
        // Messages come in order, so the last receiver's n-th message completes message n.
        std::size_t& holders = have[received[self.index()]++ % options.window];
        if (++holders < options.count) return;
        holders = 0;
        ++complete;
        fill();
    });
    fill();
    std::uint64_t at_begin = 0;
    const Stopwatch watch = measure(options, poller, [&] {
        at_begin = delivered;
        ack.clear();
    });
    Figures figures = watch.rate(delivered - at_begin);
    add_latency(figures, "ack", ack);
    return figures;
}

Figures fan_out(const Options& options) {
    Poller poller(options.target);
    Team sender(options, poller);
    Team receivers(options, poller);
    sender.recruit("s", 1);
    receivers.recruit("r", options.count);
    const std::string channel = run_tag() + "-fan";
    Admin(options).create_channel(channel, sender.tokens[0]);
    receivers.join(kQuiet);
    sender.join(kQuiet);
    std::size_t subscribed = 0;
    receivers.on_text([&](Connection&, std::string_view text) {
        if (kind_of(text) == FrameKind::subscribed) ++subscribed;
    });
    for (Connection* connection : receivers.connections) {
        connection->send_text("{\"type\":\"channel_subscribe\",\"channel\":\"" + channel + "\"}");
    }
    if (!poller.run_until([&] { return subscribed == options.count; }, now_ns() + 60 * kSecond)) {
        throw std::runtime_error("not all subscribed within a minute");
    }
    return spread(options,
                  "{\"type\":\"channel_publish\",\"channel\":\"" + channel +
                      "\",\"payload\":" + make_payload(options.payload) + "}",
                  sender, receivers, poller, FrameKind::published, FrameKind::channel_message);
}

Figures broadcast(const Options& options) {
    Poller poller(options.target);
    Team sender(options, poller);
    Team receivers(options, poller);
    sender.recruit("s", 1);
    receivers.recruit("r", options.count);
    receivers.join(kQuiet);
    sender.join(kQuiet);
    return spread(options,
                  "{\"type\":\"message\",\"payload\":" + make_payload(options.payload) + "}",
                  sender, receivers, poller, FrameKind::sent, FrameKind::message);
}

/// Senders that write to agents who are away, `fill` until so many are stored.
Figures to_offline(const Options& options, std::uint64_t limit) {
    Poller poller(options.target);
    Team senders(options, poller);
    Team receivers(options, poller);
    senders.recruit("s", options.pairs);
    receivers.recruit("r", options.count);
    senders.join(kQuiet);
    std::vector<std::string> frames;
    for (const std::string& id : receivers.ids) frames.push_back(direct_frame(id, options.payload));
    std::vector<InFlight> times(options.pairs, InFlight(options.window));
    Histogram ack;
    std::uint64_t sent = 0;
    std::uint64_t acked = 0;
    const auto send = [&](std::size_t i) {
        if (limit != 0 && sent >= limit) return;
        senders.connections[i]->send_text(frames[sent % frames.size()]);
        times[i].sent(now_ns());
        ++sent;
    };
    senders.on_text([&](Connection& self, std::string_view text) {
        if (kind_of(text) != FrameKind::sent) return;
        ++acked;
        ack.record(now_ns() - times[self.index()].answered());
        send(self.index());
    });
    for (std::size_t i = 0; i < options.pairs; ++i) {
        for (std::size_t k = 0; k < options.window; ++k) send(i);
    }
    if (limit != 0) {
        Stopwatch watch(options.server_pid);
        if (!poller.run_until([&] { return acked >= limit; }, now_ns() + 600 * kSecond)) {
            throw std::runtime_error("not filled within ten minutes");
        }
        watch.stop();
        return watch.rate(acked);
    }
    std::uint64_t at_begin = 0;
    const Stopwatch watch = measure(options, poller, [&] {
        at_begin = acked;
        ack.clear();
    });
    Figures figures = watch.rate(acked - at_begin);
    add_latency(figures, "ack", ack);
    return figures;
}

Figures offline(const Options& options) { return to_offline(options, 0); }
Figures fill(const Options& options) { return to_offline(options, options.messages); }

/// Requests over `pairs` keep-alive connections, one in flight on each.
Figures http_loop(const Options& options, const std::function<std::string(std::size_t)>& request) {
    Poller poller(options.target);
    std::uint64_t answered = 0;
    Histogram latency;
    std::vector<std::int64_t> began(options.pairs);
    for (std::size_t i = 0; i < options.pairs; ++i) {
        Connection& connection = poller.connect(Connection::Kind::http, i);
        connection.on_text([&](Connection& self, std::string_view body) {
            if (self.status() != 200) throw std::runtime_error(std::string(body));
            ++answered;
            latency.record(now_ns() - began[self.index()]);
            began[self.index()] = now_ns();
            self.send_raw(request(self.index()));
        });
        began[i] = now_ns();
        connection.send_raw(request(i));
    }
    std::uint64_t at_begin = 0;
    const Stopwatch watch = measure(options, poller, [&] {
        at_begin = answered;
        latency.clear();
    });
    Figures figures = watch.rate(answered - at_begin);
    add_latency(figures, "request", latency);
    return figures;
}

Figures poll_empty(const Options& options) {
    Poller poller(options.target);
    Team team(options, poller);
    team.recruit("p", options.pairs);
    return http_loop(options, [&](std::size_t i) {
        return get("/api/mailbox/" + team.ids[i] + "?since=0", team.tokens[i]);
    });
}

/// Every one of `count` agents polls its 50 messages and acknowledges them, once.
Figures poll_ack(const Options& options) {
    constexpr int kMessages = 50;
    Poller poller(options.target);
    Team team(options, poller);
    team.recruit("p", options.count);
    Team sender(options, poller);
    sender.recruit("s", 1);
    sender.join(kQuiet);
    int stored = 0;
    sender.on_text([&](Connection&, std::string_view text) {
        if (kind_of(text) == FrameKind::sent) ++stored;
    });
    for (int i = 0; i < kMessages; ++i) {
        sender.connections[0]->send_text(
            "{\"type\":\"message\",\"payload\":" + make_payload(options.payload) + "}");
    }
    poller.run_until([&] { return stored == kMessages; }, now_ns() + 60 * kSecond);

    std::size_t next = 0;
    std::size_t finished = 0;
    std::vector<std::size_t> agent(options.pairs);
    std::vector<bool> polling(options.pairs);
    Histogram latency;
    std::vector<std::int64_t> began(options.pairs);
    const auto poll = [&](Connection& self) {
        if (next == team.ids.size()) return;
        const std::size_t i = agent[self.index()] = next++;
        polling[self.index()] = true;
        began[self.index()] = now_ns();
        self.send_raw(get("/api/mailbox/" + team.ids[i] + "?since=0&limit=50", team.tokens[i]));
    };
    Stopwatch watch(options.server_pid);
    for (std::size_t i = 0; i < options.pairs; ++i) {
        Connection& connection = poller.connect(Connection::Kind::http, i);
        connection.on_text([&](Connection& self, std::string_view body) {
            const std::size_t who = agent[self.index()];
            if (self.status() != 200) throw std::runtime_error(std::string(body));
            if (!polling[self.index()]) {
                ++finished;
                latency.record(now_ns() - began[self.index()]);
                return poll(self);
            }
            constexpr std::string_view kLast = "\"last_seq\":";
            const std::size_t at = body.find(kLast);
            if (at == body.npos || body.find("\"count\":50") == body.npos) {
                throw std::runtime_error("a poll did not bring 50 messages");
            }
            const std::string ack =
                "{\"seq\":" +
                std::to_string(std::stoull(std::string(body.substr(at + kLast.size(), 20)))) + "}";
            polling[self.index()] = false;
            self.send_raw("POST /api/mailbox/" + team.ids[who] +
                          "/ack HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer " +
                          team.tokens[who] +
                          "\r\nContent-Type: application/json\r\nContent-Length: " +
                          std::to_string(ack.size()) + "\r\n\r\n" + ack);
        });
        poll(connection);
    }
    if (!poller.run_until([&] { return finished == team.ids.size(); }, now_ns() + 120 * kSecond)) {
        throw std::runtime_error("not all mailboxes were read within two minutes");
    }
    watch.stop();
    Figures figures = watch.rate(finished);
    add_latency(figures, "poll_and_ack", latency);
    return figures;
}

Figures history(const Options& options) {
    Poller poller(options.target);
    Team team(options, poller);
    team.recruit("h", options.pairs);
    Team sender(options, poller);
    sender.recruit("rare", 1);
    sender.join(kQuiet);
    int stored = 0;
    sender.on_text([&](Connection&, std::string_view text) {
        if (kind_of(text) == FrameKind::sent) ++stored;
    });
    for (int i = 0; i < 50; ++i) {
        sender.connections[0]->send_text(direct_frame(team.ids[0], options.payload));
    }
    poller.run_until([&] { return stored == 50; }, now_ns() + 60 * kSecond);
    return http_loop(options, [&](std::size_t i) {
        return get("/api/messages?from=" + sender.ids[0], team.tokens[i]);
    });
}

Figures idle(const Options& options) {
    Poller poller(options.target);
    Team team(options, poller);
    team.recruit("i", options.count);
    const double before = resident_bytes(options.server_pid);
    Stopwatch watch(options.server_pid);
    team.join(kQuiet);
    watch.stop();
    // One tick of the hub's sweep, so that what it keeps per idle connection is what is measured.
    poller.run_until([] { return false; }, now_ns() + 2 * kSecond);
    const double after = resident_bytes(options.server_pid);
    Figures figures = watch.rate(options.count);
    figures["bytes_per_connection"] = (after - before) / static_cast<double>(options.count);
    return figures;
}

Figures storm(const Options& options) {
    Poller poller(options.target);
    Team team(options, poller);
    team.recruit("j", options.count);
    Stopwatch watch(options.server_pid);
    const std::int64_t took = team.join("");
    watch.stop();
    Figures figures = watch.rate(options.count);
    figures["all_identified_ms"] = static_cast<double>(took) / 1e6;
    return figures;
}

/// What the disk charges for making 4 KiB durable: the unit in which a lone sender's latency is
/// told. The file is preallocated, so that only data is synced.
Figures sync_cost(const Options& options) {
    constexpr std::size_t kPage = 4'096;
    constexpr off_t kPages = 1'024;
    const std::string path = options.directory + "/agentcom-bench.sync";
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) throw std::runtime_error("cannot write to " + options.directory);
    ::unlink(path.c_str());
    const std::string page(kPage, 'x');
    const auto write_page = [&](off_t number) {
        return ::pwrite(fd, page.data(), page.size(), number * static_cast<off_t>(kPage)) ==
               static_cast<ssize_t>(kPage);
    };
    bool good = true;
    for (off_t i = 0; i < kPages; ++i) good = good && write_page(i);
    good = good && ::fsync(fd) == 0;
    Histogram latency;
    Stopwatch watch(0);
    const std::int64_t end = now_ns() + static_cast<std::int64_t>(options.seconds * 1e9);
    for (off_t i = 0; good && now_ns() < end; ++i) {
        const std::int64_t before = now_ns();
        good = write_page(i % kPages) && ::fdatasync(fd) == 0;
        latency.record(now_ns() - before);
    }
    watch.stop();
    ::close(fd);
    if (!good) throw std::runtime_error("cannot sync in " + options.directory);
    Figures figures = watch.rate(latency.count());
    add_latency(figures, "sync", latency);
    return figures;
}

Figures agents(const Options& options) {
    Poller poller(options.target);
    Team team(options, poller);
    Stopwatch watch(options.server_pid);
    team.recruit("a", options.count);
    watch.stop();
    return watch.rate(options.count);
}

}  // namespace

const std::vector<Scenario>& scenarios() {
    static const std::vector<Scenario> all{
        {"direct", "pairs x window direct messages, complete when delivered and acknowledged",
         direct},
        {"rate", "direct messages at a fixed rate; latency from the intended time", rate},
        {"fanout", "one publisher, `count` subscribers of a channel; deliveries a second", fan_out},
        {"broadcast", "one sender, `count` agents online; deliveries a second", broadcast},
        {"offline", "pairs x window senders to `count` mailboxes of agents who are away", offline},
        {"poll", "empty polls over keep-alive HTTP", poll_empty},
        {"pollack", "`count` mailboxes: poll of 50 and ack over keep-alive HTTP", poll_ack},
        {"history", "history pages filtered by one rare sender", history},
        {"idle", "`count` idle connections: connects a second, memory of each", idle},
        {"storm", "`count` agents that join at once with presence on", storm},
        {"fill", "stores `messages` messages for agents who are away", fill},
        {"agents", "registers `count` agents", agents},
        {"sync", "fdatasync of 4 KiB in `directory`; needs no hub", sync_cost},
        {"wakepoll", "`count` long polls wait; from a send to its receiver's answer", wake_polls,
         "wake_p50_us"},
        {"wakestream", "`count` streams of events wait; from a send to its receiver's event",
         wake_streams, "wake_p50_us"},
        {"wakewait", "`count` processes `agentcom wait`; from a send to the end of its receiver",
         wake_wait_processes, "wake_p50_us"},
        {"wakehook", "the same with `agentcom hook claude wait`", wake_hook_processes,
         "wake_p50_us"},
        {"streams",
         "`count` idle streams of events: memory of each, what all cost, pings meanwhile",
         standing_streams, "hub_cpu_us_a_second"},
        {"pings", "the same for nobody, to compare with", standing_nobody, "hub_cpu_us_a_second"},
        {"hooks", "the same for `count` waiting hooks, as the hub sees them", standing_hooks,
         "hub_cpu_us_a_second"},
    };
    return all;
}

}  // namespace agentcom::bench
