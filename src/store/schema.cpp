#include "store/schema.hpp"

#include <string>
#include <utility>

#include "agentcom/core/token.hpp"
#include "agentcom/store/store.hpp"
#include "store/keys.hpp"
#include "store/transaction.hpp"
#include "store/upgrade.hpp"

namespace agentcom::store {
namespace {

OpenedSchema create(WriteTransaction& txn) {
    // A store that holds anything had a version, and must not be taken for a new one.
    const Tables& tables = txn.tables();
    for (const MDB_dbi table : {tables.meta, tables.log, tables.kept, tables.agents, tables.tokens,
                                tables.channels, tables.settings}) {
        if (txn.entries(table) > 0) {
            throw DamagedStore("the table of the store's own numbers is incomplete");
        }
    }
    OpenedSchema made{core::Epoch{core::random_u64()}, StateRow{}};
    const MDB_dbi meta = txn.tables().meta;
    txn.put_plain(meta, kMetaSchema, encode_number(kSchemaVersion));
    write_epochs(txn, made.epochs);
    txn.put(meta, kMetaState, made.state.encode());
    std::move(txn).commit();
    return made;
}

/// Refuses what cannot be opened. The version.
std::uint64_t check_version(const Transaction& txn, std::string_view version_row) {
    const std::uint64_t version = parse_number(version_row);
    if (version == 0) throw DamagedStore("its schema version is 0");
    if (version > kSchemaVersion) {
        throw StoreError("the store was written by a newer version of this program (schema " +
                         std::to_string(version) + ", this one knows " +
                         std::to_string(kSchemaVersion) +
                         "); run that version or use another data directory");
    }
    if (!txn.get(txn.tables().meta, kMetaEpoch) || !txn.get(txn.tables().meta, kMetaState)) {
        throw DamagedStore("the table of the store's own numbers is incomplete");
    }
    return version;
}

OpenedSchema read(const Transaction& txn) {
    const MDB_dbi meta = txn.tables().meta;
    const auto earlier = txn.get(meta, kMetaEarlierEpochs);
    return {Epochs::parse(txn.get(meta, kMetaEpoch).value(), earlier),
            StateRow::parse(txn.get(meta, kMetaState).value())};
}

}  // namespace

void write_epochs(WriteTransaction& txn, const Epochs& epochs) {
    txn.put(txn.tables().meta, kMetaEpoch, encode_number(epochs.newest().value));
    if (const std::string earlier = epochs.encode_earlier(); !earlier.empty()) {
        txn.put(txn.tables().meta, kMetaEarlierEpochs, earlier);
    }
}

OpenedSchema open_schema(Environment& env, const std::optional<UpgradeCopy>& copy) {
    try {
        std::uint64_t version = 0;
        {
            WriteTransaction txn(env);
            const auto row = txn.get(txn.tables().meta, kMetaSchema);
            if (!row) return create(txn);
            version = check_version(txn, *row);
        }
        if (version < kSchemaVersion) upgrade(env, version, upgrade_steps(), copy);
        const ReadTransaction txn(env);
        return read(txn);
    } catch (const LmdbError& error) {
        throw StoreError(std::string("the store cannot be opened: ") + error.what());
    } catch (const DamagedStore& error) {
        throw StoreError(std::string("the store is damaged: ") + error.what());
    }
}

}  // namespace agentcom::store
