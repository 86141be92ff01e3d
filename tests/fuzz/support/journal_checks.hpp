#pragma once

#include <string>
#include <string_view>

/// What reads the journal after the machine has stopped: whatever its files hold, batches of
/// operations are read from them, or they end, or they are refused. All throw Broken.
namespace agentcom::fuzz {

/// A batch of operations. What is read of it and written again is read as the same.
void check_operations(std::string_view bytes);

/// Two segments: the first, a byte for how many KiB of the bytes are its own. The stamp is all
/// zeros, the first record's number 1.
void check_journal(std::string_view bytes);

}  // namespace agentcom::fuzz
