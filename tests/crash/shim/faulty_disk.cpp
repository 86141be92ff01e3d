// A disk below LMDB that forgets, preloaded into the daemon (LD_PRELOAD). It lets every write
// through to the page cache, where the mapping sees it, and keeps the bytes that stood there since
// the last sync. When "power is cut" it writes down which of these are to be put back (an arbitrary
// subset of the sectors, sizes and names that were not synced) and kills the process; the test then
// puts them back. It can also fail, be full, or hang.
//
// What counts as synced: a file's bytes and size after fsync or fdatasync of it; what was written
// through a descriptor with O_DSYNC; the making of a file after a sync of it or of its directory; a
// rename after a sync of the directory.

#include "crash/shim/faulty_disk.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace agentcom::test {
namespace {

constexpr std::time_t kLongHang = 3'600;  // seconds, after which it looks again
constexpr std::uint64_t kSector = 512;    // what a disk writes as a whole
constexpr std::size_t kMaxDescriptors = 65'536;

template <class Function>
Function* real(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

/// The libc's own functions.
struct Libc {
    int (*open)(const char*, int, ...) = real<int(const char*, int, ...)>("open");
    int (*openat)(int, const char*, int, ...) = real<int(int, const char*, int, ...)>("openat");
    int (*close)(int) = real<int(int)>("close");
    ssize_t (*write)(int, const void*, size_t) = real<ssize_t(int, const void*, size_t)>("write");
    ssize_t (*pwrite)(int, const void*, size_t,
                      off_t) = real<ssize_t(int, const void*, size_t, off_t)>("pwrite");
    ssize_t (*writev)(int, const iovec*, int) = real<ssize_t(int, const iovec*, int)>("writev");
    ssize_t (*pwritev)(int, const iovec*, int,
                       off_t) = real<ssize_t(int, const iovec*, int, off_t)>("pwritev");
    int (*fsync)(int) = real<int(int)>("fsync");
    int (*fdatasync)(int) = real<int(int)>("fdatasync");
    int (*ftruncate)(int, off_t) = real<int(int, off_t)>("ftruncate");
    int (*rename)(const char*, const char*) = real<int(const char*, const char*)>("rename");
};

const Libc& libc() {
    static const Libc kLibc;
    return kLibc;
}

/// What a file held at the last sync where it differs from what it holds now.
struct File {
    std::string path;
    std::uint64_t synced_size = 0;
    bool made = false;  // and that is not synced
    // For each sector that was written since: what stood there before each of the writes.
    std::map<std::uint64_t, std::vector<std::string>> sectors;
};

struct Descriptor {
    std::shared_ptr<File> file;  // null: of no concern
    bool is_directory = false;
    bool durable = false;  // O_DSYNC or O_SYNC
};

/// A rename that is not synced: what stood under the new name.
struct Rename {
    std::string from;
    std::string to;
    std::optional<std::string> replaced;
};

std::uint64_t size_of(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

std::optional<std::string> content_of(const std::string& path) {
    const int fd = libc().open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return std::nullopt;
    std::string content(size_of(fd), '\0');
    const ssize_t got = ::pread(fd, content.data(), content.size(), 0);
    libc().close(fd);
    content.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return content;
}

class Disk {
public:
    static Disk& get() {
        static Disk* const kDisk = new Disk;  // outlives everything that may still write
        return *kDisk;
    }

    /// Whether descriptors are worth looking up at all.
    [[nodiscard]] bool watches(int fd) const noexcept {
        return fd >= 0 && static_cast<std::size_t>(fd) < kMaxDescriptors &&
               watched_[static_cast<std::size_t>(fd)].load(std::memory_order_acquire);
    }
    void opened(int fd, const char* path, int flags, bool existed);
    void closed(int fd);
    [[nodiscard]] bool concerns(const char* path) const {
        return control_ != nullptr && std::string_view(path).starts_with(directory_);
    }

    ssize_t write(int fd, std::uint64_t offset, const iovec* parts, int count);
    int sync(int fd, int (*really)(int));
    int truncate(int fd, off_t size);
    int rename(const char* from, const char* to);

private:
    Disk();

    enum class Event : std::uint8_t { sync, other };
    /// Waits while the disk hangs, counts the event.
    void begin_event(Event event);
    [[nodiscard]] bool is_cut() const { return control_->events == control_->cut_at; }
    [[noreturn]] void cut_power();
    void keep(File& file, int fd, std::uint64_t offset, std::uint64_t bytes);
    static bool use_up(std::atomic<std::uint64_t>& counter);

    std::string directory_;
    std::string undo_path_;
    FaultyDisk* control_ = nullptr;
    std::array<std::atomic<bool>, kMaxDescriptors> watched_{};
    std::mutex mutex_;
    std::map<int, Descriptor> descriptors_;
    std::map<std::pair<dev_t, ino_t>, std::shared_ptr<File>> files_;
    std::vector<Rename> renames_;
};

Disk::Disk() {
    const char* directory = std::getenv(kDiskDirectory);
    const char* control = std::getenv(kDiskControl);
    const char* undo = std::getenv(kDiskUndo);
    if (directory == nullptr || control == nullptr || undo == nullptr) return;
    directory_ = directory;
    undo_path_ = undo;
    const int fd = libc().open(control, O_RDWR | O_CLOEXEC);
    if (fd < 0) ::abort();
    void* mapped = ::mmap(nullptr, sizeof(FaultyDisk), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    libc().close(fd);
    if (mapped == MAP_FAILED) ::abort();
    control_ = static_cast<FaultyDisk*>(mapped);
}

void Disk::opened(int fd, const char* path, int flags, bool existed) {
    if (fd < 0 || static_cast<std::size_t>(fd) >= kMaxDescriptors || !concerns(path)) return;
    const std::string_view name(path);
    // What locks hold means nothing to the next process.
    if (name.ends_with("lock.mdb") || name.ends_with(".lock")) return;
    struct stat status {};
    if (::fstat(fd, &status) != 0) return;
    const std::lock_guard lock(mutex_);
    Descriptor descriptor;
    descriptor.is_directory = S_ISDIR(status.st_mode);
    descriptor.durable = (flags & (O_DSYNC | O_SYNC)) != 0;
    if (!descriptor.is_directory) {
        auto& file = files_[{status.st_dev, status.st_ino}];
        if (file == nullptr || !existed) {
            file = std::make_shared<File>();
            file->synced_size = static_cast<std::uint64_t>(status.st_size);
            file->made = !existed;
        }
        file->path = path;
        descriptor.file = file;
    }
    descriptors_[fd] = std::move(descriptor);
    watched_[static_cast<std::size_t>(fd)].store(true, std::memory_order_release);
}

void Disk::closed(int fd) {
    const std::lock_guard lock(mutex_);
    watched_[static_cast<std::size_t>(fd)].store(false, std::memory_order_release);
    descriptors_.erase(fd);
}

bool Disk::use_up(std::atomic<std::uint64_t>& counter) {
    const std::uint64_t left = counter.load();
    if (left != 0 && left != UINT64_MAX) counter.store(left - 1);
    return left != 0;
}

void Disk::begin_event(Event event) {
    const auto is_held_up = [event](std::uint32_t hang) {
        return hang == kHangs || (hang == kHangsInSyncs && event == Event::sync);
    };
    if (is_held_up(control_->hang.get())) {
        control_->waiting.add(1);
        for (auto hang = control_->hang.get(); is_held_up(hang); hang = control_->hang.get()) {
            control_->hang.wait_for_change(hang, kLongHang);
        }
        control_->waiting.add(-1);
    }
    mutex_.lock();
    ++control_->events;
}

void Disk::keep(File& file, int fd, std::uint64_t offset, std::uint64_t bytes) {
    const std::uint64_t size = size_of(fd);
    // A descriptor for writing only cannot be read from, but the file can.
    const int reader = libc().open(file.path.c_str(), O_RDONLY | O_CLOEXEC);
    for (std::uint64_t sector = offset / kSector; sector * kSector < offset + bytes; ++sector) {
        std::string before(kSector, '\0');
        if (sector * kSector < size) {
            (void)!::pread(reader, before.data(), kSector, static_cast<off_t>(sector * kSector));
        }
        file.sectors[sector].push_back(std::move(before));
    }
    libc().close(reader);
}

ssize_t Disk::write(int fd, std::uint64_t offset, const iovec* parts, int count) {
    begin_event(Event::other);
    const std::unique_lock lock(mutex_, std::adopt_lock);
    ++control_->writes;
    const Descriptor descriptor = descriptors_[fd];
    std::string bytes;
    for (int i = 0; i < count; ++i) {
        bytes.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
    }
    constexpr std::uint64_t kFirstPages = 2 * 4'096;
    const bool is_first = offset < kFirstPages && descriptor.file->path.ends_with("/data.mdb");
    if (is_first && use_up(control_->fail_first)) {
        errno = EIO;
        return -1;
    }
    // What is written over in place takes no room, so no full disk refuses it.
    const bool takes_room = offset + bytes.size() > size_of(fd);
    if ((takes_room || control_->write_error != ENOSPC) && use_up(control_->fail_writes)) {
        errno = control_->write_error;
        if (errno != 0 || bytes.size() < 2) return -1;
        bytes.resize(bytes.size() / 2);
    }
    keep(*descriptor.file, fd, offset, bytes.size());
    const ssize_t written =
        libc().pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (is_cut()) cut_power();
    if (descriptor.durable && written > 0) {
        const std::uint64_t end = offset + static_cast<std::uint64_t>(written);
        for (std::uint64_t sector = offset / kSector; sector * kSector < end; ++sector) {
            descriptor.file->sectors.erase(sector);
        }
        descriptor.file->synced_size = std::max(descriptor.file->synced_size, end);
    }
    return written;
}

int Disk::sync(int fd, int (*really)(int)) {
    begin_event(Event::sync);
    const std::unique_lock lock(mutex_, std::adopt_lock);
    ++control_->syncs;
    if (is_cut()) cut_power();  // before it has had any effect
    if (use_up(control_->fail_syncs)) {
        errno = EIO;
        return -1;
    }
    const Descriptor& descriptor = descriptors_[fd];
    if (descriptor.is_directory) {
        for (const auto& [id, file] : files_) file->made = false;
        renames_.clear();
        return really(fd);
    }
    descriptor.file->sectors.clear();
    descriptor.file->made = false;
    descriptor.file->synced_size = size_of(fd);
    return 0;  // this disk is the one that counts, and it is fast
}

int Disk::truncate(int fd, off_t size) {
    begin_event(Event::other);
    const std::unique_lock lock(mutex_, std::adopt_lock);
    File& file = *descriptors_[fd].file;
    const std::uint64_t before = size_of(fd);
    const auto after = static_cast<std::uint64_t>(size);
    if (after < before) keep(file, fd, after, before - after);
    const int result = libc().ftruncate(fd, size);
    if (is_cut()) cut_power();
    return result;
}

int Disk::rename(const char* from, const char* to) {
    begin_event(Event::other);
    const std::unique_lock lock(mutex_, std::adopt_lock);
    Rename entry{from, to, content_of(to)};
    const int result = libc().rename(from, to);
    if (result == 0) {
        for (const auto& [id, file] : files_) {
            if (file->path == to) file->path += " (replaced)";
            if (file->path == from) file->path = to;
        }
        renames_.push_back(std::move(entry));
    }
    if (is_cut()) cut_power();
    return result;
}

void Disk::cut_power() {
    std::mt19937_64 random(control_->cut_seed.load());
    const int undo = libc().open(undo_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const auto put = [&](UndoEntry::Kind kind, const std::string& path, std::uint64_t offset,
                         std::string_view bytes) {
        const UndoEntry entry{kind, static_cast<std::uint32_t>(path.size()), offset, bytes.size()};
        (void)!libc().write(undo, &entry, sizeof entry);
        (void)!libc().write(undo, path.data(), path.size());
        (void)!libc().write(undo, bytes.data(), bytes.size());
    };
    // How much of what was not synced is lost: little, much, all or nothing.
    const std::uint64_t share = random() % 5;
    for (const auto& [id, file] : files_) {
        for (const auto& [sector, versions] : file->sectors) {
            if (random() % 4 >= share) continue;
            const std::string& version = versions[random() % versions.size()];
            put(UndoEntry::Kind::write, file->path, sector * kSector, version);
        }
        const int fd = libc().open(file->path.c_str(), O_RDONLY | O_CLOEXEC);
        const std::uint64_t size = fd < 0 ? 0 : size_of(fd);
        libc().close(fd);
        if (size != file->synced_size) {
            const std::uint64_t low = std::min(size, file->synced_size);
            const std::uint64_t high = std::max(size, file->synced_size);
            const std::array<std::uint64_t, 3> choices{low, high, low + random() % (high - low)};
            put(UndoEntry::Kind::size, file->path, choices[random() % choices.size()], {});
        }
    }
    // Names change in the order of the changes, so an end of them is lost.
    std::size_t kept = random() % (renames_.size() + 1);
    for (std::size_t i = renames_.size(); i-- > kept;) {
        const Rename& entry = renames_[i];
        put(UndoEntry::Kind::content, entry.from, 0, content_of(entry.to).value_or(""));
        if (entry.replaced) {
            put(UndoEntry::Kind::content, entry.to, 0, *entry.replaced);
        } else {
            put(UndoEntry::Kind::remove, entry.to, 0, {});
        }
    }
    for (const auto& [id, file] : files_) {
        if (file->made && random() % 2 == 0) put(UndoEntry::Kind::remove, file->path, 0, {});
    }
    libc().close(undo);
    ::kill(::getpid(), SIGKILL);
    for (;;) ::pause();
}

template <class Open>
int open_and_watch(const char* path, int flags, Open open) {
    Disk& disk = Disk::get();
    const bool existed = !disk.concerns(path) || ::access(path, F_OK) == 0;
    const int fd = open();
    disk.opened(fd, path, flags, existed);
    return fd;
}

}  // namespace
}  // namespace agentcom::test

// The functions that LMDB, the daemon and the C++ library call. Behaviour as in libc.
using agentcom::test::Disk;
using agentcom::test::libc;

#define EXPORTED extern "C" __attribute__((visibility("default")))

namespace {
mode_t mode_of(int flags, va_list arguments) {
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}
}  // namespace

EXPORTED int open(const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return agentcom::test::open_and_watch(path, flags,
                                          [&] { return libc().open(path, flags, mode); });
}
EXPORTED int open64(const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return agentcom::test::open_and_watch(path, flags,
                                          [&] { return libc().open(path, flags, mode); });
}
EXPORTED int openat(int directory, const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return agentcom::test::open_and_watch(
        path, flags, [&] { return libc().openat(directory, path, flags, mode); });
}
EXPORTED int __open_2(const char* path, int flags) {
    return agentcom::test::open_and_watch(path, flags, [&] { return libc().open(path, flags); });
}
EXPORTED int __open64_2(const char* path, int flags) { return __open_2(path, flags); }

EXPORTED int close(int fd) {
    if (Disk::get().watches(fd)) Disk::get().closed(fd);
    return libc().close(fd);
}

EXPORTED ssize_t write(int fd, const void* bytes, size_t count) {
    if (!Disk::get().watches(fd)) return libc().write(fd, bytes, count);
    const iovec part{const_cast<void*>(bytes), count};
    const off_t at = ::lseek(fd, 0, SEEK_CUR);
    const ssize_t written = Disk::get().write(fd, static_cast<std::uint64_t>(at), &part, 1);
    if (written > 0) ::lseek(fd, at + written, SEEK_SET);
    return written;
}
EXPORTED ssize_t writev(int fd, const iovec* parts, int count) {
    if (!Disk::get().watches(fd)) return libc().writev(fd, parts, count);
    const off_t at = ::lseek(fd, 0, SEEK_CUR);
    const ssize_t written = Disk::get().write(fd, static_cast<std::uint64_t>(at), parts, count);
    if (written > 0) ::lseek(fd, at + written, SEEK_SET);
    return written;
}
EXPORTED ssize_t pwrite(int fd, const void* bytes, size_t count, off_t offset) {
    if (!Disk::get().watches(fd)) return libc().pwrite(fd, bytes, count, offset);
    const iovec part{const_cast<void*>(bytes), count};
    return Disk::get().write(fd, static_cast<std::uint64_t>(offset), &part, 1);
}
EXPORTED ssize_t pwrite64(int fd, const void* bytes, size_t count, off64_t offset) {
    return pwrite(fd, bytes, count, offset);
}
EXPORTED ssize_t pwritev(int fd, const iovec* parts, int count, off_t offset) {
    if (!Disk::get().watches(fd)) return libc().pwritev(fd, parts, count, offset);
    return Disk::get().write(fd, static_cast<std::uint64_t>(offset), parts, count);
}
EXPORTED ssize_t pwritev64(int fd, const iovec* parts, int count, off64_t offset) {
    return pwritev(fd, parts, count, offset);
}
EXPORTED int fsync(int fd) {
    return Disk::get().watches(fd) ? Disk::get().sync(fd, libc().fsync) : libc().fsync(fd);
}
EXPORTED int fdatasync(int fd) {
    return Disk::get().watches(fd) ? Disk::get().sync(fd, libc().fdatasync) : libc().fdatasync(fd);
}
EXPORTED int ftruncate(int fd, off_t size) {
    return Disk::get().watches(fd) ? Disk::get().truncate(fd, size) : libc().ftruncate(fd, size);
}
EXPORTED int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }
EXPORTED int rename(const char* from, const char* to) {
    return Disk::get().concerns(to) ? Disk::get().rename(from, to) : libc().rename(from, to);
}
