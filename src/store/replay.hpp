#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "agentcom/store/store.hpp"
#include "store/environment.hpp"
#include "store/epochs.hpp"
#include "store/journal.hpp"
#include "store/read_notes.hpp"
#include "store/rows.hpp"
#include "store/write_batch.hpp"

namespace agentcom::store {

/// The journal is damaged where that is not the fault of a power cut.
class JournalRefused : public StoreError {
public:
    JournalRefused(const std::string& what, const DamagedJournal& damage)
        : StoreError(what), damage_(damage.what()), place_(damage.place()) {}
    /// What is wrong; a part of a sentence.
    [[nodiscard]] const std::string& damage() const noexcept { return damage_; }
    /// Of the first record that cannot be applied.
    [[nodiscard]] const RecordPlace& place() const noexcept { return place_; }

private:
    std::string damage_;
    RecordPlace place_;
};

struct Replayed {
    StateRow state;                 // of the store, now
    std::uint64_t next_number = 1;  // for records of the journal
    std::uint64_t records = 0;      // that were applied
};

/// Applies what the journal has beyond the state that the store was opened with. Logs what it does.
/// Throws JournalRefused, and StoreError when it cannot be read or applied for another reason.
[[nodiscard]] Replayed replay_journal(Environment& env, const StoreOptions& options,
                                      const Epochs& epochs, const StateRow& state,
                                      std::optional<std::uint64_t> stored_ttl, ReadNotes& notes);

/// Applies a batch of the journal once more, in the transaction that `batch` has open or in a new
/// one, which is kept open. An operation that cannot be applied any more is noted as damage. Throws
/// DamagedJournal when the batch does not follow, and LmdbError.
void apply_again(WriteBatch& batch, OperationBatch&& operations, DamageNotes& damage);

/// Brings a store that was not closed in order, and that nobody has open, to where its journal
/// ends, so that its file can be read by itself. Beside a hub: waits until that has committed what
/// it has acknowledged. Throws StoreError.
void settle(const std::filesystem::path& directory);

}  // namespace agentcom::store
