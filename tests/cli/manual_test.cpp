// What is made of the parser: manual and completion.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "agentcom/cli/commands.hpp"
#include "agentcom/protocol/operations.hpp"
#include "cli/support/client_fixture.hpp"

namespace agentcom::cli {
namespace {

std::string file_text(const std::filesystem::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
}

class Made : public ClientTest {
protected:
    /// What a shell says to this script, which is given the completion for that shell.
    std::string ask(const std::string& shell, const std::string& script) {
        const Ran made = run({"completion", shell}, {});
        EXPECT_EQ(made.status, 0);
        std::ofstream(directory_ / "completion") << made.output;
        std::ofstream(directory_ / "script") << script;
        const std::string command = shell + " '" + (directory_ / "script") + "' '" +
                                    (directory_ / "completion") + "' >'" + (directory_ / "out") +
                                    "' 2>&1";
        EXPECT_EQ(std::system(command.c_str()), 0) << file_text(directory_ / "out");
        return file_text(directory_ / "out");
    }
    /// What bash offers behind these words.
    std::set<std::string> offered(const std::string& words) {
        std::istringstream out(
            ask("bash", ". \"$1\"\nCOMP_WORDS=(" + words +
                            ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
                            "compopt() { :; }\n_agentcom\n"
                            "for word in \"${COMPREPLY[@]}\"; do echo \"$word\"; done\n"));
        return {std::istream_iterator<std::string>(out), {}};
    }
};

TEST_F(Made, TheManualPageIsTheOneInTheTree) {
    const Ran ran = run({"manual"}, {});
    EXPECT_EQ(ran.status, 0);
    EXPECT_TRUE(ran.output == file_text(test::source_dir() / "man" / "agentcom.1"))
        << "run: build/release/agentcom manual >man/agentcom.1";
}

TEST_F(Made, TheHelpOfAnOptionIsThatOfItsField) {
    using enum protocol::Operation;
    // A position stands for the field that the command is about.
    const std::vector<std::tuple<std::string, protocol::Operation, std::string>> commands{
        {"send", send_message, ""},
        {"publish", protocol::Operation::publish, "channel"},
        {"poll", poll_mailbox, ""},
        {"ack", ack_mailbox, "seq"},
        {"history", channel_history, "channel"},
        {"history", query_history, ""},
        {"thread", get_thread, "message_id"},
        {"subscribe", protocol::Operation::subscribe, "channel"},
        {"unsubscribe", protocol::Operation::unsubscribe, "channel"}};
    std::size_t compared = 0;
    for (const auto& [command, operation, position] : commands) {
        std::istringstream words(run({command, "--help"}, {}).output);
        std::string help;
        for (std::string word; words >> word;) help += word + ' ';
        for (const protocol::FieldSpec& field : protocol::operation_info(operation).fields) {
            const std::string name(field.name(true));
            if (name == "payload") continue;  // the flag of this name says how the text is meant
            // The flag of this name is for a channel's history.
            if (operation == query_history && name == "before") continue;
            std::string flag = "--" + name + ' ';
            std::ranges::replace(flag, '_', '-');
            if (name != position && help.find(flag) == std::string::npos) continue;
            const std::string sentence(field.about.substr(0, field.about.size() - 1));
            EXPECT_NE(help.find(sentence), std::string::npos) << command << ": " << sentence;
            ++compared;
        }
    }
    EXPECT_EQ(compared, 21U);
}

TEST_F(Made, TheGuideNamesEveryCommandStatusAndVariable) {
    const std::string guide = file_text(test::source_dir() / "docs" / "cli.md");
    const Ran help = run({"--help"}, {});
    std::istringstream lines(help.output);
    std::string line;
    bool client = false;
    std::size_t commands = 0;
    while (std::getline(lines, line)) {
        client = line.starts_with("  ") ? client : line.starts_with("Commands that talk to a hub");
        if (client && line.starts_with("  ") && line[2] != ' ') {
            const std::string name = line.substr(2, line.find(' ', 2) - 2);
            EXPECT_NE(guide.find("`" + name), std::string::npos) << name;
            ++commands;
        }
    }
    EXPECT_GE(commands, 18U) << help.output;
    for (const ExitStatus& status : exit_statuses()) {
        EXPECT_NE(guide.find("| " + std::to_string(status.code) + " |"), std::string::npos);
    }
    for (const auto& [name, text] : client_variables()) {
        EXPECT_NE(guide.find('`' + std::string(name) + '`'), std::string::npos) << name;
    }
}

TEST_F(Made, BashOffersCommandsFlagsAndChoices) {
    const auto commands = offered("agentcom ''");
    EXPECT_TRUE(commands.contains("serve"));
    EXPECT_TRUE(commands.contains("send"));
    EXPECT_TRUE(commands.contains("--version"));
    EXPECT_FALSE(commands.contains("manual"));
    EXPECT_EQ(offered("agentcom lis"), std::set<std::string>{"listen"});
    EXPECT_EQ(offered("agentcom context re"), std::set<std::string>{"remove"});
    EXPECT_EQ(offered("agentcom listen --e"), std::set<std::string>{"--exec"});
    EXPECT_EQ(offered("agentcom token create --role o"), std::set<std::string>{"observer"});
    EXPECT_EQ(offered("agentcom completion ''").count("fish"), 1U);
    EXPECT_EQ(offered("agentcom hook claude se"), std::set<std::string>{"session-start"});
    for (const char* moment : {"prompt", "tool", "stop", "wait", "end"}) {
        EXPECT_TRUE(offered("agentcom hook claude ''").contains(moment)) << moment;
    }
    EXPECT_TRUE(offered("agentcom send --type ''").empty()) << "only the user knows";
    const auto files = offered("agentcom send bob --file '" + directory_.path().string() + "/'");
    EXPECT_TRUE(files.contains(directory_ / "script"));
}

TEST_F(Made, TheOtherShellsTakeTheirScripts) {
    for (const char* shell : {"zsh", "fish"}) {
        const Ran made = run({"completion", shell}, {});
        EXPECT_NE(made.output.find("listen"), std::string::npos);
        if (std::system((std::string("command -v ") + shell + " >/dev/null").c_str()) == 0) {
            EXPECT_EQ(ask(shell, shell == std::string("zsh") ? "zsh -n \"$1\"\n"
                                                             : "fish --no-execute $argv[1]\n"),
                      "");
        }
    }
}

}  // namespace
}  // namespace agentcom::cli
