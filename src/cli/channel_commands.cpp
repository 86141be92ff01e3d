// `subscribe`, `unsubscribe` and `channels`.
#include "cli/command.hpp"
#include "cli/field_option.hpp"
#include "cli/listing.hpp"
#include "cli/terminal_text.hpp"

namespace agentcom::cli {
namespace {

struct ChannelFlags : ClientFlags {
    std::string channel;
    bool create = false;
};

struct ChannelsFlags : ClientFlags {
    bool mine = false;
};

std::string channel_target(const std::string& channel, const char* what) {
    return "/api/channels/" + encode_path_segment(channel) + what;
}

int tell_subscription(const ChannelFlags& flags, const std::string& text) {
    if (flags.json) {
        print(one_line(text) + '\n');
    } else {
        const std::string status = JsonView(text)["status"].text();
        print((status == "already_subscribed" ? "already subscribed" : printable_line(status)) +
              " #" + printable_line(flags.channel) + '\n');
    }
    return 0;
}

int run_subscribe(const ChannelFlags& flags) {
    Hub hub(flags);
    const std::string target = channel_target(flags.channel, "/subscribe");
    try {
        return tell_subscription(flags, hub.post(target));
    } catch (const HubError& error) {
        if (!flags.create || error.code() != "channel_not_found") {
            throw;
        }
    }
    make_channel(hub, flags.channel);
    return tell_subscription(flags, hub.post(target));
}

int run_unsubscribe(const ChannelFlags& flags) {
    Hub hub(flags);
    return tell_subscription(flags, hub.post(channel_target(flags.channel, "/unsubscribe")));
}

int run_channels(const ChannelsFlags& flags) {
    Hub hub(flags);
    std::int64_t count = 0;
    if (flags.mine) {
        const std::string target = "/api/agents/" + encode_path_segment(hub.agent());
        count = for_each_entry(hub, target + "/subscriptions", "channels", [&](JsonView channel) {
            print(flags.json ? one_line(channel.raw()) + '\n'
                             : '#' + printable_line(channel.text()) + '\n');
        });
    } else {
        count = for_each_entry(hub, "/api/channels", "channels", [&](JsonView channel) {
            if (flags.json) {
                print(one_line(channel.raw()) + '\n');
                return;
            }
            const std::string about = channel["description"].text();
            print('#' + padded(printable_line(channel["name"].text()), 24) +
                  padded(channel["subscriber_count"].text(), 6, true) + " subscribed" +
                  (about.empty() ? "" : "  " + printable_line(about)) + '\n');
        });
    }
    if (count == 0 && !flags.json) {
        print(flags.mine ? "no subscriptions\n" : "no channels\n");
    }
    return 0;
}

}  // namespace

void make_channel(Hub& hub, const std::string& name) {
    try {
        hub.post("/api/channels", "{\"name\":" + json_text(name) + '}');
    } catch (const HubError& error) {
        if (error.code() != "channel_exists") {
            throw;
        }
    }
}

void add_channel_commands(const CommandSet& set) {
    const auto joined = std::make_shared<ChannelFlags>();
    auto* command = add_command<ChannelFlags>(
        set, "subscribe", "Have a channel's messages come into the mailbox", joined, run_subscribe);
    add_field(*command, "CHANNEL", joined->channel, {protocol::Operation::subscribe, "channel"})
        ->required();
    command->add_flag("--create", joined->create, "Make the channel when there is none");

    const auto left = std::make_shared<ChannelFlags>();
    command =
        add_command<ChannelFlags>(set, "unsubscribe", "End a subscription", left, run_unsubscribe);
    add_field(*command, "CHANNEL", left->channel, {protocol::Operation::unsubscribe, "channel"})
        ->required();

    const auto listed = std::make_shared<ChannelsFlags>();
    command =
        add_command<ChannelsFlags>(set, "channels", "List the channels", listed, run_channels);
    command->add_flag("--mine", listed->mine, "Only the names of those one is subscribed to");
}

}  // namespace agentcom::cli
