#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdint>
#include <ctime>

namespace agentcom::test {

/// A number in memory that processes share, on whose changes they can wait. (`std::atomic::wait`
/// serves the threads of one process only.)
class SharedNumber {
public:
    [[nodiscard]] std::uint32_t get() const noexcept { return value_.load(); }
    void set(std::uint32_t value) noexcept {
        value_.store(value);
        wake();
    }
    void add(std::int32_t difference) noexcept {
        value_.fetch_add(static_cast<std::uint32_t>(difference));
        wake();
    }
    /// Returns once it is another than `seen`, or now and then before that; false when `seconds`
    /// are over.
    bool wait_for_change(std::uint32_t seen, std::time_t seconds) noexcept {
        const timespec patience{seconds, 0};
        return value_.load() != seen ||
               ::syscall(SYS_futex, &value_, FUTEX_WAIT, seen, &patience, nullptr, 0) == 0 ||
               value_.load() != seen;
    }

private:
    void wake() noexcept {
        ::syscall(SYS_futex, &value_, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
    }

    std::atomic<std::uint32_t> value_;
};

/// What a test and the preloaded disk (faulty_disk.cpp) share, in a mapped file. Numbers of writes
/// and syncs are of files in the data directory only, but for lock files.
struct FaultyDisk {
    // Told by the disk.
    std::atomic<std::uint64_t> events;  // writes, syncs, changes of size and renames so far
    std::atomic<std::uint64_t> writes;  // of these, writes
    std::atomic<std::uint64_t> syncs;   // and syncs
    SharedNumber waiting;               // threads that a hanging disk holds up now

    // Told to the disk. A counter at UINT64_MAX never runs out.
    std::atomic<std::uint64_t> cut_at;       // power is cut in this event; 0: never
    std::atomic<std::uint64_t> cut_seed;     // which of the unsynced writes are on disk then
    std::atomic<std::uint64_t> fail_writes;  // so many writes fail from now on
    std::atomic<std::int32_t> write_error;   // with this errno; 0: cut short instead
    std::atomic<std::uint64_t> fail_syncs;   // so many syncs fail with EIO
    std::atomic<std::uint64_t> fail_first;   // so many writes of LMDB's first pages fail with EIO
    SharedNumber hang;                       // kHangs or kHangsInSyncs; 0: nothing waits
};

inline constexpr std::uint32_t kHangs = 1;         // whatever is an event waits
inline constexpr std::uint32_t kHangsInSyncs = 2;  // syncs wait; the page cache takes the rest

/// The environment of the preloaded disk.
inline constexpr const char* kDiskDirectory = "FAULTY_DISK_DIRECTORY";  // whose files count
inline constexpr const char* kDiskControl = "FAULTY_DISK_CONTROL";      // the mapped file
inline constexpr const char* kDiskUndo = "FAULTY_DISK_UNDO";            // written when power is cut

/// The file of kDiskUndo is a sequence of these, each with a path and bytes behind it: what has to
/// be done, in this order, for the directory to be what the disk holds.
struct UndoEntry {
    enum class Kind : std::uint32_t { write = 1, size = 2, content = 3, remove = 4 };
    Kind kind = Kind::write;
    std::uint32_t path_bytes = 0;
    std::uint64_t offset = 0;  // of a write; the new size
    std::uint64_t bytes = 0;
};

}  // namespace agentcom::test
