#include "agentcom/store/doctor.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "agentcom/store/opening.hpp"
#include "store/cursor.hpp"
#include "store/environment.hpp"
#include "store/examiner.hpp"
#include "store/keys.hpp"
#include "store/replay.hpp"
#include "store/schema.hpp"
#include "store/transaction.hpp"

namespace agentcom::store {
namespace {

/// A round may find what an earlier one could not yet see, a counter of what it removed for
/// instance.
constexpr int kMaxRounds = 5;

/// Only that every value can be fetched: what an older schema means, its migration knows.
Examination read_through(const Transaction& txn) {
    Examination found;
    const auto version = txn.get(txn.tables().meta, kMetaSchema);
    const auto epoch = txn.get(txn.tables().meta, kMetaEpoch);
    const auto state = txn.get(txn.tables().meta, kMetaState);
    if (!version || !epoch || !state) throw DamagedStore("it lacks its own numbers");
    found.schema = parse_number(*version);
    found.epoch = core::Epoch{parse_number(*epoch)};
    found.head = StateRow::parse(*state).head;
    MDB_dbi names = 0;
    check(mdb_dbi_open(txn.handle(), nullptr, 0, &names), "open the list of tables");
    Cursor tables(txn, names);
    for (bool more = tables.first(); more; more = tables.next()) {
        MDB_dbi table = 0;
        check(mdb_dbi_open(txn.handle(), std::string(tables.key()).c_str(), 0, &table),
              "open a table");
        Cursor rows(txn, table);
        for (bool any = rows.first(); any; any = rows.next()) ++found.rows;
    }
    return found;
}

Examination look(Environment& env) {
    const ReadTransaction txn(env);
    if (const auto version = txn.get(txn.tables().meta, kMetaSchema)) {
        const std::uint64_t schema = parse_number(*version);
        if (schema > kSchemaVersion) {
            throw StoreError("the store was written by a newer version of this program (schema " +
                             std::to_string(schema) + ")");
        }
        if (schema < kSchemaVersion || !env.has_all_tables()) return read_through(txn);
    }
    Examiner examiner(txn);
    examiner.look();
    return examiner.found();
}

Examination look_at(const std::filesystem::path& directory, ReadOnly how) {
    if (!holds_store(directory)) {
        throw StoreError("there is no store in " + directory.string());
    }
    Environment env(directory, how);
    try {
        return look(env);
    } catch (const LmdbError& error) {
        throw StoreError("the store in " + directory.string() + " cannot be read: " + error.what());
    } catch (const DamagedStore& error) {
        throw StoreError("the store in " + directory.string() + " is damaged: " + error.what());
    }
}

void bring_up_to_date(Environment& env, const StoreOptions& options) {
    try {
        (void)open_schema(env, UpgradeCopy{options.directory, core::SystemClock().now(),
                                           options.on_upgrade_copy});
    } catch (const StoreError&) {
        // Its own numbers may be what has to be repaired; another schema is not ours to touch.
        const ReadTransaction txn(env);
        const auto version = txn.get(txn.tables().meta, kMetaSchema);
        if (!version || parse_number(*version) != kSchemaVersion) throw;
    }
}

/// Returns what was found, and makes the changes.
Examination repair_once(Environment& env, std::size_t& changes) {
    std::vector<Examiner::Fix> fixes;
    Examination found;
    {
        const ReadTransaction txn(env);
        Examiner look(txn);
        look.look();
        found = look.found();
        fixes = look.fixes();
    }
    changes = fixes.size();
    if (fixes.empty()) return found;
    WriteTransaction txn(env);
    for (const Examiner::Fix& fix : fixes) fix(txn);
    std::move(txn).commit();
    return found;
}

}  // namespace

Examination examine(const std::filesystem::path& directory) {
    settle(directory);
    return look_at(directory, ReadOnly::beside_a_hub);
}

Examination examine_copy(const std::filesystem::path& directory) {
    return look_at(directory, ReadOnly::alone);
}

Repair examine_and_repair(const StoreOptions& options) {
    if (!holds_store(options.directory)) {
        throw StoreError("there is no store in " + options.directory.string());
    }
    settle(options.directory);
    Environment env(options.directory, options.map_size);
    try {
        bring_up_to_date(env, options);
        Repair repair;
        std::uint64_t before = 0;
        for (int round = 0; round < kMaxRounds; ++round) {
            std::size_t changes = 0;
            repair.after = repair_once(env, changes);
            if (round == 0) before = repair.after.total;
            if (changes == 0) break;
        }
        repair.repaired = before - std::min(before, repair.after.total);
        return repair;
    } catch (const LmdbError& error) {
        throw StoreError("the store in " + options.directory.string() +
                         " cannot be repaired: " + error.what());
    } catch (const DamagedStore& error) {
        throw StoreError("the store in " + options.directory.string() +
                         " cannot be repaired: " + error.what());
    }
}

}  // namespace agentcom::store
