#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "store/first_pages.hpp"

/// The journal: what has been acknowledged and may not be in the store's file yet. Two segments
/// take turns: a checkpoint (checkpoint.hpp) begins with a change to the other one, and when what
/// came before it is safely in the store's file the earlier one is free again.
///
///   segment   header, then records from byte 4096 on; zeros, or what is left of earlier use
///   header    u32 magic "ACJ1", u32 version, stamp of the store, u64 number of its first record,
///             u64 checksum of all that
///   record    u32 magic "rec1", u32 bytes of the body, u64 number, u64 number of the last record
///             that was known to be on disk when this one was written, u64 checksum of that and of
///             the body under the stamp, then the body: a batch of operations
///             (operation_codec.hpp)
///
/// Numbers go on from one record to the next and from one segment to the other, so what is left of
/// earlier use is never taken for what follows.
namespace agentcom::store {

/// A write or sync of the journal has failed.
class JournalError : public std::runtime_error {
public:
    enum class During : std::uint8_t { write, sync };
    JournalError(int code, const char* what, During during = During::write);
    /// There is no room on the disk: nothing has been written that counts.
    [[nodiscard]] bool is_full() const noexcept;

private:
    int code_;
    During during_;
};

inline constexpr const char* kJournalDirectory = "journal";
/// The file of one of the two segments.
[[nodiscard]] std::filesystem::path segment_file(const std::filesystem::path& data,
                                                 unsigned segment);

/// Where records are read from: the first of a segment.
struct JournalStart {
    unsigned segment = 0;
    std::uint64_t number = 1;  // of that record
};

class Journal {
public:
    /// Opens the segments, or makes them; what is in them is kept. The next record gets
    /// `start.number` and goes to the beginning of that segment. Throws JournalError.
    /// `segment_bytes`: how long a segment may get; one that holds a longer record gets as long as
    /// that.
    Journal(const std::filesystem::path& data, const StoreStamp& stamp, JournalStart start,
            std::uint64_t segment_bytes);
    ~Journal();
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    /// Whether the segment has room for a body of this length. When not, a checkpoint has to come
    /// first. A segment that is empty has.
    [[nodiscard]] bool has_room(std::uint64_t bytes) const noexcept;
    /// Writes a record, whose body must have a byte, and gives its number. It may or may not
    /// outlive a power cut until `sync`. After an error nothing has been appended. Throws
    /// JournalError.
    std::uint64_t append(std::string_view body);
    /// Everything appended is on disk. Throws JournalError; then it is unknown what is.
    void sync() { sync(next_number_ - 1); }
    /// Everything as far as this record, which has been appended, is on disk. While one thread is
    /// here, another may append and ask for what the journal tells of itself, and change nothing
    /// else. Throws as `sync()`.
    void sync(std::uint64_t number);
    /// The last record, which nobody has been told of, does not count any more. Synced like it
    /// was. Throws JournalError.
    void revoke_last();

    /// Goes on in the other segment, which must be free, unless this one is empty; where what is
    /// appended from now on begins. Throws JournalError; then it goes on where it was.
    JournalStart turn();
    [[nodiscard]] std::uint64_t next_number() const noexcept { return next_number_; }
    [[nodiscard]] bool is_synced() const noexcept { return synced_number_ + 1 == next_number_; }
    /// In the present segment.
    [[nodiscard]] std::uint64_t bytes() const noexcept { return position_; }
    [[nodiscard]] bool empty() const noexcept { return position_ == kSegmentStart; }

    static constexpr std::uint64_t kSegmentStart = 4'096;

private:
    void begin_segment();
    void grow(std::uint64_t needed);

    const StoreStamp stamp_;
    const std::uint64_t segment_bytes_;
    std::array<int, 2> files_{-1, -1};
    std::array<std::uint64_t, 2> sizes_{};  // what is allotted to each
    unsigned segment_ = 0;
    std::uint64_t position_ = kSegmentStart;
    std::uint64_t last_position_ = kSegmentStart;  // of the last record
    std::uint64_t next_number_;
    std::atomic<std::uint64_t> synced_number_;
};

/// Where a journal is damaged: what lies there or behind it, with a higher number, follows.
struct RecordPlace {
    unsigned segment = 0;
    std::uint64_t offset = 0;  // of the record, or of the segment's header
    std::uint64_t number = 0;  // of the record; of a header, of the last one before
};

/// The journal's middle is damaged. `what()` is a part of a sentence.
class DamagedJournal : public std::runtime_error {
public:
    /// Also by who is given a record and finds that it does not follow.
    explicit DamagedJournal(const std::string& what) : std::runtime_error(what) {}
    DamagedJournal(const std::string& what, const RecordPlace& place)
        : std::runtime_error(what), place_(place) {}
    /// Of the first record that cannot be applied.
    [[nodiscard]] const RecordPlace& place() const noexcept { return place_; }

private:
    RecordPlace place_;
};

struct JournalEnd {
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
    std::uint64_t next_number = 1;
    bool torn = false;  // a record that was never acknowledged has been left out
};
/// Calls `each` with the body of every record from `start` on. What follows the last one may be
/// torn, as far as it was not known to be on disk. Throws DamagedJournal when a record is missing
/// that was, or when `each` throws that or UnknownOperation, and JournalError when a file cannot be
/// read. A journal that is not there is empty.
JournalEnd read_journal(const std::filesystem::path& data, const StoreStamp& stamp,
                        JournalStart start, const std::function<void(std::string_view)>& each);
/// Calls `each` with the bodies of the whole records with higher numbers than the damaged one.
/// Throws JournalError.
void read_behind(const std::filesystem::path& data, const StoreStamp& stamp,
                 const RecordPlace& damaged, const std::function<void(std::string_view)>& each);
/// Ends the journal before the damaged record. On disk when it returns. Throws JournalError.
void cut_before(const std::filesystem::path& data, const StoreStamp& stamp,
                const RecordPlace& damaged);
/// Whether either segment holds a record of this store at all.
[[nodiscard]] bool holds_records(const std::filesystem::path& data);

}  // namespace agentcom::store
