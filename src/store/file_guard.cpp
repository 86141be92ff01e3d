#include "store/file_guard.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "store/file_identity.hpp"

namespace agentcom::store {
namespace {

/// A stretch of memory that a file is mapped to. Read by the signal handler, so only atomics.
struct Range {
    std::atomic<std::uintptr_t> begin{0};  // 0: free
    std::atomic<std::uintptr_t> end{0};
    std::atomic<int> fd{-1};
    std::atomic<bool> lost{false};
};
std::array<Range, 64> ranges;
std::mutex ranges_mutex;  // for those who add and remove
const auto page_size = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));

/// Puts a page of zeros where the file has none any more. Only what is safe in a signal handler:
/// atomics and system calls.
bool patch(std::uintptr_t address) noexcept {
    for (Range& range : ranges) {
        const std::uintptr_t begin = range.begin.load();
        if (begin == 0 || address < begin || address >= range.end.load()) continue;
        const std::uintptr_t page = address / page_size * page_size;
        // Behind its end all of it is gone. Before that one page could not be read.
        struct stat file {};
        const bool behind_end = ::fstat(range.fd.load(), &file) != 0 ||
                                page - begin >= static_cast<std::uintptr_t>(file.st_size);
        const std::size_t size = behind_end ? range.end.load() - page : page_size;
        range.lost.store(true);
        return ::mmap(reinterpret_cast<void*>(page), size, PROT_READ,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) != MAP_FAILED;
    }
    return false;
}

void on_bus_error(int, siginfo_t* info, void*) {
    const int saved = errno;
    const bool patched = patch(reinterpret_cast<std::uintptr_t>(info->si_addr));
    errno = saved;
    // Somebody else's: it comes again, and ends the process as it would have.
    if (!patched) ::signal(SIGBUS, SIG_DFL);
}

void install_handler() {
    static std::once_flag once;
    std::call_once(once, [] {
        struct sigaction action {};
        action.sa_sigaction = &on_bus_error;
        action.sa_flags = SA_SIGINFO | SA_NODEFER;
        ::sigemptyset(&action.sa_mask);
        ::sigaction(SIGBUS, &action, nullptr);
    });
}

struct Mapping {
    std::uintptr_t begin;
    std::uintptr_t end;
};

/// Where this process has mapped the file. LMDB does not tell.
std::vector<Mapping> mappings_of(ino_t inode) {
    std::vector<Mapping> found;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        unsigned long long begin = 0;
        unsigned long long end = 0;
        unsigned long long number = 0;
        if (std::sscanf(line.c_str(), "%llx-%llx %*s %*x %*s %llu", &begin, &end, &number) == 3 &&
            number == inode) {
            found.push_back({begin, end});
        }
    }
    return found;
}

}  // namespace

FileGuard::FileGuard(std::filesystem::path file, int fd)
    : file_(std::move(file)),
      lock_file_(file_.parent_path() / kLockFile),
      fd_(fd),
      lock_(FileIdentity::of(lock_file_)) {
    const auto opened = FileIdentity::of(fd_);
    if (!opened) {
        throw std::system_error(errno, std::generic_category(), "look at " + file_.string());
    }
    device_ = opened->device;
    inode_ = opened->inode;
    largest_ = opened->size;
    install_handler();
    const std::lock_guard lock(ranges_mutex);
    for (const Mapping& mapping : mappings_of(inode_)) {
        for (std::size_t i = 0; i < ranges.size(); ++i) {
            Range& range = ranges[i];
            if (range.begin.load() == mapping.begin) break;  // of another guard
            if (range.begin.load() != 0) continue;
            range.lost.store(false);
            range.fd.store(fd_);
            range.end.store(mapping.end);
            range.begin.store(mapping.begin);
            ranges_.push_back(i);
            break;
        }
    }
}

FileGuard::~FileGuard() {
    const std::lock_guard lock(ranges_mutex);
    for (const std::size_t i : ranges_) ranges[i].begin.store(0);
}

bool FileGuard::page_lost() const noexcept {
    for (const std::size_t i : ranges_) {
        if (ranges[i].lost.load()) return true;
    }
    return false;
}

std::uint64_t FileGuard::size() const {
    const auto opened = FileIdentity::of(fd_);
    return opened ? opened->size : 0;
}

std::optional<std::string> FileGuard::trouble() {
    if (auto problem = trouble_with_file()) {
        return *problem +
               ": nothing more is written, reads go on as far as they can; stop the hub, and "
               "restore a backup before it is started again, since without the file a start makes "
               "an empty store";
    }
    if (auto problem = trouble_with_lock()) {
        return *problem +
               ", and another process may write to the store: nothing more is written, reads go on "
               "as far as they can; stop all hubs of this directory, and start one again";
    }
    return std::nullopt;
}

std::optional<std::string> FileGuard::trouble_with_lock() const {
    if (!lock_) return std::nullopt;
    const auto named = FileIdentity::of(lock_file_);
    if (!named) return lock_file_.string() + " has been deleted or moved away";
    if (named->device != lock_->device || named->inode != lock_->inode) {
        return lock_file_.string() + " has been replaced by another file";
    }
    return std::nullopt;
}

std::optional<std::string> FileGuard::trouble_with_file() {
    const auto opened = FileIdentity::of(fd_);
    if (!opened) return file_.string() + " cannot be looked at any more";
    if (opened->size < largest_) {
        return file_.string() + " has been cut from " + std::to_string(largest_) + " to " +
               std::to_string(opened->size) + " bytes";
    }
    largest_ = opened->size;
    const auto named = FileIdentity::of(file_);
    if (!named) return file_.string() + " has been deleted or moved away";
    if (named->device != device_ || named->inode != inode_) {
        return file_.string() + " has been replaced by another file";
    }
    if (page_lost()) return "a page of " + file_.string() + " cannot be read";
    return std::nullopt;
}

}  // namespace agentcom::store
