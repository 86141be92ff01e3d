// The hub's own figures: gathered from where they are counted, once a second at most.

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "agentcom/core/error.hpp"
#include "agentcom/core/version.hpp"
#include "router/impl.hpp"
#include "router/metric_list.hpp"

namespace agentcom::router {

namespace {

constexpr double kMillisPerSecond = 1e3;

double seconds(std::uint64_t ms) { return static_cast<double>(ms) / kMillisPerSecond; }

double seconds_since(core::SteadyTime then, core::SteadyTime now) {
    return std::max(0.0, std::chrono::duration<double>(now - then).count());
}

/// The sum over all loops of what each counts.
template <class Count>
std::uint64_t sum(delivery::LoopGroup& loops, Count count) {
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < loops.size(); ++i) all += count(loops[i].figures()).value();
    return all;
}

// Of the process, by the names that Prometheus' own clients use.

/// When the process was started, in Unix seconds: as far from now as the machine's clock has gone
/// on since, by the kernel's word.
double started_at() {
    std::ifstream file("/proc/self/stat");
    std::string text((std::istreambuf_iterator<char>(file)), {});
    // The name in brackets may hold anything; the 20th number behind it is the start in ticks.
    std::size_t at = text.rfind(')');
    for (int skipped = 0; skipped < 20 && at != std::string::npos; ++skipped) {
        at = text.find(' ', at + 1);
    }
    timespec boot{};
    if (at == std::string::npos || ::clock_gettime(CLOCK_BOOTTIME, &boot) != 0) return 0;
    const double start =
        std::strtod(text.c_str() + at, nullptr) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    const double up = static_cast<double>(boot.tv_sec) + static_cast<double>(boot.tv_nsec) / 1e9;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration<double>(now).count() - up + start;
}

void add_process(MetricList& list) {
    static const double started = started_at();
    list.gauge("process_start_time_seconds", "Start of the process, in Unix seconds.", started);
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto of = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    list.counter("process_cpu_seconds_total", "Processor time that the process has taken.",
                 of(usage.ru_utime) + of(usage.ru_stime));
    std::uint64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages >> pages;
    list.gauge("process_resident_memory_bytes",
               "Memory of the process, what it has mapped of the store included.",
               static_cast<double>(pages) * static_cast<double>(::sysconf(_SC_PAGESIZE)));
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    list.gauge("process_max_fds", "Files, and so connections, that the process may have open.",
               static_cast<double>(files.rlim_cur));
}

void add_connections(MetricList& list, delivery::LoopGroup& loops) {
    list.family("agentcom_connections", "Open connections, by kind and event loop.");
    for (std::size_t i = 0; i < loops.size(); ++i) {
        for (std::size_t kind = 0; kind < delivery::kConnectionKindNames.size(); ++kind) {
            list.add({{"kind", std::string(delivery::kConnectionKindNames[kind])},
                      {"loop", std::to_string(i)}},
                     loops[i].figures().open[kind].value());
        }
    }
    const auto by_kind = [&](auto member) {
        for (std::size_t kind = 0; kind < delivery::kConnectionKindNames.size(); ++kind) {
            list.add({{"kind", std::string(delivery::kConnectionKindNames[kind])}},
                     sum(
                         loops, [&](auto& figures) -> auto& { return (figures.*member)[kind]; }));
        }
    };
    list.counters("agentcom_connections_opened_total",
                  "Connections ever opened; one that becomes a WebSocket or a stream counts as "
                  "both.");
    by_kind(&delivery::LoopFigures::opened);
    list.counters("agentcom_slow_consumers_total",
                  "Connections closed because they did not take what they were sent.");
    by_kind(&delivery::LoopFigures::slow);
    list.gauge("agentcom_outbox_bytes", "Output that waits to be taken, of all connections.",
               loops.output().used());
    list.gauge("agentcom_outbox_limit_bytes",
               "Output at which the largest debtors are closed (limits.output_bytes).",
               loops.output().limit());
}

void add_operations(MetricList& list, delivery::LoopGroup& loops) {
    list.counters("agentcom_operations_total",
                  "Operations answered or refused, by name and outcome; and refusals of what is "
                  "none.");
    for (const protocol::OperationInfo& info : protocol::operations()) {
        const auto place = static_cast<std::size_t>(info.id);
        for (std::size_t outcome = 0; outcome < delivery::kOutcomeNames.size(); ++outcome) {
            list.add({{"operation", std::string(info.name)},
                      {"outcome", std::string(delivery::kOutcomeNames[outcome])}},
                     sum(
                         loops, [&](auto& figures) -> auto& {
                             return figures.operations[place][outcome];
                         }));
        }
    }
    for (std::size_t where = 0; where < delivery::kElsewhereNames.size(); ++where) {
        // What is no operation and was not refused is nobody's to count here.
        for (std::size_t outcome = 1; outcome < delivery::kOutcomeNames.size(); ++outcome) {
            list.add({{"operation", std::string(delivery::kElsewhereNames[where])},
                      {"outcome", std::string(delivery::kOutcomeNames[outcome])}},
                     sum(
                         loops, [&](auto& figures) -> auto& {
                             return figures.elsewhere[where][outcome];
                         }));
        }
    }
    list.counters("agentcom_errors_total",
                  "Errors answered, by code, whether an operation was reached or not.");
    for (const core::ErrorInfo& error : core::error_catalogue()) {
        list.add({{"code", std::string(error.name)}},
                 sum(
                     loops, [&](auto& figures) -> auto& {
                         return figures.errors[static_cast<std::size_t>(error.code)];
                     }));
    }
    list.counters("agentcom_http_responses_total", "Answers over HTTP, by status.");
    for (std::size_t place = 0; place < loops[0].figures().http_statuses.size(); ++place) {
        const std::uint64_t count = sum(
            loops, [&](auto& figures) -> auto& { return figures.http_statuses[place]; });
        // Of the many statuses there are the hub uses some twenty.
        constexpr std::size_t kFirst = 100;
        constexpr std::size_t kOk = 200;
        if (count == 0 && place + kFirst != kOk) continue;
        list.add({{"status", std::to_string(place + kFirst)}}, count);
    }
    core::HistogramReading latency;
    for (std::size_t i = 0; i < loops.size(); ++i) {
        latency.add(loops[i].figures().acknowledgement.read());
    }
    list.histogram("agentcom_acknowledgement_seconds",
                   "Time from when a write was taken to its answer, after the commit.",
                   protocol::HistogramUnit::nanoseconds, std::move(latency));
}

void add_commits(MetricList& list, const store::Store& store, const store::StoreStats& stats,
                 core::SteadyTime now) {
    store::CommitFigures commits = store.commit_figures();
    list.histogram("agentcom_commit_operations", "Write operations of a commit.",
                   protocol::HistogramUnit::count, std::move(commits.operations));
    list.histogram("agentcom_commit_seconds", "Time that a commit took, with its sync.",
                   protocol::HistogramUnit::nanoseconds, std::move(commits.duration));
    list.counter("agentcom_commit_failures_total", "Commits that stored nothing, or not surely.",
                 commits.failed_batches);
    const auto busy = store.busy_since();
    list.gauge("agentcom_commit_busy_seconds",
               "For how long the commit thread has been at what it does; 0: it waits for work.",
               busy ? seconds_since(*busy, now) : 0);
    list.gauge("agentcom_commit_queue_operations",
               "Write operations that wait for their commit, or for a loop to apply them.",
               stats.queue_depth);
}

void add_journal(MetricList& list, const store::Store& store, core::SteadyTime now) {
    store::JournalFigures journal = store.journal_figures();
    list.gauge("agentcom_journal_bytes", "Bytes of the journal that no checkpoint covers yet.",
               journal.bytes);
    list.histogram("agentcom_checkpoint_seconds", "Time that a checkpoint took.",
                   protocol::HistogramUnit::nanoseconds, std::move(journal.checkpoints));
    list.gauge("agentcom_checkpoint_age_seconds",
               "How long ago the last checkpoint was made; without writes none is needed.",
               seconds_since(journal.last_checkpoint, now));
    list.gauge("agentcom_journal_replayed_batches",
               "Batches of operations that were applied again at the start.", journal.replayed);
}

void add_store(MetricList& list, const store::Store& store, const store::StoreStats& stats) {
    using store::StoreState;
    static constexpr std::array<std::pair<std::string_view, StoreState>, 3> kStates = {
        {{"ok", StoreState::ok}, {"full", StoreState::full}, {"failed", StoreState::failed}}};
    list.family("agentcom_store_state", "1 for the state that the store is in.");
    for (const auto& [name, state] : kStates) {
        list.add({{"state", std::string(name)}}, store.state() == state ? 1 : 0);
    }
    list.gauge("agentcom_store_file_bytes", "Size of the store's file.", stats.file_bytes);
    list.gauge("agentcom_store_room_bytes",
               "What may still be written, of the map and of the disk.", stats.room_bytes);
    list.gauge("agentcom_store_messages", "Messages in the log.", stats.messages);
    list.counter("agentcom_store_messages_written_total", "Messages written to the log.",
                 stats.log_puts);
    list.gauge("agentcom_store_log_bytes", "Messages in the log, in bytes.", stats.log_bytes);
    list.gauge("agentcom_store_kept_bytes", "Messages that channels keep beyond the log, in bytes.",
               stats.kept_bytes);
    list.gauge("agentcom_store_channels", "Channels.", stats.channels);
    list.gauge("agentcom_store_unclaimed_mailboxes",
               "Mailboxes with mail for agents that hold no token.", stats.unclaimed_mailboxes);
    list.gauge("agentcom_store_reader_lag_transactions",
               "Transactions that the oldest reader of the store's files is behind.",
               stats.reader_lag);
    list.counter("agentcom_store_damaged_total",
                 "Values met that do not match their checksum or cannot be read.", stats.damaged);
    list.counter("agentcom_store_read_steps_total", "Entries of lists that reads have looked at.",
                 stats.read_steps);
}

void add_backlog(MetricList& list, const BacklogSweep& sweep, core::SteadyTime now) {
    const auto last = sweep.last();
    list.family("agentcom_mailbox_unread_messages",
                "Unread messages of all agents that hold a token.");
    if (last) list.add({}, last->messages);
    list.family("agentcom_mailboxes_with_unread", "Mailboxes in which something is unread.");
    if (last) list.add({}, last->mailboxes);
    list.family("agentcom_mailbox_worst_unread_messages",
                "Unread messages of the ten fullest mailboxes.");
    if (last) {
        for (const auto& [agent, unread] : last->worst) list.add({{"agent", agent}}, unread);
    }
    list.family("agentcom_mailbox_figures_age_seconds",
                "Age of the figures of mailboxes, which are made when somebody asks.");
    if (last) list.add({}, seconds_since(last->made_at, now));
}

void add_jobs(MetricList& list, const Jobs& jobs) {
    const auto each = [&](auto value) {
        for (std::size_t i = 0; i < kJobNames.size(); ++i) {
            list.add({{"task", std::string(kJobNames[i])}}, value(jobs.of(static_cast<Job>(i))));
        }
    };
    list.counters("agentcom_job_runs_total", "Pieces of background work that were done.");
    each([](const Jobs::Figures& job) { return static_cast<double>(job.runs.value()); });
    list.counters("agentcom_job_errors_total", "Pieces of background work that failed.");
    each([](const Jobs::Figures& job) { return static_cast<double>(job.errors.value()); });
    list.family("agentcom_job_last_run_timestamp_seconds",
                "When a background job last did something, in Unix seconds; 0: never.");
    each([](const Jobs::Figures& job) { return seconds(job.last_run_ms.value()); });
    list.family("agentcom_job_last_error_timestamp_seconds",
                "When a background job last failed, in Unix seconds; 0: never.");
    each([](const Jobs::Figures& job) { return seconds(job.last_error_ms.value()); });
}

}  // namespace

protocol::MetricsReport Router::Impl::measure(const delivery::EventLoop& asking) const {
    MetricList list;
    const core::SteadyTime machine = std::chrono::steady_clock::now();
    list.family("agentcom_build_info", "1, with the version of the program.");
    list.add({{"version", std::string(core::kVersion)}}, 1);
    add_process(list);
    const protocol::HealthState health = readiness(asking);
    list.family("agentcom_health", "1 for what GET /readyz says.");
    for (const protocol::HealthState state : protocol::kHealthStates) {
        list.add({{"state", std::string(protocol::health_state_name(state))}},
                 health == state ? 1 : 0);
    }
    add_connections(list, loops_);
    list.gauge("agentcom_agents_connected", "Agents that are online.", presence_.count());
    list.gauge("agentcom_long_polls", "Long polls that wait.", waiting_polls_.taken());
    list.gauge("agentcom_streams", "Streams of events that are open.", streams_->taken());
    add_operations(list, loops_);
    const store::StoreStats stats = store.stats();
    add_commits(list, store, stats, machine);
    add_journal(list, store, machine);
    add_store(list, store, stats);
    add_backlog(list, *backlogs_, clock_.steady());
    list.family("agentcom_loop_last_turn_seconds",
                "How long ago an event loop last turned, which without work is a second.");
    for (std::size_t i = 0; i < loops_.size(); ++i) {
        const auto turned = loops_[i].last_turn();
        list.add({{"loop", std::to_string(i)}}, turned ? seconds_since(*turned, machine) : 0);
    }
    list.counters("agentcom_loop_faults_total", "Exceptions that handlers of a loop let out.");
    for (std::size_t i = 0; i < loops_.size(); ++i) {
        list.add({{"loop", std::to_string(i)}}, loops_[i].faults());
    }
    list.counter("agentcom_log_lines_lost_total",
                 "Lines of the log that were lost because nobody read them.",
                 options_.lost_log_lines ? options_.lost_log_lines() : 0);
    add_jobs(list, jobs_);
    return std::move(list).report();
}

void Router::Impl::operate(Context context, protocol::GetMetrics) {
    backlogs_->begin_if_due(context.loop);
    auto report = metrics_.get_or(
        clock_.steady(), [&] { return measure(context.loop); },
        [](const protocol::MetricsReport&) { return true; });
    context.reply(protocol::ReplyValue(std::move(report)));
}

store::Completion Router::Impl::counted(Job job, store::Completion completion) {
    return [this, job, completion = std::move(completion)](const store::WriteResult& result) {
        jobs_.count(job, result.has_value(), clock_.now());
        if (completion) completion(result);
    };
}

}  // namespace agentcom::router
