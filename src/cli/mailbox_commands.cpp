// `poll` and `ack`: a mailbox over plain requests.
#include <algorithm>

#include "cli/command.hpp"
#include "cli/field_option.hpp"
#include "cli/mailbox.hpp"
#include "cli/message_view.hpp"
#include "cli/terminal_text.hpp"

namespace agentcom::cli {
namespace {

/// What `ack --all` reads at once.
constexpr int kPage = 1'000;

struct PollFlags : ClientFlags {
    std::optional<std::int64_t> since;
    std::optional<std::int64_t> limit;
    std::int64_t wait = 0;
    bool ack = false;
};

struct AckFlags : ClientFlags {
    std::optional<std::int64_t> seq;
    bool all = false;
};

std::string wait_parameter(std::int64_t seconds) {
    return seconds > 0 ? std::to_string(seconds) : "";
}

int run_poll(const PollFlags& flags) {
    Hub hub(flags);
    const std::string query = Query()
                                  .add("since", flags.since)
                                  .add("limit", flags.limit)
                                  .add("wait", wait_parameter(flags.wait))
                                  .str();
    const std::string text =
        hub.get(hub.mailbox(query), kRequestTime + std::chrono::seconds(flags.wait));
    const JsonView answer(text);
    const auto messages = answer["messages"].elements();
    for (const JsonView& message : messages) {
        print(show_message(message, flags.json));
    }
    if (messages.empty() && !flags.json) {
        print("no unread messages\n");
    }
    flush_output();
    if (answer["truncated"].is_true()) {
        note(kLossNote);
    }
    if (answer["more"].is_true()) {
        note("more messages wait; acknowledge these, or go on with --since " +
             answer["last_seq"].text());
    }
    const bool loss = answer["truncated"].is_true();
    if (flags.ack && (!messages.empty() || loss)) {
        acknowledge(hub, answer["last_seq"].number_or(0));
    }
    return 0;
}

/// Shows the hub's mailbox to itself, page by page, because what nobody was shown cannot be
/// acknowledged; up to what was there at the beginning.
int acknowledge_all(Hub& hub, std::int64_t& last) {
    const std::string unread = hub.get(hub.mailbox("/unread"));
    const std::int64_t newest = JsonView(unread)["last_seq"].number_or(0);
    int count = 0;
    for (bool more = newest > 0; more;) {
        const std::string text =
            hub.get(hub.mailbox(Query().add("since", last).add("limit", kPage).str()));
        const JsonView answer(text);
        for (const JsonView& message : answer["messages"].elements()) {
            count += message["seq"].number_or(0) <= newest ? 1 : 0;
        }
        const std::int64_t shown = std::min(answer["last_seq"].number_or(0), newest);
        more = answer["more"].is_true() && shown > last && shown < newest;
        last = std::max(last, shown);
    }
    if (last > 0) {
        acknowledge(hub, last);
    }
    return count;
}

int run_ack(const AckFlags& flags) {
    if (flags.all == flags.seq.has_value()) {
        throw CommandError(kWrongUsage, "give the number of a message, or --all");
    }
    Hub hub(flags);
    std::int64_t last = flags.seq.value_or(0);
    const int count = flags.all ? acknowledge_all(hub, last) : 0;
    if (!flags.all) {
        acknowledge(hub, last);
    }
    if (flags.json) {
        print("{\"status\":\"acked\",\"up_to\":" + std::to_string(last) + "}\n");
    } else if (flags.all) {
        print(std::to_string(count) + " acknowledged\n");
    } else {
        print("acknowledged up to " + std::to_string(last) + '\n');
    }
    return 0;
}

}  // namespace

void acknowledge(Hub& hub, std::int64_t seq) {
    hub.post(hub.mailbox("/ack"), "{\"seq\":" + std::to_string(seq) + '}');
}

void add_mailbox_commands(const CommandSet& set) {
    const auto polled = std::make_shared<PollFlags>();
    auto* command =
        add_command<PollFlags>(set, "poll", "Show the unread messages", polled, run_poll);
    command->add_flag("--ack", polled->ack, "Acknowledge what was shown, once it is printed");
    using enum protocol::Operation;
    add_field(*command, "--since", polled->since, {poll_mailbox, "since"})->type_name("SEQ");
    add_field(*command, "--limit", polled->limit, {poll_mailbox, "limit"}, {1, 10'000})
        ->type_name("COUNT");
    // The hub waits no longer, whatever it is asked for.
    add_field(*command, "--wait", polled->wait, {poll_mailbox, "wait"}, {1, 55})
        ->type_name("SECONDS");

    const auto acked = std::make_shared<AckFlags>();
    command =
        add_command<AckFlags>(set, "ack", "Acknowledge messages: they are read", acked, run_ack);
    add_field(*command, "SEQ", acked->seq, {ack_mailbox, "seq"});
    command->add_flag("--all", acked->all, "All that is unread now");
}

}  // namespace agentcom::cli
