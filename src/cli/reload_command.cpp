// `reload`: the hub reads its configuration again.
#include "cli/command.hpp"
#include "cli/terminal_text.hpp"

namespace agentcom::cli {
namespace {

std::string listed(JsonView keys) {
    std::string text;
    for (const JsonView& key : keys.elements()) {
        text += (text.empty() ? "" : ", ") + printable_line(key.text());
    }
    return text;
}

int run_reload(const ClientFlags& flags) {
    Hub hub(flags);
    require_token(hub.context());
    const std::string text = hub.post("/admin/reload");
    if (flags.json) {
        print(one_line(text) + '\n');
        return 0;
    }
    const JsonView answer(text);
    std::string done = listed(answer["changed"]);
    if (answer["tls_read_again"].is_true()) {
        done += std::string(done.empty() ? "" : ", ") + "the TLS certificate and key";
    }
    const std::string waiting = listed(answer["needs_restart"]);
    print("reloaded: " + (done.empty() ? "nothing" : done) + '\n' +
          (waiting.empty() ? "" : "needs a restart: " + waiting + '\n'));
    return 0;
}

}  // namespace

void add_reload_command(const CommandSet& set) {
    (void)add_command<ClientFlags>(set, "reload",
                                   "Have the hub read its configuration again, as an administrator",
                                   std::make_shared<ClientFlags>(), run_reload);
}

}  // namespace agentcom::cli
