#pragma once

#include <lmdb.h>

#include <atomic>

namespace agentcom::store {

/// What becomes of LMDB's assertions, which a damaged page makes fail and which would end the
/// process: an LmdbError is thrown through LMDB's frames.
///
/// Where those only read, they hold nothing that has to be put back, and the error is
/// MDB_CORRUPTED. Inside a call that changes pages they have linked a cursor of their own stack
/// into the transaction, and inside a commit they hold the writer's mutex. The error is then
/// MDB_PANIC, and writing is broken for good: the transaction may be neither used nor ended, its
/// cursors not closed, and the environment must stay open, because whoever ends one of them follows
/// that cursor, and the thread still has the mutex in its list of those to be given up when it
/// dies. What they hold is given up (`keep`); the process is to be started anew. Reads go on.
///
/// Belongs to one environment. Thread-safe.
class Assertions {
public:
    /// Around every call of LMDB that changes pages or ends a write transaction, and nothing else.
    class Change {
    public:
        Change() noexcept { inside = true; }
        ~Change() { inside = false; }
        Change(const Change&) = delete;
        Change& operator=(const Change&) = delete;

    private:
        friend class Assertions;
        static thread_local bool inside;
    };

    /// From now on; this must outlive the environment. Throws LmdbError.
    void watch(MDB_env* env);
    [[nodiscard]] bool broke_writing() const noexcept { return broke_writing_.load(); }

    /// Keeps what LMDB has allocated and nobody may free any more.
    static void keep(void* allocated) noexcept;

private:
    [[noreturn]] static void on_failure(MDB_env* env, const char* what);

    std::atomic<bool> broke_writing_{false};
};

}  // namespace agentcom::store
