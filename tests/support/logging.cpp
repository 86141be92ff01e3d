#include "support/logging.hpp"

#include <spdlog/spdlog.h>

namespace agentcom::test {

void make_log_registry() { spdlog::default_logger_raw(); }

}  // namespace agentcom::test
