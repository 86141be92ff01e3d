#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "agentcom/core/seq.hpp"
#include "agentcom/store/store.hpp"

/// Copies of a store, and what becomes of them. For the command line: every call may take as long
/// as reading and writing the whole store does. All throw StoreError with a sentence.
namespace agentcom::store {

/// What tells one copy from another; an operator keeps it beside the copy.
struct StoreCopy {
    std::uint64_t schema = 0;
    core::Epoch epoch;
    core::Seq head;
    std::uint64_t bytes = 0;  // of its file
    std::string sha256;       // of its file, 64 hexadecimal digits
    /// What is not as it should be, in the store and so in its copy; see doctor.hpp.
    std::uint64_t findings = 0;
    std::string first_finding;
};

/// Copies the store in `source`, as it is at one moment, compacted, into the directory `target`,
/// which is made with mode 0700 and must be empty. A hub may serve the store meanwhile; its file
/// grows by what is written before the copy is done. Everything in the copy is looked at, and the
/// file is synced, before this returns; when it throws nothing is left in `target`.
[[nodiscard]] StoreCopy copy_store(const std::filesystem::path& source,
                                   const std::filesystem::path& target);

struct Restored {
    core::Epoch epoch;  // the new one
    core::Seq head;
    std::uint64_t schema = 0;
};
/// Puts the copy in the directory `copy` in the place of the store in `options.directory`, which no
/// hub may serve. The copy must be the one that `expected` tells of. Without `replace` the
/// directory must be empty but for what an earlier hub may have left besides its store. The
/// restored store gets an epoch of its own, so that its new messages are never taken for those that
/// the original store gave the same numbers. A crash leaves the old store or the restored one.
Restored restore_store(const std::filesystem::path& copy, const StoreCopy& expected,
                       const StoreOptions& options, bool replace);

}  // namespace agentcom::store
