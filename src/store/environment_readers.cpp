// The part of Environment that looks after those who read the store, here and in other processes,
// and after snapshots that are kept without being read.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "store/environment.hpp"

namespace agentcom::store {

MDB_txn* Environment::take_idle() {
    const std::lock_guard lock(readers_mutex_);
    if (idle_readers_.empty()) return nullptr;
    MDB_txn* reader = idle_readers_.back().release();
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
    int code = mdb_txn_begin(handle(), nullptr, MDB_RDONLY, &reader);
    if (code == MDB_PANIC) code = mdb_txn_begin(rescue(), nullptr, MDB_RDONLY, &reader);
    check(code, "begin to read");
    return reader;
}

void Environment::give_back_reader(MDB_txn* given) noexcept {
    Reader reader(given);
    mdb_txn_reset(reader.get());
    const std::lock_guard lock(readers_mutex_);
    if (idle_readers_.size() < kMaxIdleReaders) idle_readers_.push_back(std::move(reader));
}

std::size_t Environment::clear_dead_readers() {
    int dead = 0;
    check(mdb_reader_check(handle(), &dead), "clear readers of a process that died");
    return static_cast<std::size_t>(dead);
}

Environment::Snapshots Environment::snapshots() const {
    struct Search {
        OldestReader oldest;
        std::vector<std::uint64_t> pins;
        long long own = 0;
    };
    MDB_envinfo info{};
    check(mdb_env_info(handle(), &info), "ask for the newest transaction");
    Search search;
    {
        const std::lock_guard lock(pins_mutex_);
        search.pins = pins_;
    }
    Snapshots found;
    if (!search.pins.empty()) found.pinned = std::ranges::min(search.pins);
    search.own = ::getpid();
    search.oldest.snapshot = info.me_last_txnid;
    // LMDB tells of its readers in lines of text only: process, thread, transaction ("-": none).
    const auto look = [](const char* line, void* context) {
        long long pid = 0;
        unsigned long long snapshot = 0;
        auto& mine = *static_cast<Search*>(context);
        if (std::sscanf(line, "%lld %*x %llu", &pid, &snapshot) != 2 ||
            snapshot >= mine.oldest.snapshot) {
            return 0;
        }
        // A pin is no reader that lags.
        const auto pin = std::ranges::find(mine.pins, snapshot);
        if (pid == mine.own && pin != mine.pins.end()) {
            mine.pins.erase(pin);
            return 0;
        }
        mine.oldest.snapshot = snapshot;
        mine.oldest.pid = pid;
        return 0;
    };
    if (const int code = mdb_reader_list(handle(), look, &search); code < 0) {
        throw LmdbError(code, "list the readers");
    }
    found.oldest = search.oldest;
    found.oldest.lag = info.me_last_txnid - search.oldest.snapshot;
    return found;
}

OldestReader Environment::oldest_reader() const { return snapshots().oldest; }

Pin::Pin(Environment& env) : env_(env) {
    check(mdb_txn_begin(env.handle(), nullptr, MDB_RDONLY, &reader_), "pin the newest transaction");
    transaction_ = mdb_txn_id(reader_);
    try {
        const std::lock_guard lock(env.pins_mutex_);
        env.pins_.push_back(transaction_);
    } catch (...) {
        mdb_txn_abort(reader_);
        throw;
    }
}

Pin::~Pin() {
    mdb_txn_abort(reader_);
    const std::lock_guard lock(env_.pins_mutex_);
    env_.pins_.erase(std::ranges::find(env_.pins_, transaction_));
}

}  // namespace agentcom::store
