#include "store/transaction.hpp"

#include "store/checksum.hpp"

namespace agentcom::store {
namespace {

MDB_txn* begin_write(Environment& env) {
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

WriteTransaction::WriteTransaction(Environment& env) : Transaction(env, begin_write(env)) {}

WriteTransaction::~WriteTransaction() {
    if (txn_ != nullptr) mdb_txn_abort(txn_);
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
    ++changes_;
    MDB_val k = to_val(key);
    MDB_val v = to_val(value);
    check(mdb_put(txn_, table, &k, &v, 0), "put");
}

void WriteTransaction::append(MDB_dbi table, std::string_view key, std::string_view value) {
    ++changes_;
    MDB_val k = to_val(key);
    MDB_val v = to_val(sealed(table, key, value));
    check(mdb_put(txn_, table, &k, &v, MDB_APPEND), "append");
}

char* WriteTransaction::append_reserved(MDB_dbi table, std::string_view key, std::size_t size) {
    MDB_val k = to_val(key);
    ++changes_;
    MDB_val v{size, nullptr};
    check(mdb_put(txn_, table, &k, &v, MDB_APPEND | MDB_RESERVE), "append");
    return static_cast<char*>(v.mv_data);
}

bool WriteTransaction::erase(MDB_dbi table, std::string_view key) {
    MDB_val k = to_val(key);
    const int code = mdb_del(txn_, table, &k, nullptr);
    if (code == MDB_NOTFOUND) return false;
    check(code, "delete");
    ++changes_;
    return true;
}

void WriteTransaction::commit() && {
    // LMDB frees the transaction whatever comes of it.
    check(mdb_txn_commit(std::exchange(txn_, nullptr)), "commit");
}

}  // namespace agentcom::store
