#pragma once

#include <lmdb.h>

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "store/damage.hpp"

namespace agentcom::store {

/// A failed LMDB call.
class LmdbError : public std::runtime_error {
public:
    LmdbError(int code, const char* what)
        : std::runtime_error(std::string(what) + ": " + mdb_strerror(code)), code_(code) {}
    [[nodiscard]] int code() const noexcept { return code_; }
    /// The map or the disk says that there is no room: the next transaction may fare better.
    [[nodiscard]] bool is_full() const noexcept;
    /// A page of the file is not what it should be: whatever needs it fails, the rest may go on.
    [[nodiscard]] bool is_damage() const noexcept {
        return code_ == MDB_CORRUPTED || code_ == MDB_PAGE_NOTFOUND || code_ == MDB_CURSOR_FULL ||
               code_ == MDB_PAGE_FULL || code_ == MDB_BAD_TXN;
    }

private:
    int code_;
};

inline void check(int code, const char* what) {
    if (code != MDB_SUCCESS) throw LmdbError(code, what);
}

/// Handles of the tables, opened once. keys.hpp says what is in them.
struct Tables {
    MDB_dbi meta = 0;
    MDB_dbi settings = 0;
    MDB_dbi log = 0;
    MDB_dbi kept = 0;
    MDB_dbi postings = 0;
    MDB_dbi trimmed = 0;
    MDB_dbi agents = 0;
    MDB_dbi copies = 0;
    MDB_dbi tokens = 0;
    MDB_dbi tokens_by_agent = 0;
    MDB_dbi token_expiry = 0;
    MDB_dbi channels = 0;
    MDB_dbi subscriptions = 0;
    MDB_dbi subscribers = 0;
    MDB_dbi members = 0;
    MDB_dbi memberships = 0;
    MDB_dbi removals = 0;
    MDB_dbi endings = 0;
    MDB_dbi usage = 0;
    MDB_dbi unclaimed = 0;
    MDB_dbi idempotency_keys = 0;
    MDB_dbi idempotency_order = 0;
};

/// The reader with the oldest snapshot. What was freed since then cannot be used again, so one that
/// stays lets the file grow.
struct OldestReader {
    std::uint64_t lag = 0;       // transactions committed since its snapshot; 0: nobody lags
    std::uint64_t snapshot = 0;  // number of the transaction it sees
    std::int64_t pid = 0;
};

/// An advisory lock on a file, held for the object's life; the kernel drops it when the process
/// dies.
class DirectoryLock {
public:
    /// Throws StoreError when another process has it.
    explicit DirectoryLock(const std::filesystem::path& directory);
    ~DirectoryLock();
    DirectoryLock(const DirectoryLock&) = delete;
    DirectoryLock& operator=(const DirectoryLock&) = delete;

private:
    int fd_ = -1;
};

/// The open LMDB environment of one directory. Thread-safe but for write transactions, of which
/// LMDB allows one at a time. Must not be used after fork().
class Environment {
public:
    /// Makes directory and files when missing; throws StoreError.
    Environment(const std::filesystem::path& directory, std::size_t map_size, bool sync_commits);
    ~Environment();
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;

    [[nodiscard]] MDB_env* handle() const noexcept { return env_; }
    [[nodiscard]] const Tables& tables() const noexcept { return tables_; }
    /// What checksums of the table's values begin with; 0: it has none for whole values (the log's
    /// blocks have their own, and tables of older schemas none).
    [[nodiscard]] std::uint64_t seed_of(MDB_dbi table) const noexcept {
        return table < seeds_.size() ? seeds_[table] : 0;
    }
    [[nodiscard]] DamageNotes& damage() noexcept { return damage_; }

    /// A begun read transaction, reused when one is at hand: renewing costs no lock of LMDB. After
    /// a failed write of LMDB's own first pages, which ends LMDB's environment for readers and
    /// writers alike, readers get the store through another one, opened for reading only.
    [[nodiscard]] MDB_txn* take_reader();
    void give_back_reader(MDB_txn* reader) noexcept;

    /// Frees the places of readers whose process is gone; returns how many there were. A copy of
    /// the store that is killed half-way leaves such a place, which would pin pages for ever.
    std::size_t clear_dead_readers();
    [[nodiscard]] OldestReader oldest_reader() const;

    /// Forces to disk what relaxed commits have written.
    void sync();
    /// Bytes of the map that a write transaction may still fill, pages that were freed and are
    /// seen by no reader included. Counts those only when the never used rest is less than
    /// `enough`.
    [[nodiscard]] std::uint64_t room(std::uint64_t enough);
    [[nodiscard]] std::uint64_t map_size() const;
    /// Whether a failed commit may be put down to a full disk. LMDB reports a write that the disk
    /// took only in part as an I/O error, so the disk (and the process's limit on the size of
    /// files) must be asked as well.
    [[nodiscard]] bool is_out_of_space(const LmdbError& error) const noexcept;

private:
    void open_tables();
    [[nodiscard]] MDB_txn* take_idle();
    /// The environment for readers when the first can no longer be used. Throws LmdbError.
    [[nodiscard]] MDB_env* rescue();

    const std::filesystem::path directory_;
    DirectoryLock lock_;
    MDB_env* env_ = nullptr;
    Tables tables_;
    std::vector<std::uint64_t> seeds_;  // by table
    DamageNotes damage_;
    std::mutex readers_mutex_;
    std::vector<MDB_txn*> idle_readers_;  // reset; guarded by readers_mutex_
    MDB_env* rescue_ = nullptr;           // guarded by readers_mutex_
};

}  // namespace agentcom::store
