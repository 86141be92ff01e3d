#include "store/transaction.hpp"

namespace agentcom::store {
namespace {

MDB_txn* begin_write(Environment& env) {
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env.handle(), nullptr, 0, &txn), "begin to write");
    return txn;
}

}  // namespace

std::optional<std::string_view> Transaction::get(MDB_dbi table, std::string_view key) const {
    // LMDB refuses an empty key and one beyond its limit; neither can have been stored.
    if (key.empty()) return std::nullopt;
    MDB_val wanted = to_val(key);
    MDB_val found{};
    const int code = mdb_get(txn_, table, &wanted, &found);
    if (code == MDB_NOTFOUND || code == MDB_BAD_VALSIZE) return std::nullopt;
    check(code, "get");
    return to_view(found);
}

WriteTransaction::WriteTransaction(Environment& env) : Transaction(env, begin_write(env)) {}

WriteTransaction::~WriteTransaction() {
    if (txn_ != nullptr) mdb_txn_abort(txn_);
}

void WriteTransaction::put(MDB_dbi table, std::string_view key, std::string_view value) {
    MDB_val k = to_val(key);
    MDB_val v = to_val(value);
    check(mdb_put(txn_, table, &k, &v, 0), "put");
}

void WriteTransaction::append(MDB_dbi table, std::string_view key, std::string_view value) {
    MDB_val k = to_val(key);
    MDB_val v = to_val(value);
    check(mdb_put(txn_, table, &k, &v, MDB_APPEND), "append");
}

char* WriteTransaction::append_reserved(MDB_dbi table, std::string_view key, std::size_t size) {
    MDB_val k = to_val(key);
    MDB_val v{size, nullptr};
    check(mdb_put(txn_, table, &k, &v, MDB_APPEND | MDB_RESERVE), "append");
    return static_cast<char*>(v.mv_data);
}

bool WriteTransaction::erase(MDB_dbi table, std::string_view key) {
    MDB_val k = to_val(key);
    const int code = mdb_del(txn_, table, &k, nullptr);
    if (code == MDB_NOTFOUND) return false;
    check(code, "delete");
    return true;
}

void WriteTransaction::commit() && {
    // LMDB frees the transaction whatever comes of it.
    check(mdb_txn_commit(std::exchange(txn_, nullptr)), "commit");
}

}  // namespace agentcom::store
