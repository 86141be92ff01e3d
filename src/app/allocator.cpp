#include "app/allocator.hpp"

#include <cstddef>

// jemalloc's, where it is linked: jemalloc(3).
extern "C" int mallctl(const char* name, void* old_value, std::size_t* old_size, void* new_value,
                       std::size_t new_size) __attribute__((weak));

namespace agentcom::app {

bool give_back_memory_when_idle() noexcept {
    if (mallctl == nullptr) return false;
    bool enabled = true;
    return mallctl("background_thread", nullptr, nullptr, &enabled, sizeof enabled) == 0;
}

}  // namespace agentcom::app
