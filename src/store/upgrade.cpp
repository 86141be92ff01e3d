#include "store/upgrade.hpp"

#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <string>
#include <system_error>
#include <vector>

#include "agentcom/core/files.hpp"
#include "store/copy.hpp"
#include "store/keys.hpp"
#include "store/rows.hpp"
#include "store/transaction.hpp"

namespace agentcom::store {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUnfinished = ".making";

std::string prefix_of(std::uint64_t version) { return "backup-v" + std::to_string(version) + '-'; }

/// By which a copy of this very state of the store is known: the number of its last transaction.
std::string suffix_of(const Environment& env) {
    return '-' + std::to_string(env.size().last_transaction);
}

/// What differs between stores that were copied from each other and have gone on since.
std::string moment_of(Environment& env) {
    const ReadTransaction txn(env);
    std::string rows(txn.get(txn.tables().meta, kMetaEpoch).value_or(""));
    return rows += txn.get(txn.tables().meta, kMetaState).value_or("");
}

/// Whether there is a copy already, of an attempt that was cut short: a hub that is started again
/// and again must not fill the disk with them.
bool is_copied(Environment& env, const fs::path& directory, std::uint64_t version) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(directory, error)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with(prefix_of(version)) || !name.ends_with(suffix_of(env))) continue;
        try {
            Environment copy(entry.path(), ReadOnly::alone);
            if (moment_of(copy) == moment_of(env)) return true;
        } catch (const std::runtime_error&) {
            // Then it is none.
        }
    }
    return false;
}

void remove_unfinished(const fs::path& directory) {
    std::error_code error;
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(directory, error)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with("backup-v") && name.ends_with(kUnfinished)) {
            found.push_back(entry.path());
        }
    }
    for (const fs::path& path : found) fs::remove_all(path, error);
}

void require_room(const Environment& env, const UpgradeCopy& wanted) {
    constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
    const std::uint64_t needed = env.size().used();
    const std::uint64_t free = wanted.room(wanted.directory);
    if (free >= needed) return;
    throw StoreError("the store in " + wanted.directory.string() +
                     " is of an older schema, and there is no room for the copy that is made "
                     "before it is brought up to date: it takes up to " +
                     std::to_string(needed / kMiB + 1) + " MiB, and " +
                     std::to_string(free / kMiB) + " MiB are free");
}

void make_copy(Environment& env, std::uint64_t version, const UpgradeCopy& wanted) {
    remove_unfinished(wanted.directory);
    if (is_copied(env, wanted.directory, version)) return;
    require_room(env, wanted);
    const fs::path target =
        wanted.directory / (prefix_of(version) + time_in_names(wanted.now) + suffix_of(env));
    fs::path unfinished = target;
    unfinished += kUnfinished;
    try {
        fs::create_directory(unfinished);
        ::chmod(unfinished.c_str(), 0700);
        core::give_to_owner_of_directory(unfinished);
        copy_data(env, unfinished / kDataFile);
        const StoreCopy made = verify_copy(unfinished);
        if (wanted.on_copy) wanted.on_copy(unfinished, made);
        core::sync_directory(unfinished);
        fs::rename(unfinished, target);
        core::sync_directory(wanted.directory);
    } catch (const std::exception& error) {
        std::error_code ignored;
        fs::remove_all(unfinished, ignored);
        throw StoreError(
            "the store is of an older schema, and the copy that is made before it is "
            "brought up to date fails: " +
            std::string(error.what()));
    }
    spdlog::info("a copy of the store as it was is in {}", target.string());
}

}  // namespace

std::uint64_t free_bytes(const fs::path& directory) {
    struct statvfs disk {};
    if (::statvfs(directory.c_str(), &disk) != 0) {
        throw StoreError("the free room in " + directory.string() +
                         " is unknown: " + std::generic_category().message(errno));
    }
    return std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

std::string time_in_names(core::Timestamp time) {
    const auto seconds = static_cast<std::time_t>(time.ms / 1'000);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts)};
}

void upgrade(Environment& env, std::uint64_t version, std::span<const UpgradeStep> steps,
             const std::optional<UpgradeCopy>& copy) {
    const std::uint64_t last = steps.back().from + 1;
    spdlog::info("bringing the store from schema {} to {}", version, last);
    bool begun = false;
    {
        const ReadTransaction txn(env);
        begun = txn.get(txn.tables().meta, kMetaUpgrade).has_value();
    }
    // Of one that goes on there is a copy from before its first step.
    if (copy && !begun) make_copy(env, version, *copy);
    const std::string from = encode_number(version);
    for (const UpgradeStep& step : steps) {
        if (step.from < version) continue;
        WriteTransaction txn(env);
        step.run(txn);
        txn.put_plain(txn.tables().meta, kMetaSchema, encode_number(step.from + 1));
        if (step.from + 1 == last) {
            (void)txn.erase(txn.tables().meta, kMetaUpgrade);
        } else if (!begun) {
            txn.put(txn.tables().meta, kMetaUpgrade, from);
            begun = true;
        }
        std::move(txn).commit();
    }
    env.sync();  // commits do not wait for the disk where that is how the store is kept
}

}  // namespace agentcom::store
