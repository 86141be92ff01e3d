#include "store/assertions.hpp"

#include <mutex>
#include <new>
#include <vector>

#include "store/lmdb_error.hpp"

namespace agentcom::store {

thread_local bool Assertions::Change::inside = false;

void Assertions::watch(MDB_env* env) {
    check(mdb_env_set_userctx(env, this), "set the context of assertions");
    check(mdb_env_set_assert(env, &on_failure), "set what an assertion does");
}

void Assertions::on_failure(MDB_env* env, const char*) {
    if (!Change::inside) throw LmdbError(MDB_CORRUPTED, "follow the pages");
    static_cast<Assertions*>(mdb_env_get_userctx(env))->broke_writing_ = true;
    throw LmdbError(MDB_PANIC, "follow the pages within a write");
}

void Assertions::keep(void* allocated) noexcept {
    static std::mutex mutex;
    // Never destroyed: what it has may be looked at until the end.
    static auto* const kept = new (std::nothrow) std::vector<void*>;
    const std::lock_guard lock(mutex);
    try {
        if (kept != nullptr) kept->push_back(allocated);
    } catch (const std::bad_alloc&) {
        // It stays allocated all the same.
    }
}

}  // namespace agentcom::store
