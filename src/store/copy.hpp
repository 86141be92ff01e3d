#pragma once

#include <filesystem>

#include "agentcom/store/backup.hpp"
#include "store/environment.hpp"

namespace agentcom::store {

/// Writes the store, as it is at one moment and compacted, into a new file, which is synced. Throws
/// StoreError.
void copy_data(const Environment& env, const std::filesystem::path& file);

/// Looks at everything in the copy in this directory. Throws StoreError when it cannot be read.
[[nodiscard]] StoreCopy verify_copy(const std::filesystem::path& directory);

}  // namespace agentcom::store
