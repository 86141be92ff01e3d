#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "store/environment.hpp"

namespace agentcom::store {

/// Everything that the tables of a store hold, whichever tables there are: their names and keys,
/// and the values with their checksums.
using TableDump = std::map<std::string, std::string>;
[[nodiscard]] TableDump dump_tables(Environment& env);
/// The same of a store that nobody has open, as its file says, whatever its journal has.
[[nodiscard]] TableDump dump_file(const std::filesystem::path& data_file);

/// The first difference in words; empty: there is none.
[[nodiscard]] std::string difference(const TableDump& expected, const TableDump& found);

}  // namespace agentcom::store
