#pragma once

namespace agentcom::test {

/// Makes spdlog's registry, which otherwise the first log line makes. Call it before threads start:
/// ThreadSanitizer does not see into the library, and would report two first lines as a race.
void make_log_registry();

}  // namespace agentcom::test
