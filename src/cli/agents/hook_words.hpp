#pragma once

#include "agentcom/hooks/announce.hpp"
#include "agentcom/hooks/dialect.hpp"
#include "agentcom/hooks/hook_input.hpp"

/// What the hub says to hooks that come over HTTP, and the programs here to those that are started,
/// is decided in one place, whose words are used throughout.
namespace agentcom::cli::agents {

using hooks::Decision;
using hooks::Dialect;
using hooks::HookInput;
using hooks::Moment;
using hooks::UnreadMail;

using hooks::dialect_list;
using hooks::dialect_named;
using hooks::dialect_names;
using hooks::moment_list;
using hooks::moment_named;
using hooks::moment_names;

using hooks::kAnnouncementPrefix;
using hooks::kDialects;
using hooks::kMaxBlocks;
using hooks::kMoments;

}  // namespace agentcom::cli::agents
