#pragma once

#include <filesystem>

/// What every room that makes files needs of the system. Thread-safe.
namespace agentcom::core {

/// Forces the names in the directory to disk: a file that was renamed is then found under its new
/// name whatever happens. Throws std::system_error.
void sync_directory(const std::filesystem::path& directory);

/// Gives a regular file or a directory to the owner of the directory it is in when the superuser
/// runs the program, so that what an administrator's command makes can be read by the service. Does
/// nothing otherwise, nor when it cannot.
void give_to_owner_of_directory(const std::filesystem::path& file) noexcept;

}  // namespace agentcom::core
