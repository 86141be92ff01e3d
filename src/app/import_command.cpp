#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "agentcom/core/time.hpp"
#include "agentcom/store/opening.hpp"
#include "app/commands.hpp"
#include "app/token_import.hpp"

namespace agentcom::app {
namespace {

struct ImportFlags {
    CommonFlags common;
    std::string file;
};

int import_file(const ImportFlags& flags) {
    const Config config = load_config(flags.common.sources());
    const TokenFile file = read_token_list(flags.file);
    if (!store::holds_store(config.store.directory)) {
        std::cerr << "agentcom: making a new store in " << config.store.directory.string() << '\n';
    }
    const core::SystemClock clock;
    const auto store = store::Store::open(config.store, clock);
    store->start(nullptr);
    const ImportOutcome outcome = import_tokens(*store, file);
    for (const std::string& problem : outcome.problems) {
        std::cerr << "agentcom: " << problem << '\n';
    }
    std::cout << outcome.imported << " imported, " << outcome.known << " already there, "
              << outcome.problems.size() << " refused" << std::endl;
    return outcome.problems.empty() ? 0 : 1;
}

}  // namespace

void add_import_command(CLI::App& app, int& status) {
    auto* command = app.add_subcommand("import", "Take over data of the original hub");
    command->require_subcommand(1);
    auto* tokens = command->add_subcommand(
        "tokens", "Make the tokens of a tokens.json valid here; stop the hub first");
    const auto flags = std::make_shared<ImportFlags>();
    add_common_flags(*tokens, flags->common);
    tokens->add_option("FILE", flags->file, R"(File of the form {"token": "agent id", ...})")
        ->required();
    tokens->callback([flags, &status] { status = import_file(*flags); });
}

}  // namespace agentcom::app
