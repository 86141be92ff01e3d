// `listen`, `wait` and `tail`: commands that stay.
#include <algorithm>
#include <thread>
#include <utility>

#include "agentcom/core/limits.hpp"
#include "cli/child.hpp"
#include "cli/command.hpp"
#include "cli/mailbox.hpp"
#include "cli/message_view.hpp"
#include "cli/terminal_text.hpp"

namespace agentcom::cli {
namespace {

constexpr core::Millis kLong = std::chrono::hours(24);
constexpr core::Millis kPauseToAskAgain{1'000};

struct ListenFlags : ClientFlags {
    std::optional<std::int64_t> since;
    std::string command;
    std::int64_t count = 0;
    bool ack = false;
};

struct WaitFlags : ClientFlags {
    std::optional<std::int64_t> since;
    std::optional<double> timeout;
};

struct TailFlags : ClientFlags {
    std::string channel;
    std::int64_t lines = 10;
    std::int64_t count = 0;
};

/// Prints messages or runs the command for each, and acknowledges them after that.
class Listener {
public:
    explicit Listener(const ListenFlags& flags)
        : flags_(flags), hub_(flags), follower_(hub_, flags.since) {}

    int run() {
        for (std::int64_t handled = 0; flags_.count == 0 || handled < flags_.count;) {
            const auto event = follower_.next(from_now(to_ack_ > 0 ? kPauseToAskAgain : kLong));
            if (event && event->name == "message") {
                handle(*event);
                ++handled;
            } else if (event && event->name == "truncated") {
                note(kLossNote);
            }
            // One acknowledgement for all that has come together.
            if (!follower_.has_next() || handled == flags_.count) {
                acknowledge_handled(handled == flags_.count);
            }
        }
        return 0;
    }

private:
    void handle(const Event& event) {
        const std::string shown =
            show_message(JsonView(event.data), flags_.json || !flags_.command.empty());
        if (flags_.command.empty()) {
            print(shown);
            flush_output();
        } else if (const int status = run_shell(flags_.command, shown); status != 0) {
            acknowledge_handled(true);
            throw CommandError(kCommandFailed, "the command ended with " + std::to_string(status) +
                                                   "; its message, number " +
                                                   event.id.value_or("?") + ", stays unread");
        }
        to_ack_ = JsonView(event.id.value_or("")).number_or(to_ack_);
    }

    /// A hub that cannot be reached is told later, unless this is the `last` time.
    void acknowledge_handled(bool last) {
        if (to_ack_ == 0 || !(flags_.ack || !flags_.command.empty())) {
            to_ack_ = 0;
            return;
        }
        try {
            acknowledge(hub_, to_ack_);
            to_ack_ = 0;
        } catch (const HubError& error) {
            if (last || !error.may_pass()) {
                throw;
            }
        }
    }

    const ListenFlags& flags_;
    Hub hub_;
    MailFollower follower_;
    std::int64_t to_ack_ = 0;
};

int run_listen(const ListenFlags& flags) { return Listener(flags).run(); }

std::string senders_of(JsonView unread) {
    std::string all;
    for (const JsonView& sender : unread["senders"].elements()) {
        all += (all.empty() ? "" : ", ") + printable_line(sender.text());
    }
    return all;
}

/// Prints what is unread, if anything is behind `since`.
bool tell_unread(Hub& hub, const WaitFlags& flags) {
    const std::string text = hub.get(hub.mailbox("/unread"));
    const JsonView unread(text);
    if (unread["count"].number_or(0) == 0 ||
        unread["last_seq"].number_or(0) <= flags.since.value_or(0)) {
        return false;
    }
    print(flags.json ? one_line(text) + '\n'
                     : unread["count"].text() + " unread, from " + senders_of(unread) + '\n');
    return true;
}

int run_wait(const WaitFlags& flags) {
    Hub hub(flags);
    const Deadline deadline =
        from_now(flags.timeout ? core::Millis(static_cast<std::int64_t>(*flags.timeout * 1000))
                               : std::chrono::hours(24 * 365));
    if (tell_unread(hub, flags)) {
        return 0;
    }
    MailFollower follower(hub, flags.since);
    for (bool ask = false; std::chrono::steady_clock::now() < deadline;) {
        const auto event =
            follower.next(ask ? std::min(deadline, from_now(kPauseToAskAgain)) : deadline);
        if (!ask && (!event || event->name != "message")) {
            continue;
        }
        try {
            if (tell_unread(hub, flags)) {
                return 0;
            }
            ask = false;  // somebody has read it meanwhile
        } catch (const HubError& error) {
            if (!error.may_pass()) {
                throw;
            }
            ask = true;
        }
    }
    follower.require_connection();
    if (!flags.json) {
        note("the time is over, and there is no mail");
    }
    return kTimeOver;
}

/// The channel's history from a place on, which is what all readers of a channel have, subscribed
/// or not, and holds their own messages, too.
class Tail {
public:
    explicit Tail(const TailFlags& flags)
        : flags_(flags),
          hub_(flags),
          target_("/api/channels/" + encode_path_segment(flags.channel)) {}

    int run() {
        // To be told when there is no such channel, which has an empty history, too.
        (void)hub_.get(target_ + "?limit=1");
        if (show(Query().add("limit", std::max<std::int64_t>(flags_.lines, 1)).str(),
                 flags_.lines == 0)) {
            return 0;
        }
        core::Millis pause = kPause;
        for (bool lost = false;;) {
            std::this_thread::sleep_for(pause);
            try {
                if (show(Query().add("since", last_).add("limit", core::kMaxHistoryPage).str(),
                         false)) {
                    return 0;
                }
                if (std::exchange(lost, false)) {
                    note("connected again");
                }
                pause = kPause;
            } catch (const HubError& error) {
                if (!error.may_pass()) {
                    throw;
                }
                if (!std::exchange(lost, true)) {
                    note(std::string(error.what()) + "; trying again");
                }
                pause = std::min(pause * 2, kLongestPause);
            }
        }
    }

private:
    static constexpr core::Millis kPause{1'000};
    static constexpr core::Millis kLongestPause{15'000};

    /// Prints a page and those that follow it; true when as many as were wanted have been printed.
    bool show(const std::string& query, bool silent) {
        std::string next = query;
        for (bool more = true; more;) {
            const std::string text = hub_.get(target_ + "/history" + next);
            const JsonView answer(text);
            for (const JsonView& entry : answer["messages"].elements()) {
                last_ = entry["seq"].number_or(last_);
                if (!silent) {
                    print(show_message(entry["message"], flags_.json));
                    if (++shown_ == flags_.count) {
                        return true;
                    }
                }
            }
            flush_output();
            more = answer["cursor"].exists();
            next = Query().add("since", last_).add("limit", core::kMaxHistoryPage).str();
        }
        return false;
    }

    const TailFlags& flags_;
    Hub hub_;
    std::string target_;
    std::int64_t last_ = 0;
    std::int64_t shown_ = 0;
};

int run_tail(const TailFlags& flags) { return Tail(flags).run(); }

}  // namespace

void add_follow_commands(const CommandSet& set) {
    const auto heard = std::make_shared<ListenFlags>();
    auto* command = add_command<ListenFlags>(
        set, "listen", "Print messages as they come: unread ones, then new ones", heard,
        run_listen);
    command->add_flag("--ack", heard->ack, "Acknowledge messages once they are printed");
    command
        ->add_option("--exec", heard->command,
                     "Run this shell command for each message instead of printing it: the message "
                     "comes as a line of JSON on standard input and is acknowledged when the "
                     "command ends with 0")
        ->type_name("COMMAND");
    command->add_option("--since", heard->since, "Only messages behind this number")
        ->type_name("SEQ");
    command->add_option("--count", heard->count, "End after so many messages")
        ->type_name("COUNT")
        ->check(in_range<std::int64_t>(1, 1'000'000'000'000));

    const auto waited = std::make_shared<WaitFlags>();
    command =
        add_command<WaitFlags>(set, "wait", "Wait until there is unread mail", waited, run_wait);
    command->add_option("--timeout", waited->timeout, "How long to wait; for ever when left out")
        ->type_name("SECONDS")
        ->check(in_range(0.0, 31'536'000.0));
    command->add_option("--since", waited->since, "Only mail behind this number counts")
        ->type_name("SEQ");

    const auto tailed = std::make_shared<TailFlags>();
    command = add_command<TailFlags>(set, "tail", "Print a channel's messages as they come", tailed,
                                     run_tail);
    command->add_option("CHANNEL", tailed->channel, "Name of the channel")->required();
    command->add_option("--lines", tailed->lines, "How many earlier messages to begin with")
        ->type_name("COUNT")
        ->check(in_range<std::int64_t>(0, core::kMaxHistoryPage))
        ->capture_default_str();
    command->add_option("--count", tailed->count, "End after so many messages")
        ->type_name("COUNT")
        ->check(in_range<std::int64_t>(1, 1'000'000'000'000));
}

}  // namespace agentcom::cli
