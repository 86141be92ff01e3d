// The part of Environment that looks after the file beneath the map.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <string>
#include <string_view>

#include "agentcom/core/files.hpp"
#include "agentcom/store/opening.hpp"
#include "agentcom/store/store.hpp"
#include "store/bytes.hpp"
#include "store/cursor.hpp"
#include "store/environment.hpp"
#include "store/transaction.hpp"

namespace agentcom::store {
namespace {

struct StoreFile {
    explicit StoreFile(const std::filesystem::path& file)
        : fd(::open(file.c_str(), O_RDWR | O_CLOEXEC)) {
        check(fd < 0 ? errno : 0, "open the store's file");
    }
    ~StoreFile() { ::close(fd); }
    StoreFile(const StoreFile&) = delete;
    StoreFile& operator=(const StoreFile&) = delete;

    const int fd;
};

}  // namespace

void Environment::make_file() {
    const std::filesystem::path place = directory_ / kMaking;
    const std::filesystem::path made = place / kDataFile;
    std::filesystem::remove_all(place);  // of a start that was cut off
    if (holds_store(directory_)) return;
    // LMDB would write its first pages into a file that has its name already, and sync them later:
    // one that is cut off in between is no store, nor can it be told from one that was cut.
    std::filesystem::create_directory(place);
    {
        const Handle opened = create();
        check(mdb_env_open(opened.get(), place.c_str(), MDB_NOLOCK, 0600), "make the file");
        check(mdb_env_sync(opened.get(), 1), "sync the file");
    }
    std::filesystem::rename(made, directory_ / kDataFile);
    core::sync_directory(directory_);
    std::filesystem::remove_all(place);
}

void Environment::begin_from_checkpoint() {
    const std::filesystem::path file = directory_ / kDataFile;
    const std::filesystem::path journal = directory_ / kJournalDirectory;
    try {
        began_from_ = find_checkpoint(directory_);
        if (!began_from_ && !holds_records(directory_)) return;
        const StoreFile data(file);
        const bool same = began_from_ && began_from_->stamp == read_stamp(data.fd);
        if (same && began_from_->closed) return;
        if (same && newest_transaction(data.fd) >= began_from_->image.transaction) {
            // It may be there in one place, or in memory only. Before anything is written by it
            // that an earlier one would need, it is the only one.
            CheckpointFile(directory_).write(*began_from_);
            began_from_->image.restore(data.fd);
            // The table of readers tells of transactions that there are no more.
            std::filesystem::remove(directory_ / "lock.mdb");
            return;
        }
        if (began_from_ && began_from_->closed) {
            // The file has been replaced. What the journal had was in the one before.
            began_from_.reset();
            return;
        }
    } catch (const JournalError& error) {
        throw StoreError("the journal in " + journal.string() + " cannot be used: " + error.what());
    }
    throw StoreError("the journal in " + journal.string() + " is not that of the store's file " +
                     file.string() +
                     ", or its checkpoint is damaged; if the file was put there on purpose, move "
                     "the directory " +
                     journal.string() + " away, and what only the journal holds is lost");
}

// A file that was cut is noticed before anything of it is followed. LMDB itself would take an empty
// file for a new store, and touch pages that are gone.

void Environment::look_at_length() const {
    constexpr std::uintmax_t kFirstPages = 2 * 4'096;
    const std::filesystem::path file = directory_ / kDataFile;
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(file, error);
    if (error || size >= kFirstPages) return;
    throw StoreError("the store's file " + file.string() + " has been cut to " +
                     std::to_string(size) +
                     " bytes; restore a backup, or remove the file to begin an empty store");
}

void Environment::watch_file(bool may_write) {
    int fd = -1;
    check(mdb_env_get_fd(handle(), &fd), "ask for the file");
    const Size store = size();
    const std::filesystem::path file = directory_ / kDataFile;
    guard_.emplace(file, fd);
    const std::uint64_t needed = store.used();
    const std::uint64_t found = guard_->size();
    if (found >= needed) return;
    // LMDB does not write pages at the end that a transaction took and gave back. Any other that is
    // missing is lost.
    const std::uint64_t whole = found / store.page;
    if (free_pages_from(whole) < store.pages - whole || guard_->page_lost()) {
        guard_.reset();
        throw StoreError("the store's file " + file.string() + " has been cut: it has " +
                         std::to_string(found) + " bytes and should have " +
                         std::to_string(needed) + "; restore a backup");
    }
    if (may_write) check(::ftruncate(fd, static_cast<off_t>(needed)) == 0 ? 0 : errno, "extend");
}

std::uint64_t Environment::free_pages_from(std::uint64_t first) {
    std::uint64_t found = 0;
    // What cannot be read of them is not counted, and then there are too few.
    walk_free_pages([&](std::uint64_t, std::string_view pages) {
        ByteReader numbers(pages);
        (void)numbers.fixed<std::size_t>();
        while (!numbers.empty()) found += numbers.fixed<std::size_t>() >= first ? 1 : 0;
        return !guard_->page_lost();
    });
    return found;
}

void Environment::walk_free_pages(
    const std::function<bool(std::uint64_t freed_by, std::string_view pages)>& each) {
    constexpr MDB_dbi kFreePages = 0;  // of LMDB's tables
    const auto report = [this](const std::exception& error) {
        damage_.report(std::string("the list of free pages: ") + error.what());
    };
    try {
        const ReadTransaction txn(*this);
        Cursor list(txn, kFreePages);
        for (bool more = list.first(); more; more = list.next()) {
            ByteReader freed_by(list.key());
            if (!each(freed_by.fixed<std::size_t>(), list.stored_value())) return;
        }
    } catch (const LmdbError& error) {
        report(error);
    } catch (const DamagedStore& error) {
        report(error);
    }
}

}  // namespace agentcom::store
