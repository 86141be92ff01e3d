#pragma once

#include <lmdb.h>

#include <cerrno>
#include <stdexcept>
#include <string>

namespace agentcom::store {

/// A failed LMDB call.
class LmdbError : public std::runtime_error {
public:
    LmdbError(int code, const char* what)
        : std::runtime_error(std::string(what) + ": " + mdb_strerror(code)), code_(code) {}
    [[nodiscard]] int code() const noexcept { return code_; }
    /// The map or the disk says that there is no room: the next transaction may fare better.
    [[nodiscard]] bool is_full() const noexcept {
        return code_ == MDB_MAP_FULL || code_ == MDB_TXN_FULL || code_ == ENOSPC ||
               code_ == EDQUOT || code_ == EFBIG;
    }
    /// A page of the file is not what it should be: whatever needs it fails, the rest may go on.
    [[nodiscard]] bool is_damage() const noexcept {
        return code_ == MDB_CORRUPTED || code_ == MDB_PAGE_NOTFOUND || code_ == MDB_CURSOR_FULL ||
               code_ == MDB_PAGE_FULL || code_ == MDB_BAD_TXN;
    }

private:
    int code_;
};

inline void check(int code, const char* what) {
    if (code != MDB_SUCCESS) throw LmdbError(code, what);
}

}  // namespace agentcom::store
