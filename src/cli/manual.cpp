// The manual page: what the parser knows, and around it what only people can say.
#include <string_view>

#include "agentcom/core/version.hpp"
#include "cli/command.hpp"
#include "cli/completion.hpp"

namespace agentcom::cli {
namespace {

/// Text of a man page: no line of it is taken for a request, no hyphen for a soft one.
std::string roff(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-') {
            out += "\\-";
        } else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) {
            out += "\\&";
            out += c;
        } else {
            out += c;
        }
    }
    return out;
}

std::string bold(std::string_view text) { return "\\fB" + roff(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + roff(text) + "\\fR"; }

std::string entry(const std::string& head, std::string_view text) {
    return ".TP\n" + head + '\n' + roff(text) + '\n';
}

std::string usage(const CommandEntry& command) {
    std::string out = bold(command.name);
    if (!command.commands.empty()) {
        out += ' ' + italic("COMMAND");
    }
    for (const PositionalEntry& positional : command.positionals) {
        const std::string name = italic(positional.name) + (positional.many ? "..." : "");
        out += positional.required ? ' ' + name : " [" + name + ']';
    }
    return out + " [" + italic("flags") + ']';
}

std::string flag_head(const FlagEntry& flag) {
    std::string out;
    for (const std::string& name : flag.names) {
        out += (out.empty() ? "" : ", ") + bold(name);
    }
    return out + (flag.value.empty() ? "" : ' ' + italic(flag.value));
}

std::string with_preset(const FlagEntry& flag) {
    const bool told = !flag.preset.empty() && flag.preset != "\"\"";
    return flag.text + (told ? " (" + flag.preset + " when left out)" : "");
}

std::string sentence(std::string text) {
    return text.empty() || text.ends_with('.') ? text : text + '.';
}

/// Flags that all commands of the client share are described once.
bool is_shared(const FlagEntry& flag) {
    return flag.group == kContextGroup || flag.names.back() == "--help";
}

std::string footer_of(const CommandEntry& command, const CommandEntry& root) {
    // What a command has from the program as a whole is said once.
    return command.footer.empty() || command.footer == root.footer
               ? ""
               : ".PP\n" + roff(command.footer) + '\n';
}

std::string section(const CommandEntry& command, const CommandEntry& root) {
    std::string out = ".SS " + usage(command) + '\n' + roff(sentence(command.text)) + '\n';
    for (const PositionalEntry& positional : command.positionals) {
        out += entry(italic(positional.name), sentence(positional.text));
    }
    for (const FlagEntry& flag : command.flags) {
        if (!is_shared(flag)) {
            out += entry(flag_head(flag), sentence(with_preset(flag)));
        }
    }
    return out + footer_of(command, root);
}

/// Commands with others below them have no section: there is nothing to say but the list.
std::string sections(const CommandEntry& root, bool client) {
    std::string out;
    for (const CommandEntry& command : root.commands) {
        if ((command.group == kClientGroup) != client) {
            continue;
        }
        for (const CommandEntry* each : flattened(command)) {
            if (each->commands.empty()) {
                out += section(*each, root);
            } else if (const std::string footer = footer_of(*each, root); !footer.empty()) {
                out += ".SS " + usage(*each) + '\n' + roff(sentence(each->text)) + '\n' + footer;
            }
        }
    }
    return out;
}

std::string shared_flags(const CommandEntry& root) {
    for (const CommandEntry& command : root.commands) {
        std::string out;
        for (const FlagEntry& flag : command.flags) {
            out += flag.group == kContextGroup ? entry(flag_head(flag), sentence(flag.text)) : "";
        }
        if (!out.empty()) {
            return out;
        }
    }
    return {};
}

constexpr std::string_view kWhichHub =
    "Flags come before variables, and these before the stored context. A context that is named "
    "with "
    "--context is meant as a whole: variables are not looked at. A stored token is sent to its own "
    "hub only.";

constexpr std::string_view kOutput =
    "What a command found goes to standard output, everything else to standard error, a line each. "
    "With --json a message is one line with seq, id, from, to, channel, channel_seq, type, "
    "payload, "
    "reply_to and timestamp (Unix milliseconds), without those it does not have; other answers are "
    "the hub's own. Control characters in what others have written are shown as escapes. No token "
    "is "
    "ever shown, but for its first digits.";

constexpr std::string_view kExamples =
    ".nf\n"
    "agentcom context add work \\-\\-url https://hub.example.org \\-\\-token\\-file token\n"
    "agentcom send bob \\(aqare you there?\\(aq\n"
    "git log \\-1 | agentcom publish builds \\-\\-create\n"
    "agentcom wait \\-\\-timeout 600 && agentcom poll \\-\\-ack\n"
    "agentcom listen \\-\\-exec \\(aqjq \\-r .payload.text >>inbox\\(aq\n"
    ".fi\n";

}  // namespace

std::string manual_page(const CommandEntry& root) {
    std::string out =
        ".\\\" Made by `agentcom manual`; a test compares the two.\n"
        ".TH AGENTCOM 1 \"\" \"agentcom " +
        std::string(core::kVersion) +
        "\" \"User Commands\"\n"
        ".SH NAME\nagentcom \\- a message hub for autonomous agents, and its client\n"
        ".SH SYNOPSIS\n" +
        usage(root) + "\n.SH DESCRIPTION\n" +
        roff(
            "Agents send each other messages through a hub, which keeps them until they are read. "
            "agentcom is the hub, and the client that scripts and people use.") +
        "\n.SH TALKING TO A HUB\n" +
        roff(
            "These commands need no data directory, only where the hub is and a token. Each takes "
            "the flags below besides its own.") +
        '\n' + shared_flags(root) + ".PP\n" + roff(kWhichHub) + "\n.PP\n" + roff(kOutput) + '\n' +
        sections(root, true) + ".SH RUNNING A HUB\n" + roff(root.footer) + '\n' +
        sections(root, false) + ".SH EXIT STATUS\n";
    for (const ExitStatus& status : exit_statuses()) {
        out += entry(bold(std::to_string(status.code)), sentence(std::string(status.meaning)));
    }
    out += ".SH ENVIRONMENT\n";
    for (const auto& [name, text] : client_variables()) {
        out += entry(bold(name), sentence(std::string(text)));
    }
    out += ".SH FILES\n" +
           entry(italic("~/.config/agentcom/contexts.json"),
                 "Contexts, with their tokens: mode 0600, refused when others may read it. "
                 "XDG_CONFIG_HOME puts it elsewhere.") +
           ".SH EXAMPLES\n" + std::string(kExamples);
    return out;
}

}  // namespace agentcom::cli
