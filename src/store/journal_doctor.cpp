#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>
#include <variant>

#include "agentcom/core/files.hpp"
#include "agentcom/store/doctor.hpp"
#include "agentcom/store/opening.hpp"
#include "agentcom/store/operation_codec.hpp"
#include "store/checkpoint.hpp"
#include "store/environment.hpp"
#include "store/journal.hpp"
#include "store/replay.hpp"
#include "store/upgrade.hpp"

namespace agentcom::store {
namespace {

namespace fs = std::filesystem;

std::uint64_t messages_of(const OperationBatch& batch) {
    return static_cast<std::uint64_t>(std::ranges::count_if(
        batch.operations,
        [](const WriteOp& op) { return std::holds_alternative<AppendMessage>(op); }));
}

/// What follows the first record that cannot be applied.
JournalExamination::Damage damage_at(const fs::path& directory, const StoreStamp& stamp,
                                     const RecordPlace& place, const std::string& what) {
    JournalExamination::Damage damage{what};
    read_behind(directory, stamp, place, [&](std::string_view body) {
        ++damage.batches;
        try {
            damage.messages += messages_of(decode_batch(body));
        } catch (const UnknownOperation&) {
            // It is lost all the same, and nobody knows how many messages it has.
        }
    });
    return damage;
}

void sync_file(const fs::path& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool done = file >= 0 && ::fsync(file) == 0;
    const int error = errno;
    if (file >= 0) ::close(file);
    if (!done) throw std::system_error(error, std::generic_category(), path.string());
}

/// A copy of the journal, on disk, beside it.
fs::path keep_journal(const fs::path& directory, core::Timestamp now) {
    const fs::path journal = directory / kJournalDirectory;
    const fs::path kept = journal.string() + ".damaged-" + time_in_names(now);
    if (!fs::create_directory(kept)) {
        throw StoreError("there is a damaged journal in " + kept.string() +
                         " already; try again in a moment");
    }
    fs::permissions(kept, fs::perms::owner_all);
    core::give_to_owner_of_directory(kept);
    for (const auto& entry : fs::directory_iterator(journal)) {
        const fs::path copy = kept / entry.path().filename();
        fs::copy_file(entry.path(), copy);
        core::give_to_owner_of_directory(copy);
        sync_file(copy);
    }
    core::sync_directory(kept);
    core::sync_directory(directory);
    return kept;
}

JournalCut cut_at(const fs::path& directory, const JournalRefused& refused, core::Timestamp now) {
    const DirectoryLock lock(directory, kLockWait);
    try {
        const auto checkpoint = find_checkpoint(directory);
        if (!checkpoint) throw StoreError("the journal's checkpoint has gone");
        JournalCut cut{damage_at(directory, checkpoint->stamp, refused.place(), refused.damage()),
                       keep_journal(directory, now)};
        cut_before(directory, checkpoint->stamp, refused.place());
        return cut;
    } catch (const JournalError& error) {
        throw StoreError(std::string("the journal cannot be cut: ") + error.what());
    } catch (const std::system_error& error) {
        throw StoreError(std::string("the journal cannot be kept as it is: ") + error.what());
    }
}

}  // namespace

JournalExamination examine_journal(const fs::path& directory) {
    if (!holds_store(directory)) throw StoreError("there is no store in " + directory.string());
    JournalExamination found;
    if (is_in_use(directory)) {
        found.in_use = true;
        return found;
    }
    try {
        const auto checkpoint = find_checkpoint(directory);
        if (!checkpoint || checkpoint->closed) return found;
        found.closed = false;
        try {
            (void)read_journal(directory, checkpoint->stamp, checkpoint->journal,
                               [&](std::string_view body) {
                                   found.messages += messages_of(decode_batch(body));
                                   ++found.batches;
                               });
        } catch (const DamagedJournal& error) {
            found.damage = damage_at(directory, checkpoint->stamp, error.place(), error.what());
        }
        return found;
    } catch (const JournalError& error) {
        throw StoreError("the journal in " + (directory / kJournalDirectory).string() +
                         " cannot be looked at: " + error.what());
    }
}

std::optional<JournalCut> cut_journal(const StoreOptions& options, const core::Clock& clock) {
    if (!holds_store(options.directory)) {
        throw StoreError("there is no store in " + options.directory.string());
    }
    // Whatever a start refuses, and nothing else, is cut off.
    const auto apply = [&] { Store::open(options, clock)->stop(); };
    std::optional<JournalCut> cut;
    try {
        apply();
    } catch (const JournalRefused& refused) {
        cut = cut_at(options.directory, refused, clock.now());
    }
    if (cut) apply();
    return cut;
}

}  // namespace agentcom::store
