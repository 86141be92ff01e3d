#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "agentcom/core/time.hpp"
#include "agentcom/core/token.hpp"
#include "agentcom/store/backup.hpp"
#include "agentcom/store/opening.hpp"
#include "app/admin_token.hpp"
#include "app/commands.hpp"
#include "app/manifest.hpp"
#include "app/page_fault.hpp"

namespace agentcom::app {
namespace {

struct BackupFlags {
    CommonFlags common;
    std::string directory;
    bool force = false;
};

int back_up(const BackupFlags& flags) {
    const Config config = load_config(flags.common.sources());
    const PageFaultSentence guard(kProblem);
    const core::Timestamp now = core::SystemClock().now();
    const auto copy = store::copy_store(config.store.directory, flags.directory);
    Manifest{copy, now}.write(flags.directory);
    std::cout << "backed up " << config.store.directory.string() << " to " << flags.directory
              << ": epoch " << copy.epoch.str() << ", head " << copy.head.value << ", "
              << copy.bytes << " bytes, verified" << std::endl;
    if (copy.findings == 0) {
        return 0;
    }
    // One that lacks a message is better than none, but somebody has to know.
    std::cerr << "agentcom: the store is not sound, and neither is its copy: " << copy.first_finding
              << "; see agentcom doctor" << std::endl;
    return kFindings;
}

/// The file may be left from the store that stood there before.
void tell_of_admin_token(const Config& config) {
    const auto file = admin_token_file(config.store.directory);
    const std::string text = read_token_file(file);
    const core::SystemClock clock;
    const auto store = store::Store::open(config.store, clock);
    const auto token = core::Token::parse(text);
    const auto known = token ? store->find_token(token->digest()) : std::nullopt;
    const bool admin = known && known->role == core::Role::admin;
    if (admin && !known->expired(clock.now())) {
        return;
    }
    const std::string problem =
        text.empty() ? "there is no token in " + file.string()
        : admin      ? "the token in " + file.string() + " has expired"
                     : "the token in " + file.string() + " is no administrator's in this store";
    std::cerr << "agentcom: " << problem
              << "; administrators' tokens are those of the time of the backup, `agentcom token "
                 "create NAME --role admin` makes another"
              << std::endl;
}

void restore(const BackupFlags& flags) {
    const Config config = load_config(flags.common.sources());
    const PageFaultSentence guard(kProblem);
    const Manifest manifest = Manifest::read(flags.directory);
    const auto restored =
        store::restore_store(flags.directory, manifest.copy, config.store, flags.force);
    std::cout << "restored " << flags.directory << ", made " << manifest.time_text() << ", to "
              << config.store.directory.string() << ": head " << restored.head.value
              << ", new epoch " << restored.epoch.str() << std::endl;
    tell_of_admin_token(config);
}

}  // namespace

void add_backup_command(CLI::App& app, int& status) {
    auto* command = app.add_subcommand(
        "backup", "Copy the store into an empty directory, also while a hub serves it");
    const auto flags = std::make_shared<BackupFlags>();
    add_common_flags(*command, flags->common);
    command->add_option("DIR", flags->directory, "Directory for the copy; made when missing")
        ->required();
    command->callback([flags, &status] { status = back_up(*flags); });
}

void add_restore_command(CLI::App& app, int& status) {
    auto* command = app.add_subcommand(
        "restore", "Put a backup into the data directory; no hub may serve it meanwhile");
    const auto flags = std::make_shared<BackupFlags>();
    add_common_flags(*command, flags->common);
    command->add_option("DIR", flags->directory, "Directory that `agentcom backup` has filled")
        ->required();
    command->add_flag("--force", flags->force, "Replace the store that is in the data directory");
    command->callback([flags, &status] {
        restore(*flags);
        status = 0;
    });
}

}  // namespace agentcom::app
