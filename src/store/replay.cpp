#include "store/replay.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>
#include <thread>

#include "agentcom/store/operation_codec.hpp"
#include "store/journal.hpp"
#include "store/read_gate.hpp"
#include "store/write_batch.hpp"

namespace agentcom::store {
namespace {

/// Numbers are left out when a store is opened: what a power cut has left behind the journal's end
/// can then not be taken for what is written there next.
constexpr std::uint64_t kLeap = std::uint64_t{1} << 24;
/// So many operations of several batches are applied in one transaction.
constexpr std::uint64_t kMostAtOnce = 16'384;

StoreClock::Reading reading_of(const BatchTime& time) {
    return {time.shown, ClockAnchor{time.stored, time.wall, time.elapsed_ms, time.boot}};
}

std::string cannot_apply(const std::filesystem::path& directory, const std::exception& error) {
    return "the journal in " + (directory / kJournalDirectory).string() +
           " cannot be applied to the store: " + error.what();
}

class Replay {
public:
    Replay(Environment& env, const StoreOptions& options, const Epochs& epochs,
           const StateRow& state, std::optional<std::uint64_t> stored_ttl, ReadNotes& notes)
        : env_(env), batch_(env, options, epochs, state, stored_ttl, notes) {
        batch_.take_room_for_granted();
    }

    void apply(OperationBatch&& operations) {
        if (pending_ >= kMostAtOnce) commit();
        pending_ += operations.operations.size();
        apply_again(batch_, std::move(operations), env_.damage());
    }
    void commit() {
        if (!batch_.is_open()) return;
        batch_.commit();
        pending_ = 0;
    }
    [[nodiscard]] const StateRow& state() const { return batch_.committed(); }

private:
    Environment& env_;
    WriteBatch batch_;
    std::uint64_t pending_ = 0;
};

}  // namespace

void apply_again(WriteBatch& batch, OperationBatch&& operations, DamageNotes& damage) {
    if (operations.head != batch.committed().head) {
        throw DamagedJournal("a batch of operations is for a store with the newest message " +
                             std::to_string(operations.head.value) + ", which has " +
                             std::to_string(batch.committed().head.value));
    }
    batch.set_rules(operations.rules);
    batch.begin(reading_of(operations.time));
    for (WriteOp& op : operations.operations) {
        const WriteResult result = batch.apply(op);
        if (result) continue;
        // It was possible once, and what decides it has travelled with it. Something that it needs
        // has been damaged since.
        damage.report("an operation of the journal cannot be applied again: " +
                      result.error().wire_name());
    }
    batch.complete();
    batch.keep_open();
}

Replayed replay_journal(Environment& env, const StoreOptions& options, const Epochs& epochs,
                        const StateRow& state, std::optional<std::uint64_t> stored_ttl,
                        ReadNotes& notes) {
    const auto& from = env.began_from();
    if (!from) return {state, 1, 0};
    if (from->closed) return {state, from->journal.number + kLeap, 0};
    try {
        // Until there is another checkpoint a cut leads back to the one that this begins from.
        env.rely_on_journal();
        Replay replay(env, options, epochs, state, stored_ttl, notes);
        const JournalEnd end =
            read_journal(env.directory(), from->stamp, from->journal,
                         [&](std::string_view body) { replay.apply(decode_batch(body)); });
        replay.commit();
        spdlog::info(
            "the store was not closed in order: {} batches of operations ({} bytes) were applied "
            "again from its journal{}",
            end.records, end.bytes,
            end.torn ? "; the last one, which was never acknowledged, was cut off" : "");
        return {replay.state(), end.next_number + kLeap, end.records};
    } catch (const StoreError&) {
        throw;
    } catch (const DamagedJournal& error) {
        env.sync();  // who moves the journal away goes on with the file alone
        throw JournalRefused(
            cannot_apply(env.directory(), error) +
                "; what comes before that is safe: look at the disk, then restore a backup, or go "
                "on without what follows by agentcom doctor --cut-journal",
            error);
    } catch (const std::exception& error) {
        throw StoreError(cannot_apply(env.directory(), error) +
                         "; nothing of it is lost, and the next start tries again");
    }
}

void settle(const std::filesystem::path& directory) {
    const auto checkpoint = find_checkpoint(directory);
    if (!checkpoint || checkpoint->closed) return;
    if (is_in_use(directory)) {
        // What a hub has acknowledged just now is to be in the file, too.
        return std::this_thread::sleep_for(3 * kLongestOpen);
    }
    StoreOptions options;
    options.directory = directory;
    // As large as it has to be for what is in the journal, whatever the hub had.
    std::error_code unknown;
    const std::uintmax_t bytes = std::filesystem::file_size(directory / kDataFile, unknown);
    if (!unknown) options.map_size = std::max<std::size_t>(options.map_size, 2 * bytes);
    const core::SystemClock clock;
    Store::open(options, clock)->stop();
}

}  // namespace agentcom::store
