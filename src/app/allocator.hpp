#pragma once

namespace agentcom::app {

/// From now on what has been freed goes back to the system within a second, also while nothing is
/// allocated: jemalloc has threads for that. Without it a hub that has nothing to do after a burst
/// would keep what the burst took. Where the allocator is another (in builds with sanitizers)
/// nothing happens; false then, and when the threads cannot be had.
bool give_back_memory_when_idle() noexcept;

}  // namespace agentcom::app
