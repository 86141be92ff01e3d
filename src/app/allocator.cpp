#include "app/allocator.hpp"

#include <cstddef>

// jemalloc's, where it is linked: jemalloc(3).
extern "C" int mallctl(const char* name, void* old_value, std::size_t* old_size, void* new_value,
                       std::size_t new_size) __attribute__((weak));

/// Read by jemalloc before `main`; what the environment says in MALLOC_CONF comes after it. What
/// was freed is kept for half a second, not for ten: a flood of large requests would hold twice the
/// memory that is in use otherwise (tests/hostile, tests/crash/hanging_disk_test.cpp).
extern "C" {
__attribute__((visibility("default"))) const char* malloc_conf = "dirty_decay_ms:500";
}

namespace agentcom::app {

bool give_back_memory_when_idle() noexcept {
    if (mallctl == nullptr) return false;
    bool enabled = true;
    return mallctl("background_thread", nullptr, nullptr, &enabled, sizeof enabled) == 0;
}

}  // namespace agentcom::app
