#include "cli/command_tree.hpp"

#include <CLI/CLI.hpp>

namespace agentcom::cli {
namespace {

/// CLI11 puts what a value is checked for behind its type: "TEXT:{agent,admin}".
std::vector<std::string> choices_of(const std::string& type) {
    std::vector<std::string> all;
    const std::size_t open = type.find('{');
    const std::size_t close = type.find('}', open == std::string::npos ? 0 : open);
    if (open == std::string::npos || close == std::string::npos) {
        return all;
    }
    for (std::size_t at = open + 1; at < close;) {
        const std::size_t end = std::min(type.find(',', at), close);
        all.push_back(type.substr(at, end - at));
        at = end + 1;
    }
    return all;
}

/// The type without what it is checked for.
std::string type_of_value(const CLI::Option& option) {
    const std::string type = option.get_type_name();
    const std::string name = type.substr(0, type.find_first_of(":{"));
    return name.empty() ? "VALUE" : name;
}

FlagEntry read_flag(const CLI::Option& option) {
    FlagEntry flag;
    for (const std::string& name : option.get_snames()) {
        flag.names.push_back('-' + name);
    }
    for (const std::string& name : option.get_lnames()) {
        flag.names.push_back("--" + name);
    }
    if (option.get_items_expected_max() > 0) {
        flag.value = type_of_value(option);
        flag.choices = choices_of(option.get_type_name());
        flag.preset = option.get_default_str();
    }
    flag.text = option.get_description();
    flag.group = option.get_group();
    return flag;
}

CommandEntry read_command(const CLI::App& app, const std::string& above) {
    CommandEntry entry;
    entry.name = above.empty() ? app.get_name() : above + ' ' + app.get_name();
    entry.text = app.get_description();
    entry.footer = app.get_footer();
    entry.group = app.get_group();
    for (const CLI::Option* option : app.get_options()) {
        if (option->get_positional()) {
            entry.positionals.push_back({.name = option->get_name(true, false),
                                         .text = option->get_description(),
                                         .choices = choices_of(option->get_type_name()),
                                         .required = option->get_required(),
                                         .many = option->get_items_expected_max() > 1});
        } else if (!option->get_group().empty()) {
            entry.flags.push_back(read_flag(*option));
        }
    }
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
        if (!sub->get_group().empty()) {
            entry.commands.push_back(read_command(*sub, entry.name));
        }
    }
    return entry;
}

void flatten(const CommandEntry& entry, std::vector<const CommandEntry*>& into) {
    into.push_back(&entry);
    for (const CommandEntry& below : entry.commands) {
        flatten(below, into);
    }
}

}  // namespace

CommandEntry read_command_tree(const CLI::App& app) { return read_command(app, {}); }

std::vector<const CommandEntry*> flattened(const CommandEntry& root) {
    std::vector<const CommandEntry*> all;
    flatten(root, all);
    return all;
}

}  // namespace agentcom::cli
