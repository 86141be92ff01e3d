#pragma once

#include <lmdb.h>

#include <optional>
#include <string_view>
#include <utility>

#include "store/environment.hpp"

namespace agentcom::store {

inline MDB_val to_val(std::string_view bytes) noexcept {
    return MDB_val{bytes.size(), const_cast<char*>(bytes.data())};
}
inline std::string_view to_view(const MDB_val& value) noexcept {
    return {static_cast<const char*>(value.mv_data), value.mv_size};
}

/// What readers and the writer can do. Views that come out live until the transaction ends or, in a
/// write transaction, until the next write. Used by one thread at a time.
class Transaction {
public:
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    [[nodiscard]] std::optional<std::string_view> get(MDB_dbi table, std::string_view key) const;
    [[nodiscard]] MDB_txn* handle() const noexcept { return txn_; }
    [[nodiscard]] const Tables& tables() const noexcept { return env_->tables(); }

protected:
    Transaction(Environment& env, MDB_txn* txn) noexcept : env_(&env), txn_(txn) {}
    ~Transaction() = default;

    Environment* env_;
    MDB_txn* txn_;
};

/// A snapshot of everything committed. Keep it short: pages it sees cannot be reused meanwhile.
class ReadTransaction final : public Transaction {
public:
    explicit ReadTransaction(Environment& env) : Transaction(env, env.take_reader()) {}
    ReadTransaction(const ReadTransaction&) = delete;
    ReadTransaction& operator=(const ReadTransaction&) = delete;
    ~ReadTransaction() { env_->give_back_reader(txn_); }
};

/// The one write transaction; its destructor aborts unless it was committed. Cursors must die
/// before it does.
class WriteTransaction final : public Transaction {
public:
    explicit WriteTransaction(Environment& env);
    WriteTransaction(const WriteTransaction&) = delete;
    WriteTransaction& operator=(const WriteTransaction&) = delete;
    ~WriteTransaction();

    void put(MDB_dbi table, std::string_view key, std::string_view value);
    /// As `put`, for a key behind all others of its table.
    void append(MDB_dbi table, std::string_view key, std::string_view value);
    /// Room for `size` bytes under a key behind all others, to be filled before the next write.
    [[nodiscard]] char* append_reserved(MDB_dbi table, std::string_view key, std::size_t size);
    /// False when there was no such key.
    bool erase(MDB_dbi table, std::string_view key);
    /// Throws LmdbError; the transaction is over either way.
    void commit() &&;
};

}  // namespace agentcom::store
