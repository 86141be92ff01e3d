#include "cli/completion.hpp"

#include <string_view>

namespace agentcom::cli {
namespace {

/// Names and texts are the program's own, but an apostrophe may be among them.
std::string shell_quoted(std::string_view text, std::string_view apostrophe = "'\\''") {
    std::string out = "'";
    for (const char c : text) {
        c == '\'' ? out += apostrophe : out += c;
    }
    return out + '\'';
}

std::string last_word(const std::string& name) { return name.substr(name.rfind(' ') + 1); }

/// 'a b'|'a c', the patterns of a case; empty when there is nothing.
class Patterns {
public:
    void add(const std::string& text) { text_ += (text_.empty() ? "" : "|") + shell_quoted(text); }
    /// "    patterns) action ;;" or nothing.
    [[nodiscard]] std::string branch(std::string_view action) const {
        return text_.empty() ? "" : "        " + text_ + ") " + std::string(action) + " ;;\n";
    }

private:
    std::string text_;
};

/// The case branches that follow a flag which takes a value.
struct ValueBranches {
    std::string files;
    std::string choices;
    std::string others;
};

template <class Choose>
ValueBranches value_branches(const CommandEntry& root, std::string_view files, Choose choose) {
    Patterns of_files;
    Patterns of_others;
    ValueBranches branches;
    for (const CommandEntry* command : flattened(root)) {
        for (const FlagEntry& flag : command->flags) {
            for (const std::string& name : flag.names) {
                if (!flag.choices.empty()) {
                    Patterns one;
                    one.add(command->name + ' ' + name);
                    branches.choices += one.branch(choose(flag.choices));
                } else if (flag.value == "FILE" || flag.value == "DIRECTORY") {
                    of_files.add(command->name + ' ' + name);
                } else if (!flag.value.empty()) {
                    of_others.add(command->name + ' ' + name);
                }
            }
        }
    }
    branches.files = of_files.branch(files);
    branches.others = of_others.branch("return");
    return branches;
}

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) {
        out += (out.empty() ? "" : " ") + word;
    }
    return out;
}

Patterns paths_below(const CommandEntry& root) {
    Patterns paths;
    for (const CommandEntry* command : flattened(root)) {
        if (command != &root) {
            paths.add(command->name);
        }
    }
    return paths;
}

/// Everything that may come next: commands, choices of a positional, flags.
std::string words_after(const CommandEntry& command) {
    std::string words;
    for (const CommandEntry& below : command.commands) {
        words += last_word(below.name) + ' ';
    }
    for (const PositionalEntry& positional : command.positionals) {
        words += positional.choices.empty() ? "" : joined(positional.choices) + ' ';
    }
    for (const FlagEntry& flag : command.flags) {
        words += joined(flag.names) + ' ';
    }
    return words;
}

}  // namespace

std::string bash_completion(const CommandEntry& root) {
    const ValueBranches values =
        value_branches(root, "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\")); return",
                       [](const std::vector<std::string>& choices) {
                           return "COMPREPLY=($(compgen -W " + shell_quoted(joined(choices)) +
                                  " -- \"$cur\")); return";
                       });
    std::string out =
        "# bash completion for agentcom; made by `agentcom completion bash`\n"
        "_agentcom() {\n"
        "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
        "    local at=agentcom words= i\n"
        "    COMPREPLY=()\n"
        "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
        "        case \"$at ${COMP_WORDS[i]}\" in\n";
    out += paths_below(root).branch("at=\"$at ${COMP_WORDS[i]}\"");
    out += "        esac\n    done\n    case \"$at $prev\" in\n";
    out += values.files + values.choices + values.others;
    out += "    esac\n    case \"$at\" in\n";
    for (const CommandEntry* command : flattened(root)) {
        out += "        " + shell_quoted(command->name) +
               ") words=" + shell_quoted(words_after(*command)) + " ;;\n";
    }
    out +=
        "    esac\n"
        "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
        "}\n"
        "complete -F _agentcom agentcom\n";
    return out;
}

std::string zsh_completion(const CommandEntry& root) {
    const ValueBranches values =
        value_branches(root, "_files; return", [](const std::vector<std::string>& choices) {
            return "compadd -- " + joined(choices) + "; return";
        });
    const auto entry = [](const std::string& name, const std::string& text) {
        return "            " + shell_quoted(name + ':' + text) + '\n';
    };
    std::string out =
        "#compdef agentcom\n"
        "# zsh completion for agentcom; made by `agentcom completion zsh`\n"
        "_agentcom() {\n"
        "    local at=agentcom i\n"
        "    local -a commands options choices\n"
        "    for ((i = 2; i < CURRENT; i++)); do\n"
        "        case \"$at ${words[i]}\" in\n";
    out += paths_below(root).branch("at=\"$at ${words[i]}\"");
    out += "        esac\n    done\n    case \"$at ${words[CURRENT-1]}\" in\n";
    out += values.files + values.choices + values.others;
    out += "    esac\n    case \"$at\" in\n";
    for (const CommandEntry* command : flattened(root)) {
        std::string commands;
        std::string choices;
        std::string options;
        for (const CommandEntry& below : command->commands) {
            commands += entry(last_word(below.name), below.text);
        }
        for (const PositionalEntry& positional : command->positionals) {
            choices += positional.choices.empty() ? "" : joined(positional.choices) + ' ';
        }
        for (const FlagEntry& flag : command->flags) {
            for (const std::string& name : flag.names) {
                options += entry(name, flag.text);
            }
        }
        out += "        " + shell_quoted(command->name) + ")\n        commands=(\n" + commands +
               "        )\n        choices=(" + choices + ")\n        options=(\n" + options +
               "        ) ;;\n";
    }
    out +=
        "    esac\n"
        "    (( ${#commands} )) && _describe -t commands command commands\n"
        "    (( ${#choices} )) && compadd -a choices\n"
        "    _describe -o -t options option options\n"
        "}\n"
        "if [[ ${funcstack[1]} == _agentcom ]]; then\n"
        "    _agentcom \"$@\"\n"
        "else\n"
        "    compdef _agentcom agentcom\n"
        "fi\n";
    return out;
}

std::string fish_completion(const CommandEntry& root) {
    const auto fish = [](std::string_view text) { return shell_quoted(text, "\\'"); };
    std::string out =
        "# fish completion for agentcom; made by `agentcom completion fish`\n"
        "function __agentcom_at\n"
        "    set -l at agentcom\n"
        "    for word in (commandline -opc)[2..]\n"
        "        switch \"$at $word\"\n"
        "            case";
    for (const CommandEntry* command : flattened(root)) {
        out += command == &root ? "" : ' ' + fish(command->name);
    }
    out +=
        "\n                set at \"$at $word\"\n"
        "        end\n"
        "    end\n"
        "    test \"$at\" = \"$argv[1]\"\n"
        "end\n"
        "complete -c agentcom -f\n";
    for (const CommandEntry* command : flattened(root)) {
        const std::string begin =
            "complete -c agentcom -n " + fish("__agentcom_at \"" + command->name + "\"");
        for (const CommandEntry& below : command->commands) {
            out += begin + " -a " + last_word(below.name) + " -d " + fish(below.text) + '\n';
        }
        for (const PositionalEntry& positional : command->positionals) {
            if (!positional.choices.empty()) {
                out += begin + " -a " + fish(joined(positional.choices)) + '\n';
            }
        }
        for (const FlagEntry& flag : command->flags) {
            out += begin;
            for (const std::string& name : flag.names) {
                out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
            }
            if (!flag.choices.empty()) {
                out += " -x -a " + fish(joined(flag.choices));
            } else if (flag.value == "FILE" || flag.value == "DIRECTORY") {
                out += " -r -F";
            } else if (!flag.value.empty()) {
                out += " -x";
            }
            out += " -d " + fish(flag.text) + '\n';
        }
    }
    return out;
}

}  // namespace agentcom::cli
