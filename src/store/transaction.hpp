#pragma once

#include <lmdb.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "store/bytes.hpp"
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

    /// Without its checksum. Throws DamagedStore when it does not match that.
    [[nodiscard]] std::optional<std::string_view> get(MDB_dbi table, std::string_view key) const;
    /// A value as it lies in the table, without its checksum; as `get`.
    [[nodiscard]] std::string_view open_value(MDB_dbi table, std::string_view key,
                                              const MDB_val& stored) const;
    /// How many entries the table has.
    [[nodiscard]] std::uint64_t entries(MDB_dbi table) const;
    /// Something that is passed over because it cannot be read: counts and logs it.
    void report_damage(std::string_view what) const noexcept {
        ++passed_over_;
        env_->damage().report(what);
    }
    /// Changes made in it, to tell whether an operation has made any. Cursors count theirs.
    [[nodiscard]] std::uint64_t changes() const noexcept { return changes_; }
    void count_change() const noexcept { ++changes_; }
    /// How much was passed over in this transaction.
    [[nodiscard]] std::uint64_t passed_over() const noexcept { return passed_over_; }
    [[nodiscard]] MDB_txn* handle() const noexcept { return txn_; }
    [[nodiscard]] const Tables& tables() const noexcept { return env_->tables(); }

    /// A write in it has failed in a way that lets it be neither used nor ended, see Assertions.
    [[nodiscard]] bool is_given_up() const noexcept { return writes_ && env_->writing_is_broken(); }

protected:
    Transaction(Environment& env, MDB_txn* txn, bool writes) noexcept
        : env_(&env), txn_(txn), writes_(writes) {}
    ~Transaction() = default;

    Environment* env_;
    MDB_txn* txn_;
    bool writes_;
    mutable std::uint64_t passed_over_ = 0;
    mutable std::uint64_t changes_ = 0;
};

/// What `read` gives; when that meets damage, it is counted and logged as damage of `what`, and the
/// answer is `otherwise`. For rows that others must not have to do without.
template <class Value, class Read>
Value read_or(const Transaction& txn, std::string_view what, Value otherwise, Read&& read) {
    try {
        return std::forward<Read>(read)();
    } catch (const DamagedStore& error) {
        txn.report_damage(std::string(what) + ": " + error.what());
        return otherwise;
    }
}

/// A snapshot of everything committed. Keep it short: pages it sees cannot be reused meanwhile.
class ReadTransaction final : public Transaction {
public:
    explicit ReadTransaction(Environment& env) : Transaction(env, env.take_reader(), false) {}
    ReadTransaction(const ReadTransaction&) = delete;
    ReadTransaction& operator=(const ReadTransaction&) = delete;
    ~ReadTransaction() { env_->give_back_reader(txn_); }
};

/// The one write transaction; its destructor aborts unless it was committed. Cursors must die
/// before it does. After a failed assertion of LMDB's within a write there is no other one.
class WriteTransaction final : public Transaction {
public:
    /// Throws LmdbError.
    explicit WriteTransaction(Environment& env);
    WriteTransaction(const WriteTransaction&) = delete;
    WriteTransaction& operator=(const WriteTransaction&) = delete;
    ~WriteTransaction();

    /// With its checksum, see checksum.hpp.
    void put(MDB_dbi table, std::string_view key, std::string_view value);
    /// Without one.
    void put_plain(MDB_dbi table, std::string_view key, std::string_view value);
    /// As `put`, for a key behind all others of its table.
    void append(MDB_dbi table, std::string_view key, std::string_view value);
    /// Room for `size` bytes under a key behind all others, to be filled before the next write.
    [[nodiscard]] char* append_reserved(MDB_dbi table, std::string_view key, std::size_t size);
    /// False when there was no such key.
    bool erase(MDB_dbi table, std::string_view key);
    /// Removes a whole table.
    void drop(MDB_dbi table);
    /// Throws LmdbError; the transaction is over either way.
    void commit() &&;

private:
    [[nodiscard]] MDB_val store(MDB_dbi table, std::string_view key, MDB_val value, unsigned flags);
    [[nodiscard]] std::string_view sealed(MDB_dbi table, std::string_view key,
                                          std::string_view value);

    std::string sealed_;  // scratch
};

}  // namespace agentcom::store
