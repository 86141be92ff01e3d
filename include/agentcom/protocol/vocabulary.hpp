#pragma once

#include <string_view>
#include <vector>

/// The names of the wire contract as the code knows them. docs/protocol.md is compared with these
/// lists by a test.
namespace agentcom::protocol {

/// Types of frames that clients send.
[[nodiscard]] std::vector<std::string_view> client_frame_types();
/// Types of frames that the hub sends unasked.
[[nodiscard]] std::vector<std::string_view> pushed_frame_types();

}  // namespace agentcom::protocol
