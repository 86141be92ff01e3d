#include "agentcom/store/backup.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "agentcom/core/files.hpp"
#include "agentcom/store/doctor.hpp"
#include "agentcom/store/opening.hpp"
#include "store/copy.hpp"
#include "store/environment.hpp"
#include "store/keys.hpp"
#include "store/replay.hpp"
#include "store/schema.hpp"
#include "store/sha256.hpp"
#include "store/transaction.hpp"

namespace agentcom::store {
namespace {

namespace fs = std::filesystem;

/// Where a copy is made ready before it takes the place of the store.
constexpr const char* kRestoring = "restoring";
/// What a data directory may have besides a store.
constexpr std::array<std::string_view, 9> kOfAnEarlierHub{
    "agentcom.lock", "agentcom.run",     "lock.mdb",        "admin_token",    kRestoring,
    kMaking,         "agentcom.run.new", "admin_token.new", kJournalDirectory};

[[noreturn]] void fail(const std::string& what, const fs::path& path, int error = errno) {
    throw StoreError(what + ' ' + path.string() + ": " + std::system_category().message(error));
}

/// Does the work; whatever it cannot do becomes a StoreError.
template <class Work>
auto in_a_sentence(Work&& work) {
    try {
        return std::forward<Work>(work)();
    } catch (const StoreError&) {
        throw;
    } catch (const LmdbError& error) {
        throw StoreError(std::string("the restored store cannot be written: ") + error.what());
    } catch (const std::runtime_error& error) {
        throw StoreError(error.what());
    }
}

/// Removes the directory when it goes.
struct Removal {
    fs::path directory;
    ~Removal() {
        std::error_code ignored;
        fs::remove_all(directory, ignored);
    }
};

/// An open file, closed when it goes.
class File {
public:
    File(const fs::path& path, int flags) : path_(path) {
        descriptor_ = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
        if (descriptor_ < 0) fail("cannot open", path);
    }
    ~File() { ::close(descriptor_); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
    [[nodiscard]] std::size_t read(std::vector<char>& into) const {
        for (;;) {
            const ssize_t got = ::read(descriptor_, into.data(), into.size());
            if (got >= 0) return static_cast<std::size_t>(got);
            if (errno != EINTR) fail("cannot read", path_);
        }
    }
    void write(std::string_view bytes) const {
        while (!bytes.empty()) {
            const ssize_t done = ::write(descriptor_, bytes.data(), bytes.size());
            if (done < 0 && errno == EINTR) continue;
            if (done <= 0) fail("cannot write", path_, done < 0 ? errno : ENOSPC);
            bytes.remove_prefix(static_cast<std::size_t>(done));
        }
    }
    void sync() const {
        if (::fsync(descriptor_) != 0) fail("cannot sync", path_);
    }

private:
    fs::path path_;
    int descriptor_ = -1;
};

struct Sum {
    std::uint64_t bytes = 0;
    std::string sha256;
};

/// Reads the file to its end; what was read goes to `also`, too.
template <class Also>
Sum read_through(const fs::path& path, Also also) {
    constexpr std::size_t kPiece = std::size_t{1} << 20;
    const File file(path, O_RDONLY);
    std::vector<char> buffer(kPiece);
    Sum sum;
    Sha256 digest;
    while (const std::size_t got = file.read(buffer)) {
        const std::string_view piece(buffer.data(), got);
        digest.add(piece);
        also(piece);
        sum.bytes += got;
    }
    sum.sha256 = digest.hex();
    return sum;
}

void make_private_directory(const fs::path& directory) {
    std::error_code error;
    const bool made = fs::create_directories(directory, error);
    if (error) {
        throw StoreError("cannot make the directory " + directory.string() + ": " +
                         error.message());
    }
    if (made) ::chmod(directory.c_str(), 0700);
}

void require_place(const fs::path& directory, bool replace) {
    if (replace) return;
    if (holds_store(directory)) {
        throw StoreError("there is a store in " + directory.string() +
                         " already; --force puts the restored one in its place");
    }
    for (const auto& entry : fs::directory_iterator(directory)) {
        if (std::ranges::find(kOfAnEarlierHub, entry.path().filename().string()) ==
            kOfAnEarlierHub.end()) {
            throw StoreError("the directory " + directory.string() +
                             " is not empty; name another, or use --force");
        }
    }
}

void fetch(const fs::path& copy, const StoreCopy& expected, const fs::path& into) {
    const fs::path file = into / kDataFile;
    const File out(file, O_WRONLY | O_CREAT | O_EXCL);
    const Sum sum =
        read_through(copy / kDataFile, [&](std::string_view piece) { out.write(piece); });
    if (sum.bytes != expected.bytes || sum.sha256 != expected.sha256) {
        throw StoreError("the copy in " + copy.string() +
                         " is not the one its manifest tells of: it is damaged or was changed");
    }
    out.sync();
}

Restored make_ready(const fs::path& directory, const StoreCopy& expected, std::size_t map_size) {
    constexpr std::size_t kRoomToMigrate = std::size_t{64} << 20;
    Environment env(directory, std::max(map_size, 2 * expected.bytes + kRoomToMigrate));
    OpenedSchema schema = open_schema(env);
    if (schema.epochs.newest() != expected.epoch || schema.state.head != expected.head) {
        throw StoreError("the copy has another epoch or head than its manifest says");
    }
    schema.epochs.begin_another(schema.state.head);
    WriteTransaction txn(env);
    write_epochs(txn, schema.epochs);
    std::move(txn).commit();
    return Restored{schema.epochs.newest(), schema.state.head, kSchemaVersion};
}

/// 0: it is not there.
ino_t inode_of(const fs::path& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

StoreCopy copy_from(const fs::path& source, const fs::path& target) {
    if (!holds_store(source)) throw StoreError("there is no store in " + source.string());
    make_private_directory(target);
    if (!fs::is_empty(target)) {
        throw StoreError("the directory " + target.string() + " is not empty");
    }
    settle(source);
    const fs::path file = target / kDataFile;
    try {
        const Environment env(source, ReadOnly::beside_a_hub);
        // Its place is in the table of readers; a hub that starts without having closed its store
        // makes another one, and writes over what is copied.
        const fs::path readers = source / "lock.mdb";
        const ino_t known = inode_of(readers);
        copy_data(env, file);
        if (inode_of(readers) != known) {
            throw StoreError("the hub was started again while its store was copied; try again");
        }
        StoreCopy made = verify_copy(target);
        core::sync_directory(target);
        return made;
    } catch (...) {
        ::unlink(file.c_str());
        throw;
    }
}

Restored restore(const fs::path& copy, const StoreCopy& expected, const StoreOptions& options,
                 bool replace) {
    const fs::path& directory = options.directory;
    // Before anything is copied, which takes its time and room.
    if (expected.schema > kSchemaVersion) {
        throw StoreError("the copy in " + copy.string() +
                         " was written by a newer version of this program (schema " +
                         std::to_string(expected.schema) + ", this one knows " +
                         std::to_string(kSchemaVersion) + "); restore it with that version");
    }
    if (!holds_store(copy)) throw StoreError("there is no copy of a store in " + copy.string());
    std::error_code different;
    if (fs::equivalent(copy, directory, different)) {
        throw StoreError("the copy lies in the data directory itself; move it elsewhere first");
    }
    if (fs::exists(directory)) require_place(directory, replace);
    try {
        // A cut between the two steps below leaves the old store without its journal: all of it is
        // in its file then.
        settle(directory);
    } catch (const std::runtime_error&) {
        // There is nothing left of it that a cut could take.
    }
    const DirectoryLock lock(directory, kLockWait);
    require_place(directory, replace);
    const fs::path ready = directory / kRestoring;
    const Removal removal{ready};
    fs::remove_all(ready);
    make_private_directory(ready);
    fetch(copy, expected, ready);
    const Restored restored = make_ready(ready, expected, options.map_size);
    // LMDB's table of readers is that of the old store.
    fs::remove(directory / "lock.mdb");
    // What it has belongs to the old store, and must not be applied to the new one. It goes as a
    // whole, since a part of it would be taken for damage.
    if (fs::exists(directory / kJournalDirectory)) {
        fs::rename(directory / kJournalDirectory, ready / kJournalDirectory);
        core::sync_directory(directory);
    }
    fs::rename(ready / kDataFile, directory / kDataFile);
    core::give_to_owner_of_directory(directory / kDataFile);
    core::sync_directory(directory);
    return restored;
}

}  // namespace

void copy_data(const Environment& env, const fs::path& file) {
    const File out(file, O_RDWR | O_CREAT | O_EXCL);
    int code = mdb_env_copyfd2(env.handle(), out.descriptor(), MDB_CP_COMPACT);
    if (code == MDB_INCOMPATIBLE) {
        // Pages that nobody refers to keep LMDB from compacting; then as it is.
        if (::ftruncate(out.descriptor(), 0) != 0 || ::lseek(out.descriptor(), 0, SEEK_SET) != 0) {
            fail("cannot write", file);
        }
        code = mdb_env_copyfd2(env.handle(), out.descriptor(), 0);
        if (code == MDB_SUCCESS) write_stamp(out.descriptor(), StoreStamp{});
    }
    if (code != MDB_SUCCESS) {
        throw StoreError("the store cannot be copied to " + file.string() + ": " +
                         mdb_strerror(code));
    }
    out.sync();
    core::give_to_owner_of_directory(file);
}

StoreCopy verify_copy(const fs::path& directory) {
    const Examination found = examine_copy(directory);
    Sum sum = read_through(directory / kDataFile, [](std::string_view) {});
    return StoreCopy{found.schema,
                     found.epoch,
                     found.head,
                     sum.bytes,
                     std::move(sum.sha256),
                     found.total,
                     found.findings.empty() ? "" : found.findings.front().text};
}

StoreCopy copy_store(const fs::path& source, const fs::path& target) {
    return in_a_sentence([&] { return copy_from(source, target); });
}

Restored restore_store(const fs::path& copy, const StoreCopy& expected, const StoreOptions& options,
                       bool replace) {
    return in_a_sentence([&] { return restore(copy, expected, options, replace); });
}

}  // namespace agentcom::store
