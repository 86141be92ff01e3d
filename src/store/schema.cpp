#include "store/schema.hpp"

#include <spdlog/spdlog.h>

#include <string>
#include <utility>

#include "agentcom/core/token.hpp"
#include "agentcom/store/store.hpp"
#include "store/keys.hpp"
#include "store/migrations.hpp"
#include "store/transaction.hpp"

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

OpenedSchema read(WriteTransaction& txn, std::string_view version_row) {
    const std::uint64_t version = parse_number(version_row);
    if (version == 0) throw DamagedStore("its schema version is 0");
    if (version > kSchemaVersion) {
        throw StoreError("the store was written by a newer version of this program (schema " +
                         std::to_string(version) + ", this one knows " +
                         std::to_string(kSchemaVersion) +
                         "); run that version or use another data directory");
    }
    const auto epoch = txn.get(txn.tables().meta, kMetaEpoch);
    const bool complete = epoch && txn.get(txn.tables().meta, kMetaState);
    if (!complete) throw DamagedStore("the table of the store's own numbers is incomplete");
    const Epochs epochs = Epochs::parse(*epoch, txn.get(txn.tables().meta, kMetaEarlierEpochs));
    if (version < kSchemaVersion) {
        spdlog::info("bringing the store from schema {} to {}", version, kSchemaVersion);
        migrate(txn, version);
    }
    const auto state = txn.get(txn.tables().meta, kMetaState);
    OpenedSchema opened{epochs, StateRow::parse(*state)};
    if (version < kSchemaVersion) std::move(txn).commit();
    return opened;
}

}  // namespace

void write_epochs(WriteTransaction& txn, const Epochs& epochs) {
    txn.put(txn.tables().meta, kMetaEpoch, encode_number(epochs.newest().value));
    if (const std::string earlier = epochs.encode_earlier(); !earlier.empty()) {
        txn.put(txn.tables().meta, kMetaEarlierEpochs, earlier);
    }
}

OpenedSchema open_schema(Environment& env) {
    try {
        WriteTransaction txn(env);
        const auto version = txn.get(txn.tables().meta, kMetaSchema);
        return version ? read(txn, *version) : create(txn);
    } catch (const LmdbError& error) {
        throw StoreError(std::string("the store cannot be opened: ") + error.what());
    } catch (const DamagedStore& error) {
        throw StoreError(std::string("the store is damaged: ") + error.what());
    }
}

}  // namespace agentcom::store
