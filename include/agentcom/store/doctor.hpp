#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "agentcom/core/seq.hpp"
#include "agentcom/store/store.hpp"

/// Looks at everything in a store: that each value can be read, that every reference leads
/// somewhere, and that what is counted agrees with what is there. For the command line: every call
/// takes as long as reading the whole store, or its journal. All throw StoreError when the store
/// cannot be opened.
namespace agentcom::store {

struct Finding {
    std::string text;         // one sentence; never a payload or a token
    bool repairable = false;  // by examine_and_repair
};

struct Examination {
    std::uint64_t schema = 0;
    core::Epoch epoch;
    core::Seq head;
    std::uint64_t messages = 0;  // of the log that can be read
    std::uint64_t rows = 0;      // of all tables
    /// The first kMaxFindings of them, and how many there are.
    static constexpr std::size_t kMaxFindings = 1'000;
    std::vector<Finding> findings;
    std::uint64_t total = 0;
};

/// How a store that nobody has open was left, and what its journal has that is to be applied again.
struct JournalExamination {
    /// Somebody has the store open. Nothing else is known then.
    bool in_use = false;
    /// In order, or it has no journal: nothing is applied again.
    bool closed = true;
    std::uint64_t batches = 0;   // of operations, as far as the first that is damaged
    std::uint64_t messages = 0;  // of these
    struct Damage {
        std::string text;            // what is wrong; a part of a sentence
        std::uint64_t batches = 0;   // whole ones that follow, and cannot be applied without it
        std::uint64_t messages = 0;  // of these
    };
    std::optional<Damage> damage;
};
/// Changes nothing. Throws StoreError when the journal cannot be read.
[[nodiscard]] JournalExamination examine_journal(const std::filesystem::path& directory);

struct JournalCut {
    JournalExamination::Damage lost;
    std::filesystem::path kept;  // where the journal is as it was
};
/// Applies a store's journal as far as its first damaged batch and ends it there; nothing: it is
/// not damaged. The journal as it was stays in `<directory>/journal.damaged-<time>`. No hub may
/// serve the store.
[[nodiscard]] std::optional<JournalCut> cut_journal(const StoreOptions& options,
                                                    const core::Clock& clock);

/// As the store is at one moment; a hub may serve it meanwhile, and cannot use room again that it
/// frees before this is done. A store of an older schema is only read through, not understood.
[[nodiscard]] Examination examine(const std::filesystem::path& directory);
/// The same for a copy that nobody else has open; makes no file beside it.
[[nodiscard]] Examination examine_copy(const std::filesystem::path& directory);

struct Repair {
    std::uint64_t repaired = 0;  // findings
    Examination after;
};
/// Puts counters right, removes rows that refer to nothing, and adds those that something refers
/// to. Nothing that could be a message is removed. No hub may serve the store; one of an older
/// schema is brought up to date first. All or nothing of one round is written.
[[nodiscard]] Repair examine_and_repair(const StoreOptions& options);

}  // namespace agentcom::store
