#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "store/postings.hpp"

/// What reads the bytes of the store: damage is found and thrown as DamagedStore, or what can be
/// read is, and nothing is ever read beyond the end.
namespace agentcom::fuzz {

/// A parser with bytes it takes as they are.
struct StoredParser {
    const char* name;
    std::vector<std::string> good;
    std::function<void(std::string_view)> parse;
};
/// Of records, of log blocks, of the rows of every table.
[[nodiscard]] const std::vector<StoredParser>& stored_parsers();
/// Calls the parser with the bytes in a buffer that ends where they end. False when it found
/// damage.
bool survives(std::string_view bytes, const StoredParser& parser);
/// Whatever bytes: the first chooses the parser.
void check_stored(std::string_view bytes);

/// Walks one list, from every kind of beginning and in both directions. False when it found damage;
/// throws Broken when it does not come to an end.
[[nodiscard]] bool walk_list(const store::Transaction& txn, store::Feed feed,
                             std::string_view owner, core::Seq seq, std::uint64_t place);
/// Lists made of whatever blocks.
void check_postings(std::string_view bytes);

}  // namespace agentcom::fuzz
