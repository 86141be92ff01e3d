#pragma once

#include <atomic>
#include <cstdint>

namespace agentcom::test {

/// What a test and the preloaded disk (faulty_disk.cpp) share, in a mapped file. Numbers of writes
/// and syncs are of files in the data directory only, but for lock files.
struct FaultyDisk {
    // Told by the disk.
    std::atomic<std::uint64_t> events;   // writes, syncs, changes of size and renames so far
    std::atomic<std::uint64_t> writes;   // of these, writes
    std::atomic<std::uint64_t> syncs;    // and syncs
    std::atomic<std::uint64_t> waiting;  // threads that a hanging disk holds up now

    // Told to the disk. A counter at UINT64_MAX never runs out.
    std::atomic<std::uint64_t> cut_at;        // power is cut in this event; 0: never
    std::atomic<std::uint64_t> cut_seed;      // which of the unsynced writes are on disk then
    std::atomic<std::uint64_t> fail_writes;   // so many writes fail from now on
    std::atomic<std::int32_t> write_error;    // with this errno; 0: cut short instead
    std::atomic<std::uint64_t> fail_syncs;    // so many syncs fail with EIO
    std::atomic<std::uint64_t> fail_durable;  // so many writes through O_DSYNC fail with EIO
    std::atomic<bool> hang;                   // writes and syncs wait while this is set
};

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
