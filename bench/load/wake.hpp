#pragma once

#include "scenarios.hpp"

namespace agentcom::bench {

/// From a send to the moment its receiver knows, for each way to wait.
[[nodiscard]] Figures wake_polls(const Options& options);
[[nodiscard]] Figures wake_streams(const Options& options);
[[nodiscard]] Figures wake_wait_processes(const Options& options);
[[nodiscard]] Figures wake_hook_processes(const Options& options);

/// What those who wait cost the hub while nothing comes, and a ping of somebody else meanwhile.
[[nodiscard]] Figures standing_streams(const Options& options);
[[nodiscard]] Figures standing_hooks(const Options& options);
[[nodiscard]] Figures standing_nobody(const Options& options);

}  // namespace agentcom::bench
