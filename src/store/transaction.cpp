#include "store/transaction.hpp"

#include "store/checksum.hpp"

namespace agentcom::store {
namespace {

MDB_txn* begin_write(Environment& env) {
    // LMDB would wait for the mutex that the one before has taken along.
    if (env.writing_is_broken()) throw LmdbError(MDB_PANIC, "begin to write");
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env.handle(), nullptr, 0, &txn), "begin to write");
    return txn;
}

}  // namespace

std::uint64_t Transaction::entries(MDB_dbi table) const {
    MDB_stat figures{};
    check(::mdb_stat(txn_, table, &figures), "count entries");
    return figures.ms_entries;
}

std::optional<std::string_view> Transaction::get(MDB_dbi table, std::string_view key) const {
    // LMDB refuses an empty key and one beyond its limit; neither can have been stored.
    if (key.empty()) return std::nullopt;
    MDB_val wanted = to_val(key);
    MDB_val found{};
    const int code = mdb_get(txn_, table, &wanted, &found);
    if (code == MDB_NOTFOUND || code == MDB_BAD_VALSIZE) return std::nullopt;
    check(code, "get");
    return open_value(table, key, found);
}

std::string_view Transaction::open_value(MDB_dbi table, std::string_view key,
                                         const MDB_val& stored) const {
    // No value comes near this; a damaged length must not be followed out of the map.
    constexpr std::size_t kLongestValue = std::size_t{1} << 30;
    if (stored.mv_size > kLongestValue) throw DamagedStore("a stored value has a wrong length");
    const std::uint64_t seed = env_->seed_of(table);
    return seed == 0 ? to_view(stored) : unseal(seed, key, to_view(stored));
}

WriteTransaction::WriteTransaction(Environment& env) : Transaction(env, begin_write(env), true) {}

WriteTransaction::~WriteTransaction() {
    if (txn_ != nullptr && !is_given_up()) mdb_txn_abort(txn_);
}

std::string_view WriteTransaction::sealed(MDB_dbi table, std::string_view key,
                                          std::string_view value) {
    const std::uint64_t seed = env_->seed_of(table);
    if (seed == 0) return value;
    seal(sealed_, seed, key, value);
    return sealed_;
}

void WriteTransaction::put(MDB_dbi table, std::string_view key, std::string_view value) {
    put_plain(table, key, sealed(table, key, value));
}

void WriteTransaction::put_plain(MDB_dbi table, std::string_view key, std::string_view value) {
    (void)store(table, key, to_val(value), 0);
}

void WriteTransaction::append(MDB_dbi table, std::string_view key, std::string_view value) {
    (void)store(table, key, to_val(sealed(table, key, value)), MDB_APPEND);
}

char* WriteTransaction::append_reserved(MDB_dbi table, std::string_view key, std::size_t size) {
    return static_cast<char*>(
        store(table, key, MDB_val{size, nullptr}, MDB_APPEND | MDB_RESERVE).mv_data);
}

MDB_val WriteTransaction::store(MDB_dbi table, std::string_view key, MDB_val value,
                                unsigned flags) {
    ++changes_;
    MDB_val k = to_val(key);
    const Assertions::Change change;
    check(mdb_put(txn_, table, &k, &value, flags), "put");
    return value;
}

bool WriteTransaction::erase(MDB_dbi table, std::string_view key) {
    MDB_val k = to_val(key);
    const Assertions::Change change;
    const int code = mdb_del(txn_, table, &k, nullptr);
    if (code == MDB_NOTFOUND) return false;
    check(code, "delete");
    ++changes_;
    return true;
}

void WriteTransaction::drop(MDB_dbi table) {
    ++changes_;
    const Assertions::Change change;
    check(mdb_drop(txn_, table, 1), "drop a table");
}

void WriteTransaction::commit() && {
    // LMDB frees the transaction whatever comes of it.
    const Assertions::Change change;
    check(mdb_txn_commit(std::exchange(txn_, nullptr)), "commit");
}

}  // namespace agentcom::store
