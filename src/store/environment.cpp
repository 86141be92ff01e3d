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
#include <limits>
#include <system_error>
#include <thread>
#include <utility>

#include "agentcom/core/files.hpp"
#include "agentcom/store/store.hpp"
#include "store/bytes.hpp"
#include "store/checksum.hpp"
#include "store/file_identity.hpp"

namespace agentcom::store {
namespace {

constexpr unsigned kMaxReaders = 1'024;

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
    std::pair{"web_sessions", &Tables::web_sessions},
    std::pair{"web_sessions_by_token", &Tables::web_sessions_by_token},
    std::pair{"web_session_expiry", &Tables::web_session_expiry},
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
    std::vector<std::filesystem::path> missing;
    std::error_code unknown;
    for (auto path = std::filesystem::absolute(directory, unknown).lexically_normal();
         !path.empty() && !std::filesystem::exists(path, unknown); path = path.parent_path()) {
        missing.push_back(path);
    }
    std::error_code error;
    const bool created = std::filesystem::create_directories(directory, error);
    if (error) {
        throw StoreError("the data directory " + directory.string() +
                         " cannot be made: " + error.message());
    }
    if (created) ::chmod(directory.c_str(), 0700);
    // Outermost first: each takes the owner of the one it is in.
    for (auto path = missing.rbegin(); path != missing.rend(); ++path) {
        core::give_to_owner_of_directory(*path);
        try {
            core::sync_directory(path->parent_path());
        } catch (const std::system_error&) {
            // It may be one in which things may be made and not looked at.
        }
    }
    return directory;
}

/// LMDB's table of readers lies in a mapped file that it makes sparse: on a full disk the first
/// reader in a new page of it would be a SIGBUS. So its room is taken while there is some. Before
/// LMDB opens the file, whose locks would be lost when another descriptor of it is closed.
void take_room_for_readers(const std::filesystem::path& file) {
    constexpr off_t kBytes = off_t{64} * kMaxReaders + 8'192;  // a cache line each, and a header
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return;  // LMDB says why
    [[maybe_unused]] const int outcome = ::posix_fallocate(descriptor, 0, kBytes);
    ::close(descriptor);
}

}  // namespace

bool holds_store(const std::filesystem::path& directory) {
    std::error_code unknown;
    return std::filesystem::exists(directory / kDataFile, unknown);
}

bool is_in_use(const std::filesystem::path& directory) {
    const int descriptor = ::open((directory / kLockFile).c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return false;
    const bool taken = ::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    ::close(descriptor);
    return taken;
}

DirectoryLock::DirectoryLock(const std::filesystem::path& directory, core::Millis wait) {
    constexpr std::chrono::milliseconds kPause{20};
    const std::filesystem::path path = made(directory) / kLockFile;
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd_ < 0) {
        throw StoreError("the data directory " + directory.string() +
                         " cannot be written: " + std::generic_category().message(errno));
    }
    core::give_to_owner_of_directory(path);
    const auto deadline = std::chrono::steady_clock::now() + wait;
    while (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
        if (std::chrono::steady_clock::now() < deadline) {
            std::this_thread::sleep_for(kPause);
            continue;
        }
        ::close(fd_);
        throw StoreInUse("the data directory " + directory.string() +
                         " is in use by another process; stop it first or use another directory");
    }
}

DirectoryLock::~DirectoryLock() { ::close(fd_); }

void Environment::CloseEnvironment::operator()(MDB_env* env) const noexcept {
    if (assertions->broke_writing()) return Assertions::keep(env);
    mdb_env_close(env);
}

Environment::Environment(const std::filesystem::path& directory, std::size_t map_size,
                         core::Millis lock_wait)
    : directory_(directory), lock_(std::in_place, directory, lock_wait) {
    open_or_tell([&] {
        make_file();
        look_at_length();
        begin_from_checkpoint();
        env_ = create();
        check(mdb_env_set_mapsize(env_.get(), map_size), "set the map size");
        take_room_for_readers(directory / "lock.mdb");
        // No MDB_WRITEMAP: with it a full disk is a SIGBUS instead of an error.
        open(0);
    });
}

Environment::Environment(const std::filesystem::path& directory, ReadOnly how)
    : directory_(directory) {
    open_or_tell([&] {
        env_ = create();
        // The map is as large as the store says.
        open(MDB_RDONLY | (how == ReadOnly::alone ? unsigned{MDB_NOLOCK} : 0U));
    });
}

template <class Open>
void Environment::open_or_tell(Open&& open) {
    // So that giving one back allocates nothing.
    idle_readers_.reserve(kMaxIdleReaders);
    try {
        open();
    } catch (const StoreError&) {
        throw;
    } catch (const std::runtime_error& error) {
        throw StoreError("the store in " + directory_.string() +
                         " cannot be opened: " + error.what());
    }
}

void Environment::open(unsigned flags) {
    check(mdb_env_set_maxdbs(handle(), kMaxTables), "set maxdbs");
    check(mdb_env_set_maxreaders(handle(), kMaxReaders), "set maxreaders");
    assertions_.watch(handle());
    look_at_length();
    check(mdb_env_open(handle(), directory_.c_str(), MDB_NOTLS | flags, 0600), "open");
    const bool may_write = (flags & MDB_RDONLY) == 0;
    // Before anything is written: pages of the last checkpoint must stay.
    if (may_write) first_pin_.emplace(*this);
    watch_file(may_write);
    for (const char* file : {kDataFile, "lock.mdb"}) {
        core::give_to_owner_of_directory(directory_ / file);
    }
    if ((flags & MDB_NOLOCK) == 0) clear_dead_readers();
    open_tables(flags & MDB_RDONLY);
}

void Environment::open_tables(unsigned flags) {
    const bool read_only = (flags & MDB_RDONLY) != 0;
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(handle(), nullptr, flags, &txn), "begin");
    std::optional<Assertions::Change> change;
    if (!read_only) change.emplace();
    try {
        for (const auto& [name, member] : kTables) {
            const int code =
                mdb_dbi_open(txn, name, read_only ? 0U : unsigned{MDB_CREATE}, &(tables_.*member));
            if (code == MDB_NOTFOUND && read_only) {
                has_all_tables_ = false;
                continue;
            }
            check(code, "open a table");
            const MDB_dbi table = tables_.*member;
            if (seeds_.size() <= table) seeds_.resize(table + 1);
            seeds_[table] = member == &Tables::log ? 0 : table_seed(name);
        }
    } catch (...) {
        if (!writing_is_broken()) mdb_txn_abort(txn);
        throw;
    }
    check(mdb_txn_commit(txn), "commit");
}

Environment::Handle Environment::create() {
    MDB_env* env = nullptr;
    check(mdb_env_create(&env), "create the environment");
    return Handle(env, {&assertions_});
}

MDB_env* Environment::rescue() {
    const std::lock_guard lock(readers_mutex_);
    if (rescue_) return rescue_.get();
    Handle env = create();
    assertions_.watch(env.get());
    check(mdb_env_set_maxdbs(env.get(), kMaxTables), "set maxdbs");
    MDB_envinfo info{};
    check(mdb_env_info(handle(), &info), "ask for the map size");
    check(mdb_env_set_mapsize(env.get(), info.me_mapsize), "set the map size");
    // Without a table of readers: nobody writes any more.
    check(mdb_env_open(env.get(), directory_.c_str(), MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS, 0600),
          "open for readers");
    MDB_txn* begun = nullptr;
    check(mdb_txn_begin(env.get(), nullptr, MDB_RDONLY, &begun), "begin to read");
    Reader txn(begun);
    for (const auto& [name, member] : kTables) {
        MDB_dbi table = 0;
        check(mdb_dbi_open(txn.get(), name, 0, &table), "open a table for readers");
        // Opened in the same order, they have the same numbers.
        if (table != tables_.*member) throw LmdbError(MDB_BAD_DBI, "open a table for readers");
    }
    check(mdb_txn_commit(txn.release()), "open the tables for readers");
    rescue_ = std::move(env);
    int fd = -1;
    if (mdb_env_get_fd(rescue_.get(), &fd) == 0) {
        rescue_guard_.emplace(directory_ / kDataFile, fd);
    }
    return rescue_.get();
}

void Environment::rely_on_journal() {
    check(mdb_env_set_flags(handle(), MDB_NOSYNC, 1), "leave syncing to the journal");
}

int Environment::file() const {
    int fd = -1;
    check(mdb_env_get_fd(handle(), &fd), "ask for the file");
    return fd;
}

void Environment::sync() { check(mdb_env_sync(handle(), 1), "sync"); }

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
    const std::uint64_t size = std::filesystem::file_size(directory_ / kDataFile, unknown);
    return !unknown && ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
           limit.rlim_cur < size + kScarce;
}

Room Environment::disk_room(std::uint64_t used) noexcept {
    // Three system calls, which a batch with an acknowledgement in it would notice. Whoever else
    // fills the disk meanwhile is found at the next look, or refused by the write itself.
    constexpr std::uint64_t kPlenty = std::uint64_t{1} << 30;
    constexpr std::uint64_t kMuch = std::uint64_t{16} << 20;
    constexpr int kLooksBetween = 16;
    if (looks_left_-- > 0 && used < disk_used_ + kMuch) {
        const std::uint64_t since = used > disk_used_ ? used - disk_used_ : 0;
        return {disk_.left - since, disk_.total};
    }
    disk_ = ask_disk(used);
    disk_used_ = used;
    looks_left_ = disk_.left >= kPlenty ? kLooksBetween : 0;
    return disk_;
}

Room Environment::ask_disk(std::uint64_t used) const noexcept {
    Room room{std::numeric_limits<std::uint64_t>::max(), std::numeric_limits<std::uint64_t>::max()};
    const auto bound = [&room](std::uint64_t left, std::uint64_t total) {
        room.left = std::min(room.left, left);
        room.total = std::min(room.total, total);
    };
    int file = -1;
    struct statvfs disk {};
    const auto opened =
        mdb_env_get_fd(handle(), &file) == 0 ? FileIdentity::of(file) : std::nullopt;
    if (opened && ::fstatvfs(file, &disk) == 0) {
        const std::uint64_t size = opened->size;
        bound((size > used ? size - used : 0) + std::uint64_t{disk.f_bavail} * disk.f_frsize,
              std::uint64_t{disk.f_blocks} * disk.f_frsize);
    }
    struct rlimit limit {};
    if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        bound(limit.rlim_cur > used ? limit.rlim_cur - used : 0, limit.rlim_cur);
    }
    return room;
}

Environment::Size Environment::size() const {
    MDB_envinfo info{};
    MDB_stat stat{};
    check(mdb_env_info(handle(), &info), "ask for the map size");
    check(mdb_env_stat(handle(), &stat), "ask for the page size");
    return {info.me_mapsize, info.me_last_pgno + 1, stat.ms_psize, info.me_last_txnid};
}

Room Environment::room(std::uint64_t enough) {
    const Size store = size();
    const std::uint64_t used = store.used();
    const Room disk = disk_room(used);
    const std::uint64_t total = std::min(store.map, disk.total);
    // Under a limit that the file has passed not even what is there can be written again.
    if (total < used) return {0, total};
    const std::uint64_t never_used = std::min(store.map > used ? store.map - used : 0, disk.left);
    if (never_used >= enough) return {never_used, total};

    // What a lagging reader still sees is not free.
    const Snapshots held = snapshots();
    std::uint64_t oldest =
        held.oldest.lag > 0 ? held.oldest.snapshot : std::numeric_limits<std::uint64_t>::max();
    if (held.pinned != 0 && held.pinned < store.last_transaction) {
        oldest = std::min(oldest, held.pinned);
    }
    std::uint64_t free_pages = 0;
    walk_free_pages([&](std::uint64_t freed_by, std::string_view pages) {
        if (freed_by >= oldest) return false;
        free_pages += ByteReader(pages).fixed<std::size_t>();
        return true;
    });
    return {never_used + free_pages * store.page, total};
}

}  // namespace agentcom::store
