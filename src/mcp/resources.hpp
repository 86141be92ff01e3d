#pragma once

#include "mcp/envelope.hpp"

/// Resources and prompts: the inbox, and how to begin.
namespace agentcom::mcp {

[[nodiscard]] Step list_resources(const Envelope& envelope);
[[nodiscard]] Step list_templates(const Envelope& envelope);
[[nodiscard]] Step read_resource(const Envelope& envelope);
/// A stream that tells of changes of what the filter names, of which there is the inbox alone.
[[nodiscard]] Step listen(const Envelope& envelope);
[[nodiscard]] Step list_prompts(const Envelope& envelope);
[[nodiscard]] Step get_prompt(const Envelope& envelope);

}  // namespace agentcom::mcp
