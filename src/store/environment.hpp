#pragma once

#include <lmdb.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agentcom/core/time.hpp"
#include "agentcom/store/opening.hpp"
#include "store/assertions.hpp"
#include "store/checkpoint.hpp"
#include "store/damage.hpp"
#include "store/file_guard.hpp"
#include "store/lmdb_error.hpp"

namespace agentcom::store {

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
    MDB_dbi web_sessions = 0;
    MDB_dbi web_sessions_by_token = 0;
    MDB_dbi web_session_expiry = 0;
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

/// In a data directory: the store's file, and where that of a new store is made.
inline constexpr const char* kDataFile = "data.mdb";
inline constexpr const char* kMaking = "making";

/// What a write transaction may still fill.
struct Room {
    /// Bytes: of the map, and of the disk as far as the file would have to grow. Pages that were
    /// freed and are seen by no reader are among them.
    std::uint64_t left = 0;
    /// How much there is at most: the smallest of map, disk, and the process's limit on files.
    std::uint64_t total = 0;
};

/// An advisory lock on a file, held for the object's life; the kernel drops it when the process
/// dies.
class DirectoryLock {
public:
    /// Throws StoreInUse when another process has it and keeps it for longer than `wait`.
    DirectoryLock(const std::filesystem::path& directory, core::Millis wait);
    ~DirectoryLock();
    DirectoryLock(const DirectoryLock&) = delete;
    DirectoryLock& operator=(const DirectoryLock&) = delete;

private:
    int fd_ = -1;
};

/// How a store is opened that is only to be read.
enum class ReadOnly : std::uint8_t {
    beside_a_hub,  // which may serve it; LMDB's table of readers is used, and made when missing
    alone,         // nobody else has it open; no other file is needed or made
};

class Environment;

/// Keeps the pages of a snapshot from being used again, without reading them. May end in another
/// thread than it began in.
class Pin {
public:
    /// Of the newest transaction. Throws LmdbError.
    explicit Pin(Environment& env);
    ~Pin();
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;
    [[nodiscard]] std::uint64_t transaction() const noexcept { return transaction_; }

private:
    Environment& env_;
    MDB_txn* reader_ = nullptr;
    std::uint64_t transaction_ = 0;
};

/// The open LMDB environment of one directory. Thread-safe but for write transactions, of which
/// LMDB allows one at a time. Must not be used after fork().
class Environment {
public:
    /// Makes directory and files when missing; throws StoreError. `lock_wait`: see DirectoryLock.
    /// A store that was not closed in order is as it was at its last checkpoint, and what its
    /// journal has beyond that is to be applied again. Commits are synced until `rely_on_journal`.
    Environment(const std::filesystem::path& directory, std::size_t map_size,
                core::Millis lock_wait = kLockWait);
    /// Opens an existing store without the directory's lock. Throws StoreError.
    Environment(const std::filesystem::path& directory, ReadOnly how);
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;

    [[nodiscard]] MDB_env* handle() const noexcept { return env_.get(); }
    /// An assertion of LMDB's has failed within a write: there is no other one, see Assertions.
    [[nodiscard]] bool writing_is_broken() const noexcept { return assertions_.broke_writing(); }
    [[nodiscard]] const Tables& tables() const noexcept { return tables_; }
    /// What checksums of the table's values begin with; 0: it has none for whole values (the log's
    /// blocks have their own, and tables of older schemas none).
    [[nodiscard]] std::uint64_t seed_of(MDB_dbi table) const noexcept {
        return table < seeds_.size() ? seeds_[table] : 0;
    }
    [[nodiscard]] DamageNotes& damage() noexcept { return damage_; }
    /// False only for a store of an older schema that is opened to be read.
    [[nodiscard]] bool has_all_tables() const noexcept { return has_all_tables_; }
    /// What has happened to the file under the map, see FileGuard. For the writer's thread.
    [[nodiscard]] std::optional<std::string> trouble() { return guard_->trouble(); }
    /// How large LMDB has made the store, in bytes but for `pages`.
    struct Size {
        std::uint64_t map = 0;
        std::uint64_t pages = 0;  // that were ever used
        std::uint64_t page = 0;
        std::uint64_t last_transaction = 0;  // its number
        [[nodiscard]] std::uint64_t used() const noexcept { return pages * page; }
    };
    [[nodiscard]] Size size() const;
    /// Size of the file when `trouble` last looked. For the writer's thread.
    [[nodiscard]] std::uint64_t file_bytes() const noexcept { return guard_->largest(); }
    /// The next look at the room asks the disk itself. For the writer's thread.
    void ask_disk_anew() noexcept { looks_left_ = 0; }

    /// A begun read transaction, reused when one is at hand: renewing costs no lock of LMDB. After
    /// a failed write of LMDB's own first pages, which ends LMDB's environment for readers and
    /// writers alike, readers get the store through another one, opened for reading only.
    [[nodiscard]] MDB_txn* take_reader();
    void give_back_reader(MDB_txn* reader) noexcept;

    [[nodiscard]] const std::filesystem::path& directory() const noexcept { return directory_; }
    /// What a store that is opened to be written began from; nothing: it had no journal yet.
    [[nodiscard]] const std::optional<Checkpoint>& began_from() const noexcept {
        return began_from_;
    }
    /// From now on commits are not synced: what they hold is in the journal, and the pages of the
    /// newest checkpoint are pinned.
    void rely_on_journal();
    /// Lets go of what the opening has pinned, when there is a later checkpoint.
    void let_go() noexcept { first_pin_.reset(); }
    /// LMDB's descriptor of the file.
    [[nodiscard]] int file() const;

    /// Frees the places of readers whose process is gone; returns how many there were. A copy of
    /// the store that is killed half-way leaves such a place, which would pin pages for ever.
    std::size_t clear_dead_readers();
    /// Without the pins of this process.
    [[nodiscard]] OldestReader oldest_reader() const;

    /// Forces to disk what commits have written.
    void sync();
    /// Counts pages that were freed only when the never used rest is less than `enough`.
    [[nodiscard]] Room room(std::uint64_t enough);
    /// Whether a failed commit may be put down to a full disk. LMDB reports a write that the disk
    /// took only in part as an I/O error, so the disk (and the process's limit on the size of
    /// files) must be asked as well.
    [[nodiscard]] bool is_out_of_space(const LmdbError& error) const noexcept;

private:
    friend class Pin;

    static constexpr std::size_t kMaxIdleReaders = 64;

    /// Makes the file of a new store, which appears whole or not at all.
    void make_file();
    /// Brings a file that was not closed in order back to its last checkpoint. Throws StoreError.
    void begin_from_checkpoint();
    /// The number of the oldest snapshot that anybody holds, and of the newest transaction.
    struct Snapshots {
        OldestReader oldest;       // without pins
        std::uint64_t pinned = 0;  // the oldest of those; 0: none
    };
    [[nodiscard]] Snapshots snapshots() const;
    /// Throws StoreError when the file is too short, before LMDB is made to follow its pages.
    void look_at_length() const;
    /// Begins to watch over the file. Throws StoreError when pages that are in use are missing.
    void watch_file(bool may_write);
    [[nodiscard]] std::uint64_t free_pages_from(std::uint64_t first);
    /// Calls `each` with the entries of LMDB's own list of free pages, the oldest first, until that
    /// gives false: the transaction that freed them, and a count with that many numbers behind it.
    /// What cannot be read of the list is left out, and counted and logged as damage.
    void walk_free_pages(
        const std::function<bool(std::uint64_t freed_by, std::string_view pages)>& each);
    [[nodiscard]] MDB_txn* take_idle();
    /// The environment for readers when the first can no longer be used. Throws LmdbError.
    [[nodiscard]] MDB_env* rescue();
    /// Does what `open` does; whatever it throws becomes a StoreError with a sentence.
    template <class Open>
    void open_or_tell(Open&& open);
    void open(unsigned flags);
    void open_tables(unsigned flags);
    /// What the disk has room for, asked now and then while there is plenty.
    [[nodiscard]] Room disk_room(std::uint64_t used) noexcept;
    [[nodiscard]] Room ask_disk(std::uint64_t used) const noexcept;

    struct CloseEnvironment {
        const Assertions* assertions;
        void operator()(MDB_env* env) const noexcept;
    };
    using Handle = std::unique_ptr<MDB_env, CloseEnvironment>;
    struct EndReader {
        void operator()(MDB_txn* reader) const noexcept { mdb_txn_abort(reader); }
    };
    using Reader = std::unique_ptr<MDB_txn, EndReader>;

    const std::filesystem::path directory_;
    std::optional<DirectoryLock> lock_;
    Assertions assertions_;
    /// One that is not open yet.
    [[nodiscard]] Handle create();

    Handle env_{nullptr, {&assertions_}};
    Tables tables_;
    std::vector<std::uint64_t> seeds_;  // by table
    DamageNotes damage_;
    bool has_all_tables_ = true;
    Room disk_;  // as it was when `disk_used_` bytes of the map were used
    std::uint64_t disk_used_ = 0;
    int looks_left_ = 0;  // until the disk is asked again
    std::optional<FileGuard> guard_;
    std::mutex readers_mutex_;
    // Guarded by readers_mutex_. Readers end before what they read.
    Handle rescue_{nullptr, {&assertions_}};
    std::optional<FileGuard> rescue_guard_;
    std::vector<Reader> idle_readers_;  // reset
    std::optional<Checkpoint> began_from_;
    mutable std::mutex pins_mutex_;
    std::vector<std::uint64_t> pins_;  // guarded by pins_mutex_; sorted by age
    std::optional<Pin> first_pin_;
};

}  // namespace agentcom::store
