#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "store/first_pages.hpp"
#include "store/journal.hpp"

namespace agentcom::store {

/// A state of the store's file that is on disk in full and stays there: where everything begins
/// again after the machine has stopped. Pages of it are not written over as long as it is the
/// newest one, since a reader holds them.
struct Checkpoint {
    StoreStamp stamp{};
    PageImage image;
    JournalStart journal;  // what is not in that state
    /// The store was closed in order: its file says itself what is in it, and the journal is empty.
    bool closed = false;
};

/// Where checkpoints are written: in two places, one after the other, so that one is always whole.
///
///   u64  magic "ACCHECK1"
///   u64  counter; the higher one is the newer
///   ...  stamp, u8 closed, u8 segment, u64 number of the first record, u64 transaction, and the
///        first 256 bytes of the page that told of it
///   u64  checksum of all that
class CheckpointFile {
public:
    /// Opens it, or makes it. Throws JournalError.
    explicit CheckpointFile(const std::filesystem::path& data);
    ~CheckpointFile();
    CheckpointFile(const CheckpointFile&) = delete;
    CheckpointFile& operator=(const CheckpointFile&) = delete;

    /// The newest; nothing: there is none.
    [[nodiscard]] const std::optional<Checkpoint>& newest() const noexcept { return newest_; }
    /// On disk, twice, when it returns. Throws JournalError; then it is unknown which of the two
    /// newest a start finds.
    void write(const Checkpoint& checkpoint);

private:
    int file_ = -1;
    std::uint64_t counter_ = 0;
    std::optional<Checkpoint> newest_;
};

/// The newest one of a data directory, for who only looks.
[[nodiscard]] std::optional<Checkpoint> find_checkpoint(const std::filesystem::path& data);

}  // namespace agentcom::store
