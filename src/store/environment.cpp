#include "store/environment.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "agentcom/store/store.hpp"
#include "store/checksum.hpp"

namespace agentcom::store {
namespace {

constexpr unsigned kMaxReaders = 1'024;
constexpr std::size_t kMaxIdleReaders = 64;

/// Tables of older schemas, which a migration opens, empties and drops.
constexpr std::size_t kMaxLegacyTables = 4;

constexpr std::array kTables{
    std::pair{"meta", &Tables::meta},
    std::pair{"settings", &Tables::settings},
    std::pair{"log", &Tables::log},
    std::pair{"kept", &Tables::kept},
    std::pair{"postings", &Tables::postings},
    std::pair{"trimmed", &Tables::trimmed},
    std::pair{"agents", &Tables::agents},
    std::pair{"copies", &Tables::copies},
    std::pair{"tokens", &Tables::tokens},
    std::pair{"tokens_by_agent", &Tables::tokens_by_agent},
    std::pair{"token_expiry", &Tables::token_expiry},
    std::pair{"channels", &Tables::channels},
    std::pair{"subscriptions", &Tables::subscriptions},
    std::pair{"subscribers", &Tables::subscribers},
    std::pair{"members", &Tables::members},
    std::pair{"memberships", &Tables::memberships},
    std::pair{"removals", &Tables::removals},
    std::pair{"endings", &Tables::endings},
    std::pair{"usage", &Tables::usage},
    std::pair{"unclaimed", &Tables::unclaimed},
    std::pair{"idempotency_keys", &Tables::idempotency_keys},
    std::pair{"idempotency_order", &Tables::idempotency_order},
};

constexpr MDB_dbi kMaxTables = kTables.size() + kMaxLegacyTables;

const std::filesystem::path& made(const std::filesystem::path& directory) {
    std::error_code error;
    const bool created = std::filesystem::create_directories(directory, error);
    if (error) {
        throw StoreError("the data directory " + directory.string() +
                         " cannot be made: " + error.message());
    }
    if (created) ::chmod(directory.c_str(), 0700);
    return directory;
}

}  // namespace

bool LmdbError::is_full() const noexcept {
    return code_ == MDB_MAP_FULL || code_ == MDB_TXN_FULL || code_ == ENOSPC || code_ == EDQUOT ||
           code_ == EFBIG;
}

DirectoryLock::DirectoryLock(const std::filesystem::path& directory) {
    const std::filesystem::path path = made(directory) / "agentcom.lock";
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd_ < 0) {
        throw StoreError("the data directory " + directory.string() +
                         " cannot be written: " + std::generic_category().message(errno));
    }
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
        ::close(fd_);
        throw StoreError("the data directory " + directory.string() +
                         " is in use by another process; stop it first or use another directory");
    }
}

DirectoryLock::~DirectoryLock() { ::close(fd_); }

Environment::Environment(const std::filesystem::path& directory, std::size_t map_size,
                         bool sync_commits)
    : directory_(directory), lock_(directory) {
    try {
        check(mdb_env_create(&env_), "create the environment");
        check(mdb_env_set_maxdbs(env_, kMaxTables), "set maxdbs");
        check(mdb_env_set_maxreaders(env_, kMaxReaders), "set maxreaders");
        check(mdb_env_set_mapsize(env_, map_size), "set the map size");
        // No MDB_WRITEMAP: with it a full disk is a SIGBUS instead of an error.
        const unsigned flags = MDB_NOTLS | (sync_commits ? 0U : unsigned{MDB_NOSYNC});
        check(mdb_env_open(env_, directory.c_str(), flags, 0600), "open");
        clear_dead_readers();
        open_tables();
    } catch (const LmdbError& error) {
        if (env_ != nullptr) mdb_env_close(env_);
        throw StoreError("the store in " + directory.string() +
                         " cannot be opened: " + error.what());
    }
}

Environment::~Environment() {
    for (MDB_txn* reader : idle_readers_) mdb_txn_abort(reader);
    if (rescue_ != nullptr) mdb_env_close(rescue_);
    mdb_env_close(env_);
}

void Environment::open_tables() {
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, 0, &txn), "begin");
    for (const auto& [name, member] : kTables) {
        if (const int code = mdb_dbi_open(txn, name, MDB_CREATE, &(tables_.*member)); code != 0) {
            mdb_txn_abort(txn);
            throw LmdbError(code, "open a table");
        }
        const MDB_dbi table = tables_.*member;
        if (seeds_.size() <= table) seeds_.resize(table + 1);
        seeds_[table] = member == &Tables::log ? 0 : table_seed(name);
    }
    check(mdb_txn_commit(txn), "commit");
}

MDB_txn* Environment::take_idle() {
    const std::lock_guard lock(readers_mutex_);
    if (idle_readers_.empty()) return nullptr;
    MDB_txn* reader = idle_readers_.back();
    idle_readers_.pop_back();
    return reader;
}

MDB_txn* Environment::take_reader() {
    MDB_txn* reader = take_idle();
    if (reader != nullptr) {
        const int code = mdb_txn_renew(reader);
        if (code == 0) return reader;
        mdb_txn_abort(reader);
        if (code != MDB_PANIC) throw LmdbError(code, "begin to read");
        return take_reader();  // the next idle one, or a new one
    }
    int code = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &reader);
    if (code == MDB_PANIC) code = mdb_txn_begin(rescue(), nullptr, MDB_RDONLY, &reader);
    check(code, "begin to read");
    return reader;
}

MDB_env* Environment::rescue() {
    const std::lock_guard lock(readers_mutex_);
    if (rescue_ != nullptr) return rescue_;
    MDB_env* env = nullptr;
    check(mdb_env_create(&env), "create an environment for readers");
    try {
        check(mdb_env_set_maxdbs(env, kMaxTables), "set maxdbs");
        check(mdb_env_set_mapsize(env, map_size()), "set the map size");
        // Without a table of readers: nobody writes any more.
        check(mdb_env_open(env, directory_.c_str(), MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS, 0600),
              "open for readers");
        MDB_txn* txn = nullptr;
        check(mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn), "begin to read");
        for (const auto& [name, member] : kTables) {
            MDB_dbi table = 0;
            const int code = mdb_dbi_open(txn, name, 0, &table);
            // Opened in the same order, they have the same numbers.
            if (code != 0 || table != tables_.*member) {
                mdb_txn_abort(txn);
                throw LmdbError(code != 0 ? code : MDB_BAD_DBI, "open a table for readers");
            }
        }
        check(mdb_txn_commit(txn), "open the tables for readers");
    } catch (...) {
        mdb_env_close(env);
        throw;
    }
    rescue_ = env;
    return rescue_;
}

void Environment::give_back_reader(MDB_txn* reader) noexcept {
    mdb_txn_reset(reader);
    {
        const std::lock_guard lock(readers_mutex_);
        if (idle_readers_.size() < kMaxIdleReaders) {
            idle_readers_.push_back(reader);
            return;
        }
    }
    mdb_txn_abort(reader);
}

std::size_t Environment::clear_dead_readers() {
    int dead = 0;
    check(mdb_reader_check(env_, &dead), "clear readers of a process that died");
    return static_cast<std::size_t>(dead);
}

OldestReader Environment::oldest_reader() const {
    MDB_envinfo info{};
    check(mdb_env_info(env_, &info), "ask for the newest transaction");
    OldestReader oldest;
    oldest.snapshot = info.me_last_txnid;
    // LMDB tells of its readers in lines of text only: process, thread, transaction ("-": none).
    const auto look = [](const char* line, void* context) {
        long long pid = 0;
        unsigned long long snapshot = 0;
        auto& found = *static_cast<OldestReader*>(context);
        if (std::sscanf(line, "%lld %*x %llu", &pid, &snapshot) == 2 && snapshot < found.snapshot) {
            found.snapshot = snapshot;
            found.pid = pid;
        }
        return 0;
    };
    if (const int code = mdb_reader_list(env_, look, &oldest); code < 0) {
        throw LmdbError(code, "list the readers");
    }
    oldest.lag = info.me_last_txnid - oldest.snapshot;
    return oldest;
}

void Environment::sync() { check(mdb_env_sync(env_, 1), "sync"); }

std::uint64_t Environment::map_size() const {
    MDB_envinfo info{};
    check(mdb_env_info(env_, &info), "ask for the map size");
    return info.me_mapsize;
}

bool Environment::is_out_of_space(const LmdbError& error) const noexcept {
    // A batch writes about this much at most; with less left, a write cut short is no surprise.
    constexpr std::uint64_t kScarce = std::uint64_t{64} << 20;
    if (error.is_full()) return true;
    if (error.code() != EIO) return false;
    struct statvfs disk {};
    if (::statvfs(directory_.c_str(), &disk) == 0 &&
        std::uint64_t{disk.f_bavail} * disk.f_frsize < kScarce) {
        return true;
    }
    struct rlimit limit {};
    std::error_code unknown;
    const std::uint64_t size = std::filesystem::file_size(directory_ / "data.mdb", unknown);
    return !unknown && ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
           limit.rlim_cur < size + kScarce;
}

std::uint64_t Environment::room(std::uint64_t enough) {
    MDB_envinfo info{};
    MDB_stat stat{};
    check(mdb_env_info(env_, &info), "ask for the map size");
    check(mdb_env_stat(env_, &stat), "ask for the page size");
    const std::uint64_t used = (info.me_last_pgno + 1) * stat.ms_psize;
    const std::uint64_t never_used = info.me_mapsize > used ? info.me_mapsize - used : 0;
    if (never_used >= enough) return never_used;

    // Table 0 is LMDB's own list of free pages: each key is the transaction that freed them, each
    // value a count and that many page numbers. What a lagging reader still sees is not free.
    const OldestReader oldest = oldest_reader();
    std::uint64_t free_pages = 0;
    MDB_txn* reader = take_reader();
    MDB_cursor* cursor = nullptr;
    if (mdb_cursor_open(reader, 0, &cursor) == 0) {
        MDB_val key{};
        MDB_val value{};
        while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
            std::size_t freed_by = 0;
            std::memcpy(&freed_by, key.mv_data, std::min(sizeof freed_by, key.mv_size));
            if (oldest.lag > 0 && freed_by >= oldest.snapshot) break;
            free_pages += *static_cast<const std::size_t*>(value.mv_data);
        }
        mdb_cursor_close(cursor);
    }
    give_back_reader(reader);
    return never_used + free_pages * stat.ms_psize;
}

}  // namespace agentcom::store
