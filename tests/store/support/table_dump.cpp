#include "store/support/table_dump.hpp"

#include <vector>

#include "store/cursor.hpp"
#include "store/transaction.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::store {
namespace {

constexpr MDB_dbi kNames = 1;  // LMDB's table of tables

std::string named(std::string_view table, std::string_view key) {
    return std::string(table) + ' ' + to_hex(key);
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
