// The part of Environment that looks after the file beneath the map.

#include <unistd.h>

#include <cerrno>
#include <string>

#include "agentcom/store/store.hpp"
#include "store/environment.hpp"

namespace agentcom::store {

// A file that was cut is noticed before anything of it is followed. LMDB itself would take an empty
// file for a new store, and touch pages that are gone.

void Environment::look_at_length() const {
    constexpr std::uintmax_t kFirstPages = 2 * 4'096;
    const std::filesystem::path file = directory_ / "data.mdb";
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(file, error);
    if (error || size >= kFirstPages) return;
    throw StoreError("the store's file " + file.string() + " has been cut to " +
                     std::to_string(size) +
                     " bytes; restore a backup, or remove the file to begin an empty store");
}

void Environment::watch_file(bool may_write) {
    int fd = -1;
    MDB_envinfo info{};
    MDB_stat stat{};
    check(mdb_env_get_fd(env_, &fd), "ask for the file");
    check(mdb_env_info(env_, &info), "ask for the map size");
    check(mdb_env_stat(env_, &stat), "ask for the page size");
    const std::filesystem::path file = directory_ / "data.mdb";
    guard_.emplace(file, fd);
    const std::uint64_t pages = info.me_last_pgno + 1;
    const std::uint64_t needed = pages * stat.ms_psize;
    const std::uint64_t size = guard_->size();
    if (size >= needed) return;
    // LMDB does not write pages at the end that a transaction took and gave back. Any other that is
    // missing is lost.
    const std::uint64_t whole = size / stat.ms_psize;
    if (free_pages_from(whole) < pages - whole || guard_->page_lost()) {
        guard_.reset();
        throw StoreError("the store's file " + file.string() + " has been cut: it has " +
                         std::to_string(size) + " bytes and should have " + std::to_string(needed) +
                         "; restore a backup");
    }
    if (may_write) check(::ftruncate(fd, static_cast<off_t>(needed)) == 0 ? 0 : errno, "extend");
}

std::uint64_t Environment::free_pages_from(std::uint64_t first) const {
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn), "begin to read");
    MDB_cursor* cursor = nullptr;
    std::uint64_t found = 0;
    // Table 0, see `room`. What cannot be read of it is not counted, and then there are too few.
    if (mdb_cursor_open(txn, 0, &cursor) == 0) {
        MDB_val key{};
        MDB_val value{};
        while (!guard_->page_lost() && mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
            const std::size_t count = value.mv_size / sizeof(std::size_t);
            const auto* numbers = static_cast<const std::size_t*>(value.mv_data);
            for (std::size_t i = 1; i < count; ++i) found += numbers[i] >= first ? 1 : 0;
        }
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    return found;
}

}  // namespace agentcom::store
