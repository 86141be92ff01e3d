#pragma once

#include <lmdb.h>

#include <string_view>
#include <utility>

#include "store/transaction.hpp"

namespace agentcom::store {

/// Walks one table in the order of its keys. Must die before its transaction. Each move returns
/// false when there is nothing there; `key` and `value` are then meaningless.
class Cursor {
public:
    Cursor(const Transaction& txn, MDB_dbi table) : txn_(&txn), table_(table) {
        // The first who asks for a table in a transaction makes LMDB follow pages to its root. An
        // assertion that fails there would take along the cursor that is about to be handed out;
        // here there is none yet.
        MDB_stat figures{};
        check(mdb_stat(txn.handle(), table, &figures), "find a table");
        check(mdb_cursor_open(txn.handle(), table, &cursor_), "open a cursor");
    }
    ~Cursor() { close(); }
    Cursor(Cursor&& other) noexcept
        : txn_(other.txn_),
          table_(other.table_),
          cursor_(std::exchange(other.cursor_, nullptr)),
          key_(other.key_),
          value_(other.value_) {}
    Cursor(const Cursor&) = delete;
    Cursor& operator=(const Cursor&) = delete;
    Cursor& operator=(Cursor&& other) noexcept {
        std::swap(cursor_, other.cursor_);
        txn_ = other.txn_;
        table_ = other.table_;
        key_ = other.key_;
        value_ = other.value_;
        return *this;
    }

    bool first() { return move(MDB_FIRST); }
    bool last() { return move(MDB_LAST); }
    bool next() { return move(MDB_NEXT); }
    bool previous() { return move(MDB_PREV); }
    /// To the first key that is not less.
    bool at_or_after(std::string_view key) {
        key_ = to_val(key);
        return move(MDB_SET_RANGE);
    }
    /// To the last key that is not greater.
    bool at_or_before(std::string_view key) {
        if (!at_or_after(key)) return last();
        return this->key() == key || previous();
    }
    /// Deletes what it stands on; `next` then goes to what followed.
    void erase() {
        const Assertions::Change change;
        check(mdb_cursor_del(cursor_, 0), "delete");
        txn_->count_change();
    }

    [[nodiscard]] std::string_view key() const noexcept { return to_view(key_); }
    /// Without its checksum. Throws DamagedStore when it does not match that.
    [[nodiscard]] std::string_view value() const { return txn_->open_value(table_, key(), value_); }
    /// As it lies there.
    [[nodiscard]] std::string_view stored_value() const noexcept { return to_view(value_); }

private:
    void close() noexcept {
        if (cursor_ == nullptr) return;
        if (txn_->is_given_up()) return Assertions::keep(cursor_);
        mdb_cursor_close(cursor_);
    }
    bool move(MDB_cursor_op op) {
        const int code = mdb_cursor_get(cursor_, &key_, &value_, op);
        if (code == MDB_NOTFOUND) return false;
        check(code, "move a cursor");
        return true;
    }

    const Transaction* txn_;
    MDB_dbi table_;
    MDB_cursor* cursor_ = nullptr;
    MDB_val key_{};
    MDB_val value_{};
};

}  // namespace agentcom::store
