#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "agentcom/cli/agent_commands.hpp"
#include "agentcom/store/doctor.hpp"
#include "app/commands.hpp"
#include "app/logging.hpp"
#include "app/page_fault.hpp"

namespace agentcom::app {
namespace {

struct DoctorFlags {
    CommonFlags common;
    bool repair = false;
    std::string client;
};

void show(const store::Examination& found) {
    for (const store::Finding& finding : found.findings) {
        std::cout << (finding.repairable ? "repairable: " : "damaged: ") << finding.text << '\n';
    }
    if (found.total > found.findings.size()) {
        std::cout << "and " << found.total - found.findings.size() << " more\n";
    }
    std::cout << "schema " << found.schema << ", epoch " << found.epoch.str() << ", head "
              << found.head.value << ", " << found.messages << " messages, " << found.rows
              << " rows: ";
    if (found.total == 0) {
        std::cout << "sound" << std::endl;
    } else {
        std::cout << found.total << (found.total == 1 ? " finding" : " findings") << std::endl;
    }
}

int examine(const DoctorFlags& flags) {
    const Config config = load_config(flags.common.sources());
    const PageFaultSentence guard(kFindings);
    store::Examination found;
    if (flags.repair) {
        const Logging logging(config.log_level, config.log_format);
        const store::Repair repair = store::examine_and_repair(config.store);
        std::cout << repair.repaired << " repaired\n";
        found = repair.after;
    } else {
        // What a hub logs of damage that it meets is among the findings.
        spdlog::set_level(spdlog::level::off);
        found = store::examine(config.store.directory);
    }
    show(found);
    return found.total == 0 ? 0 : kFindings;
}

}  // namespace

void add_doctor_command(CLI::App& app, int& status) {
    auto* command = app.add_subcommand(
        "doctor",
        "Look whether everything in the store is as it should be, and repair what can be; with a\n"
        "client's name, whether that client is told of its mail");
    command->footer(
        "Also while a hub serves the store, but for --repair.\n"
        "Exit status: 0 sound, or all was repaired; 3 something is not as it should be;\n"
        "1 the store could not be looked at; 2 the command line was wrong.");
    const auto flags = std::make_shared<DoctorFlags>();
    add_common_flags(*command, flags->common);
    command->add_flag("--repair", flags->repair,
                      "Put counters right, remove rows that refer to nothing");
    command->add_option("client", flags->client,
                        "A coding agent that `connect` has connected: claude, codex, ...");
    command->callback([flags, &status] {
        status = flags->client.empty() ? examine(*flags) : cli::examine_client(flags->client);
    });
}

}  // namespace agentcom::app
