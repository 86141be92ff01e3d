// `context`: which hubs there are, and as whom one speaks there.
#include <cstdlib>

#include "cli/command.hpp"
#include "cli/context_file.hpp"
#include "cli/listing.hpp"
#include "cli/terminal_text.hpp"
#include "cli/token_holder.hpp"

namespace agentcom::cli {
namespace {

struct AddFlags {
    std::string name;
    std::string url;
    std::string token_file;
    std::string ca_file;
    bool replace = false;
    bool offline = false;
    bool use = false;
    bool json = false;
};

struct NameFlags {
    std::string name;
    bool json = false;
};

std::string from_environment(const char* name, const std::string& otherwise) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : otherwise;
}

/// What the flags and the environment say, and whom the hub takes that for.
StoredContext describe(const AddFlags& flags) {
    StoredContext stored;
    stored.url = without_slash(
        flags.url.empty() ? from_environment("AGENTCOM_URL", Context::kDefaultUrl) : flags.url);
    const std::string ca_file =
        flags.ca_file.empty() ? from_environment("AGENTCOM_CA_FILE", "") : flags.ca_file;
    if (!ca_file.empty()) {
        stored.ca_file = std::filesystem::absolute(ca_file).string();
    }
    const std::string variable = token_variable();
    if (!flags.token_file.empty()) {
        stored.token = read_token(flags.token_file);
    } else if (!variable.empty()) {
        stored.token = checked_token(variable, "the variable AGENTCOM_TOKEN");
    } else {
        throw CommandError(kWrongUsage,
                           "give the token with --token-file (- is standard input) or in "
                           "AGENTCOM_TOKEN");
    }
    HubClient client({.url = stored.url, .ca_file = stored.ca_file}, stored.token);
    if (!flags.offline) {
        stored.agent = ask_holder(client, from_now(kRequestTime)).agent;
    }
    return stored;
}

/// Of the token no more than its first digits, as everywhere.
std::string context_json(const std::string& name, const StoredContext& stored, bool current) {
    return "{\"name\":" + json_text(name) + ",\"url\":" + json_text(stored.url) +
           ",\"agent\":" + (stored.agent.empty() ? "null" : json_text(stored.agent)) +
           ",\"ca_file\":" + (stored.ca_file.empty() ? "null" : json_text(stored.ca_file)) +
           ",\"token_prefix\":" + json_text(stored.token.substr(0, 8)) +
           ",\"current\":" + (current ? "true" : "false") + "}\n";
}

int run_add(const AddFlags& flags) {
    if (!is_context_name(flags.name)) {
        throw CommandError(kWrongUsage,
                           "a context's name has letters, digits, dots, hyphens and underscores");
    }
    const StoredContext stored = describe(flags);
    bool current = false;
    ContextFile::change(ContextFile::default_path(), [&](ContextFile& file) {
        if (file.contexts.contains(flags.name) && !flags.replace) {
            throw CommandError(kProblem, "there is a context " + flags.name +
                                             " already; with --replace it is overwritten");
        }
        file.contexts[flags.name] = stored;
        if (file.current.empty() || flags.use) {
            file.current = flags.name;
        }
        current = file.current == flags.name;
    });
    if (flags.json) {
        print(context_json(flags.name, stored, current));
        return 0;
    }
    print("stored " + flags.name +
          (stored.agent.empty() ? "" : ": " + printable_line(stored.agent)) + " at " + stored.url +
          (current ? ", in use\n" : "\n"));
    return 0;
}

int run_use(const NameFlags& flags) {
    StoredContext chosen;
    ContextFile::change(ContextFile::default_path(), [&](ContextFile& file) {
        if (!file.contexts.contains(flags.name)) {
            throw CommandError(kProblem, "there is no context " + flags.name +
                                             "; `agentcom context list` shows those there are");
        }
        file.current = flags.name;
        chosen = file.contexts[flags.name];
    });
    print(flags.json ? context_json(flags.name, chosen, true) : "in use: " + flags.name + '\n');
    return 0;
}

int run_remove(const NameFlags& flags) {
    ContextFile::change(ContextFile::default_path(), [&](ContextFile& file) {
        if (file.contexts.erase(flags.name) == 0) {
            throw CommandError(kProblem, "there is no context " + flags.name);
        }
        if (file.current == flags.name) {
            file.current.clear();
        }
    });
    print(flags.json ? "{\"status\":\"removed\",\"name\":" + json_text(flags.name) + "}\n"
                     : "removed " + flags.name + '\n');
    return 0;
}

int run_list(const NameFlags& flags) {
    const ContextFile file = ContextFile::read(ContextFile::default_path());
    for (const auto& [name, stored] : file.contexts) {
        const bool current = name == file.current;
        print(flags.json ? context_json(name, stored, current)
                         : (current ? "* " : "  ") + padded(name, 16) + "  " +
                               padded(printable_line(stored.agent), 16) + "  " +
                               printable_line(stored.url) + '\n');
    }
    if (file.contexts.empty() && !flags.json) {
        print("no contexts; `agentcom context add` stores one\n");
    }
    return 0;
}

int run_show(const NameFlags& flags) {
    const ContextFile file = ContextFile::read(ContextFile::default_path());
    const std::string& name = flags.name.empty() ? file.current : flags.name;
    const auto found = file.contexts.find(name);
    if (found == file.contexts.end()) {
        throw CommandError(kProblem,
                           name.empty() ? "no context is in use" : "there is no context " + name);
    }
    const StoredContext& stored = found->second;
    if (flags.json) {
        print(context_json(name, stored, name == file.current));
        return 0;
    }
    print("context  " + name + (name == file.current ? " (in use)" : "") + "\nhub      " +
          printable_line(stored.url) + "\nagent    " +
          (stored.agent.empty() ? "not asked yet" : printable_line(stored.agent)) + "\ntoken    " +
          stored.token.substr(0, 8) + "...\n" +
          (stored.ca_file.empty() ? "" : "ca file  " + printable_line(stored.ca_file) + '\n'));
    return 0;
}

}  // namespace

void add_context_command(const CommandSet& set) {
    auto* command = set.app.add_subcommand("context", "Remember hubs, and who one is there");
    command->group(kClientGroup);
    command->require_subcommand(1);
    command->footer("");
    const auto add = [&]<class Flags>(const char* name, const char* text,
                                      const std::shared_ptr<Flags>& flags,
                                      int (*run)(const Flags&)) {
        auto* sub = command->add_subcommand(name, text);
        sub->add_flag("--json", flags->json, "Print JSON: one document, or one on each line");
        sub->callback([flags, run, &status = set.status] {
            status = run_guarded([&] { return run(*flags); });
        });
        return sub;
    };
    const auto added = std::make_shared<AddFlags>();
    auto* sub = add("add", "Store a hub and a token for it under a name", added, run_add);
    sub->add_option("NAME", added->name, "Name of the context")->required();
    sub->add_option("--url", added->url, "Where the hub is; AGENTCOM_URL when left out")
        ->type_name("URL");
    sub->add_option("--token-file", added->token_file,
                    "File with the token, - is standard input; AGENTCOM_TOKEN when left out")
        ->type_name("FILE");
    sub->add_option("--ca-file", added->ca_file,
                    "Certificates (PEM) to trust instead of the system's")
        ->type_name("FILE");
    sub->add_flag("--use", added->use, "Use it from now on; the first one is used anyway");
    sub->add_flag("--replace", added->replace, "Overwrite a context of this name");
    sub->add_flag("--offline", added->offline, "Do not ask the hub whose token it is");

    const auto named = [&](const char* name, const char* text, int (*run)(const NameFlags&),
                           bool required) {
        const auto flags = std::make_shared<NameFlags>();
        add(name, text, flags, run)
            ->add_option("NAME", flags->name, "Name of the context")
            ->required(required);
    };
    named("use", "Use this context from now on", run_use, true);
    named("remove", "Forget a context and its token", run_remove, true);
    named("show", "Show a context, or the one in use; of its token the first digits", run_show,
          false);
    (void)add("list", "List the contexts", std::make_shared<NameFlags>(), run_list);
}

}  // namespace agentcom::cli
