#pragma once

#include <span>
#include <string_view>

#include "agentcom/net/endpoint.hpp"

namespace agentcom::app {

// The pages of web/, compiled in.
[[nodiscard]] std::string_view dashboard_html() noexcept;
/// What it links to.
[[nodiscard]] std::span<const net::Asset> dashboard_assets();
[[nodiscard]] std::string_view home_html() noexcept;
[[nodiscard]] std::string_view llms_txt() noexcept;
[[nodiscard]] std::string_view skill_md() noexcept;

}  // namespace agentcom::app
