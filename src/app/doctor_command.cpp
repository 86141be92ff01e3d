#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <optional>
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
    bool cut_journal = false;
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

std::string counted(std::uint64_t count, const char* one, const char* several) {
    return std::to_string(count) + ' ' + (count == 1 ? one : several);
}
std::string batches_with_messages(std::uint64_t batches, std::uint64_t messages) {
    return counted(batches, "batch", "batches") + " of operations with " +
           counted(messages, "message", "messages");
}

/// False when the journal is damaged.
bool show(const store::JournalExamination& found) {
    if (found.in_use) return true;
    if (found.closed) {
        std::cout << "journal: the store was closed in order" << std::endl;
        return true;
    }
    std::cout << "journal: the store was not closed in order; "
              << batches_with_messages(found.batches, found.messages)
              << (found.damage ? " could be applied again" : " are applied again") << std::endl;
    if (!found.damage) return true;
    std::cout
        << "damaged: " << found.damage->text << "; "
        << batches_with_messages(found.damage->batches, found.damage->messages)
        << " can be read behind it and not be applied without it\n"
           "Look at the disk first. Then restore a backup; or go on with what comes before "
           "by agentcom doctor --cut-journal, which loses what is damaged and what follows it."
        << std::endl;
    return false;
}

void cut(const store::StoreOptions& options) {
    const auto cut = store::cut_journal(options, core::SystemClock());
    if (!cut) {
        std::cout << "journal: nothing was cut, it is not damaged" << std::endl;
        return;
    }
    std::cout << "journal: cut where " << cut->lost.text << "; lost is what is damaged, and "
              << batches_with_messages(cut->lost.batches, cut->lost.messages)
              << " behind it; as it was it is in " << cut->kept.string() << std::endl;
}

int examine(const DoctorFlags& flags) {
    const Config config = load_config(flags.common.sources());
    const PageFaultSentence guard(kFindings);
    std::optional<Logging> logging;
    if (flags.repair || flags.cut_journal) {
        logging.emplace(config.log_level, config.log_format);
    } else {
        // What a hub logs of damage that it meets is among the findings.
        spdlog::set_level(spdlog::level::off);
    }
    if (flags.cut_journal) {
        cut(config.store);
    } else if (!show(store::examine_journal(config.store.directory))) {
        return kFindings;
    }
    store::Examination found;
    if (flags.repair) {
        const store::Repair repair = store::examine_and_repair(config.store);
        std::cout << repair.repaired << " repaired\n";
        found = repair.after;
    } else {
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
        "Also while a hub serves the store, but for --repair and --cut-journal. The journal of a\n"
        "store that was not closed in order is applied first.\n"
        "Exit status: 0 sound, or all was repaired; 3 something is not as it should be;\n"
        "1 the store could not be looked at; 2 the command line was wrong.");
    const auto flags = std::make_shared<DoctorFlags>();
    add_common_flags(*command, flags->common);
    command->add_flag("--repair", flags->repair,
                      "Put counters right, remove rows that refer to nothing");
    command->add_flag("--cut-journal", flags->cut_journal,
                      "End a damaged journal before the damage; what follows is lost");
    command->add_option("client", flags->client,
                        "A coding agent that `connect` has connected: claude, codex, ...");
    command->callback([flags, &status] {
        status = flags->client.empty() ? examine(*flags) : cli::examine_client(flags->client);
    });
}

}  // namespace agentcom::app
