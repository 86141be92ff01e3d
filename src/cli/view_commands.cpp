// `agents`, `history`, `thread`, `status` and `whoami`.
#include <deque>

#include "agentcom/core/limits.hpp"
#include "cli/command.hpp"
#include "cli/field_option.hpp"
#include "cli/listing.hpp"
#include "cli/message_view.hpp"
#include "cli/terminal_text.hpp"

namespace agentcom::cli {
namespace {

struct HistoryFlags : ClientFlags {
    std::string channel;
    std::string from;
    std::string to;
    std::int64_t limit = 0;  // the field's default
    std::optional<std::int64_t> since;
    std::optional<std::int64_t> before;
};

struct ThreadFlags : ClientFlags {
    std::string id;
};

int run_agents(const ClientFlags& flags) {
    Hub hub(flags);
    const auto count = for_each_entry(hub, "/api/agents", "agents", [&](JsonView agent) {
        if (flags.json) {
            print(one_line(agent.raw()) + '\n');
            return;
        }
        const std::string id = printable_line(agent["agent_id"].text());
        const std::string name = printable_line(agent["name"].text());
        print(padded(id, 24) + "  " + printable_line(agent["status"].text()) +
              (name == id ? "" : "  (" + name + ')') + '\n');
    });
    if (count == 0 && !flags.json) {
        print("no agent is connected\n");
    }
    return 0;
}

void show_channel_history(Hub& hub, const HistoryFlags& flags) {
    const std::string text =
        hub.get("/api/channels/" + encode_path_segment(flags.channel) + "/history" +
                Query()
                    .add("limit", flags.limit)
                    .add("since", flags.since)
                    .add("before", flags.before)
                    .str());
    for (const JsonView& entry : JsonView(text)["messages"].elements()) {
        print(show_message(entry["message"], flags.json));
    }
}

/// The newest that fit; the hub gives them oldest first, and keeps a bounded number.
void show_messages(Hub& hub, const HistoryFlags& flags) {
    std::deque<std::string> newest;
    std::int64_t cursor = 0;
    for (bool more = true; more;) {
        const std::string text = hub.get("/api/messages" + Query()
                                                               .add("from", flags.from)
                                                               .add("to", flags.to)
                                                               .add("cursor", cursor)
                                                               .add("limit", core::kMaxHistoryPage)
                                                               .str());
        const JsonView answer(text);
        const auto messages = answer["messages"].elements();
        for (const JsonView& message : messages) {
            newest.push_back(show_message(message, flags.json));
            if (newest.size() > static_cast<std::size_t>(flags.limit)) {
                newest.pop_front();
            }
        }
        const std::int64_t next = answer["cursor"].number_or(cursor);
        more =
            next > cursor && (answer["more"].is_true() ||
                              messages.size() >= static_cast<std::size_t>(core::kMaxHistoryPage));
        cursor = next;
    }
    for (const std::string& message : newest) {
        print(message);
    }
}

int run_history(const HistoryFlags& flags) {
    const bool filtered = !flags.from.empty() || !flags.to.empty();
    const bool placed = flags.since || flags.before;
    if (flags.channel.empty() ? placed : filtered) {
        throw CommandError(kWrongUsage,
                           "--since and --before go with a CHANNEL, --from and --to without one");
    }
    Hub hub(flags);
    if (flags.channel.empty()) {
        show_messages(hub, flags);
    } else {
        show_channel_history(hub, flags);
    }
    return 0;
}

int run_thread(const ThreadFlags& flags) {
    Hub hub(flags);
    const std::int64_t count =
        for_each_entry(hub, "/api/threads/" + encode_path_segment(flags.id), "messages",
                       [&](JsonView message) { print(show_message(message, flags.json)); });
    if (count == 0) {
        throw CommandError(kRefused,
                           "there is no message " + flags.id + ", or it is not for you to read");
    }
    return 0;
}

std::string show_me(const Context& context, JsonView me) {
    const auto expires = me["expires_at"].number();
    std::string out = "agent    " + printable_line(me["agent_id"].text()) + " (" +
                      printable_line(me["role"].text()) + ")\n";
    out += "hub      " + context.hub.url + '\n';
    out += "token    " + printable_line(me["token_prefix"].text());
    out += expires ? ", until " + show_time(*expires) + '\n' : ", does not expire\n";
    if (!context.name.empty()) {
        out += "context  " + context.name + '\n';
    }
    return out;
}

int run_whoami(const ClientFlags& flags) {
    Hub hub(flags);
    (void)hub.agent();  // a sentence of its own where there is no token
    const std::string me = hub.get("/api/me");
    print(flags.json ? one_line(me) + '\n' : show_me(hub.context(), JsonView(me)));
    return 0;
}

int run_status(const ClientFlags& flags) {
    Hub hub(flags);
    const std::string health = hub.get("/health");
    std::string me;
    std::string unread;
    if (!hub.context().token.empty()) {
        me = hub.get("/api/me");
        unread = hub.get(hub.mailbox("/unread"));
    }
    if (flags.json) {
        print("{\"url\":" + json_text(hub.context().hub.url) + ",\"health\":" + one_line(health) +
              ",\"me\":" + (me.empty() ? "null" : one_line(me)) +
              ",\"unread\":" + (unread.empty() ? "null" : one_line(unread)) + "}\n");
        return 0;
    }
    const JsonView state(health);
    const std::string reason = state["reason"].text();
    print("health   " + printable_line(state["status"].text()) +
          (reason.empty() ? "" : " (" + printable_line(reason) + ')') + ", " +
          state["agents_connected"].text() + " connected\n");
    if (me.empty()) {
        print("hub      " + hub.context().hub.url + "\nagent    none: there is no token\n");
        return 0;
    }
    print(show_me(hub.context(), JsonView(me)));
    print("unread   " + JsonView(unread)["count"].text() + '\n');
    return 0;
}

}  // namespace

std::int64_t for_each_entry(Hub& hub, const std::string& target, const char* member,
                            const std::function<void(JsonView)>& visit) {
    std::int64_t count = 0;
    std::string cursor;
    do {
        const std::string text = hub.get(target + Query().add("cursor", cursor).str());
        const JsonView answer(text);
        for (const JsonView& entry : answer[member].elements()) {
            visit(entry);
            ++count;
        }
        const std::string next = answer["cursor"].text();
        if (next == cursor) {
            break;
        }
        cursor = next;
    } while (!cursor.empty());
    return count;
}

std::string padded(const std::string& text, std::size_t width, bool right) {
    // Characters, not bytes: continuation bytes of UTF-8 take no place.
    std::size_t length = 0;
    for (const char c : text) {
        length += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
    }
    const std::string blanks(width > length ? width - length : 0, ' ');
    return right ? blanks + text : text + blanks;
}

void add_view_commands(const CommandSet& set) {
    const auto plain = [&](const char* name, const char* text, int (*run)(const ClientFlags&)) {
        (void)add_command<ClientFlags>(set, name, text, std::make_shared<ClientFlags>(), run);
    };
    plain("agents", "List who is connected", run_agents);

    const auto shown = std::make_shared<HistoryFlags>();
    auto* command = add_command<HistoryFlags>(
        set, "history", "Show earlier messages, of a channel or of all one may read", shown,
        run_history);
    using enum protocol::Operation;
    add_field(*command, "CHANNEL", shown->channel, {channel_history, "channel"});
    add_field(*command, "--limit", shown->limit, {channel_history, "limit"}, {.least = 1})
        ->type_name("COUNT");
    add_field(*command, "--since", shown->since, {channel_history, "since"})->type_name("NUMBER");
    add_field(*command, "--before", shown->before, {channel_history, "before"})
        ->type_name("NUMBER");
    add_field(*command, "--from", shown->from, {query_history, "from"})->type_name("AGENT");
    add_field(*command, "--to", shown->to, {query_history, "to"})->type_name("AGENT");

    const auto followed = std::make_shared<ThreadFlags>();
    command = add_command<ThreadFlags>(set, "thread", "Show the messages that answer one another",
                                       followed, run_thread);
    add_field(*command, "ID", followed->id, {get_thread, "message_id"}, {}, "any of the thread")
        ->required();

    plain("status", "Show the hub's health, who one is and how much is unread", run_status);
    plain("whoami", "Show whom the token belongs to", run_whoami);
}

}  // namespace agentcom::cli
