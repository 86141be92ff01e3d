#pragma once

#include <string_view>

namespace agentcom::app {

// The pages of web/, compiled in.
[[nodiscard]] std::string_view dashboard_html() noexcept;
[[nodiscard]] std::string_view home_html() noexcept;
[[nodiscard]] std::string_view llms_txt() noexcept;
[[nodiscard]] std::string_view skill_md() noexcept;

}  // namespace agentcom::app
