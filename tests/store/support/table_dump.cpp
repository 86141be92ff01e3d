#include "store/support/table_dump.hpp"

#include <vector>

#include "store/checksum.hpp"
#include "store/cursor.hpp"
#include "store/keys.hpp"
#include "store/message_log.hpp"
#include "store/postings.hpp"
#include "store/transaction.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::store {
namespace {

constexpr MDB_dbi kNames = 1;  // LMDB's table of tables

std::string named(std::string_view table, std::string_view key) {
    return std::string(table) + ' ' + to_hex(key);
}

std::string from_hex(std::string_view digits) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
        bytes.push_back(
            static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16)));
    }
    return bytes;
}

}  // namespace

TableDump dump_tables(Environment& env) {
    TableDump all;
    const ReadTransaction txn(env);
    std::vector<std::string> names;
    {
        Cursor cursor(txn, kNames);
        for (bool more = cursor.first(); more; more = cursor.next()) {
            names.emplace_back(cursor.key());
        }
    }
    for (const std::string& name : names) {
        MDB_dbi table = 0;
        check(mdb_dbi_open(txn.handle(), name.c_str(), 0, &table), "open a table");
        Cursor cursor(txn, table);
        for (bool more = cursor.first(); more; more = cursor.next()) {
            all[named(name, cursor.key())] = cursor.stored_value();
        }
    }
    return all;
}

TableDump dump_file(const std::filesystem::path& data_file) {
    const test::TempDir copy;
    std::filesystem::copy_file(data_file, copy.path() / kDataFile);
    Environment env(copy.path(), ReadOnly::alone);
    return dump_tables(env);
}

TableDump without_blocks(const TableDump& dump) {
    TableDump all;
    for (const auto& [name, value] : dump) {
        const std::size_t space = name.find(' ');
        const std::string table = name.substr(0, space);
        const std::string key = from_hex(name.substr(space + 1));
        if (table == "log") {
            const BlockView block(core::Seq{read_be64(key)}, value);
            for (core::Seq seq = block.first(); seq <= block.last(); seq = seq.next()) {
                all[named(table, be64_key(seq.value))] = block.stored_record(seq);
            }
        } else if (table == "postings") {
            const std::string list = key.substr(0, key.size() - sizeof(std::uint64_t));
            std::uint64_t place = read_be64(key.substr(list.size()));
            ByteReader entries(unseal(table_seed(table), key, value).substr(1));
            for (; !entries.empty(); ++place) {
                const auto entry = entries.fixed<Entry>();
                if (list.front() != static_cast<char>(Feed::channel)) place = seq_of(entry).value;
                all[named(table, list + be64_key(place))] = be64_key(entry);
            }
        } else {
            all[name] = value;
        }
    }
    return all;
}

std::string difference(const TableDump& expected, const TableDump& found) {
    for (const auto& [name, value] : expected) {
        const auto other = found.find(name);
        if (other == found.end()) return "missing: " + name;
        if (other->second != value) {
            return name + " is " + to_hex(other->second) + " and should be " + to_hex(value);
        }
    }
    for (const auto& [name, value] : found) {
        if (!expected.contains(name)) return "too much: " + name;
    }
    return {};
}

}  // namespace agentcom::store
