#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "store/bytes.hpp"
#include "store/cursor.hpp"
#include "store/environment.hpp"
#include "store/keys.hpp"
#include "store/store_fixture.hpp"
#include "store/transaction.hpp"

namespace agentcom::store {

/// A store whose file can be damaged.
class DamageTest : public StoreTest {
protected:
    [[nodiscard]] std::filesystem::path file() const { return options_.directory / "data.mdb"; }

    [[nodiscard]] std::string contents() const {
        std::ifstream in(file(), std::ios::binary);
        std::ostringstream out;
        out << in.rdbuf();
        return out.str();
    }
    void put_contents(const std::string& bytes) const {
        std::ofstream(file(), std::ios::binary | std::ios::trunc) << bytes;
    }

    /// Closes the store and changes a byte of every place where the file has this text.
    void damage_text(const std::string& text) {
        store_.reset();
        std::string bytes = contents();
        std::size_t found = 0;
        for (auto at = bytes.find(text); at != std::string::npos; at = bytes.find(text, at + 1)) {
            bytes[at] = static_cast<char>(bytes[at] ^ 1);
            ++found;
        }
        ASSERT_GT(found, 0U) << text;
        put_contents(bytes);
        reopen();
    }

    /// Closes the store and changes a byte of each value of the table whose key begins with this.
    void damage_rows(MDB_dbi Tables::*table, const std::string& prefix) {
        store_.reset();
        {
            Environment env(options_.directory, options_.map_size);
            WriteTransaction txn(env);
            std::vector<std::pair<std::string, std::string>> rows;
            {
                Cursor cursor(txn, txn.tables().*table);
                bool more = prefix.empty() ? cursor.first() : cursor.at_or_after(prefix);
                for (; more && cursor.key().starts_with(prefix); more = cursor.next()) {
                    rows.emplace_back(cursor.key(), cursor.stored_value());
                }
            }
            ASSERT_FALSE(rows.empty());
            for (auto& [key, value] : rows) {
                char& byte = value[value.size() / 2];
                byte = static_cast<char>(byte ^ 0x10);
                txn.put_plain(txn.tables().*table, key, value);
            }
            std::move(txn).commit();
        }
        reopen();
    }

    /// Of every row of the closed store: its bytes as they lie in the file, and the places of some
    /// of them. LMDB writes a key and then its value, unless that has pages of its own.
    std::vector<std::pair<std::string, std::size_t>> bytes_of_rows() {
        constexpr std::size_t kOnOnePage = 2'000;
        std::vector<std::pair<std::string, std::size_t>> places;
        Environment env(options_.directory, options_.map_size);
        const ReadTransaction txn(env);
        const Tables& tables = txn.tables();
        for (const MDB_dbi table : {tables.meta, tables.log, tables.postings, tables.agents,
                                    tables.tokens, tables.tokens_by_agent, tables.channels,
                                    tables.subscriptions, tables.subscribers, tables.usage}) {
            Cursor cursor(txn, table);
            for (bool more = cursor.first(); more; more = cursor.next()) {
                const std::string key(cursor.key());
                const std::string value(cursor.stored_value());
                const bool alone = key.size() + value.size() > kOnOnePage;
                const std::string row = alone ? value : key + value;
                const std::size_t begin = alone ? 0 : key.size();
                for (const std::size_t place :
                     {begin, begin + value.size() / 3, begin + value.size() / 2, row.size() - 9,
                      row.size() - 1}) {
                    places.emplace_back(row, place);
                }
                if (!alone) places.emplace_back(row, key.size() - 1);
            }
        }
        return places;
    }

    AppendMessage marked(std::string_view from, std::string_view to, const std::string& mark) {
        return direct(from, to, "{\"mark\":\"" + mark + "\"}");
    }
    [[nodiscard]] std::uint64_t damaged() const { return store_->stats().damaged; }

    /// Submits all at once, so that they are one batch.
    std::vector<WriteResult> write_together(std::vector<WriteOp> ops) {
        std::vector<WriteResult> results(ops.size(), core::Error(core::ErrorCode::internal));
        std::vector<Submission> submissions;
        std::promise<void> all;
        std::size_t done = 0;
        for (std::size_t i = 0; i < ops.size(); ++i) {
            submissions.push_back(Submission{std::move(ops[i]),
                                             [&, i](const WriteResult& result) {
                                                 results[i] = result;
                                                 if (++done == results.size()) all.set_value();
                                             },
                                             kNoLoop});
        }
        store_->submit(std::move(submissions));
        all.get_future().wait();
        return results;
    }
};

}  // namespace agentcom::store
