#pragma once

#include <chrono>
#include <exception>
#include <new>
#include <thread>

namespace agentcom::core {

/// Does the work as soon as there is memory for it: what throws std::bad_alloc is tried again after
/// a moment. For the few things that cannot be refused, because others wait for them and nobody
/// could be told. The work must leave nothing behind when it throws.
template <class Work>
auto when_memory_allows(Work&& work) {
    constexpr std::chrono::milliseconds kPause{5};
    for (;;) {
        try {
            return work();
        } catch (const std::bad_alloc&) {
            std::this_thread::sleep_for(kPause);
        }
    }
}

/// For what is only said of a failure, which may itself be a lack of memory: then it is not said.
template <class Say>
void say_if_possible(Say&& say) noexcept {
    try {
        say();
    } catch (const std::exception&) {
        return;
    }
}

}  // namespace agentcom::core
