#include "cli/text_input.hpp"

#include <unistd.h>

#include <fstream>
#include <iostream>
#include <stdexcept>

#include "agentcom/core/utf8.hpp"
#include "cli/command.hpp"

namespace agentcom::cli {
namespace {

std::string read_stream(std::istream& stream, const std::string& what) {
    std::string text;
    std::string piece(64 * std::size_t{1024}, '\0');
    while (stream.read(piece.data(), static_cast<std::streamsize>(piece.size())) ||
           stream.gcount() > 0) {
        text.append(piece, 0, static_cast<std::size_t>(stream.gcount()));
        if (text.size() > kMaxTextBytes) {
            throw std::runtime_error(what + " is larger than 16 MiB");
        }
    }
    if (stream.bad()) {
        throw std::runtime_error("cannot read " + what);
    }
    if (text.ends_with('\n')) {
        text.pop_back();
    }
    return text;
}

}  // namespace

std::string read_text(const std::vector<std::string>& words, const std::string& file) {
    std::string text;
    const bool dash = file == "-" || (words.size() == 1 && words.front() == "-");
    if (!words.empty() && !file.empty()) {
        throw CommandError(kWrongUsage, "give the text or --file, not both");
    }
    if (dash || (words.empty() && file.empty())) {
        if (::isatty(STDIN_FILENO) != 0) {
            note("reading the text from the terminal; Ctrl+D ends it");
        }
        text = read_stream(std::cin, "standard input");
    } else if (!file.empty()) {
        std::ifstream stream(file, std::ios::binary);
        if (!stream) {
            throw std::runtime_error("cannot read the file " + file);
        }
        text = read_stream(stream, "the file " + file);
    } else {
        for (const std::string& word : words) {
            text += (text.empty() ? "" : " ") + word;
        }
    }
    if (!core::is_valid_utf8(text)) {
        throw std::runtime_error("the text is not UTF-8");
    }
    return text;
}

}  // namespace agentcom::cli
