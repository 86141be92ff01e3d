#pragma once

#include <string_view>

namespace agentcom::app {

/// The page of GET /dashboard: web/dashboard.html, compiled in.
[[nodiscard]] std::string_view dashboard_html() noexcept;

}  // namespace agentcom::app
