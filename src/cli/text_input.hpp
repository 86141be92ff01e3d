#pragma once

#include <string>
#include <vector>

namespace agentcom::cli {

/// What may be given as a message's text at most, in bytes; hubs take less.
inline constexpr std::size_t kMaxTextBytes = std::size_t{16} << 20;

/// The text of a message: the words of the command line, joined by blanks; else the file; else, or
/// when either is "-", standard input. One line feed at the end of a file or of standard input is
/// dropped. Throws std::runtime_error with one sentence, also when it is not UTF-8.
[[nodiscard]] std::string read_text(const std::vector<std::string>& words, const std::string& file);

}  // namespace agentcom::cli
