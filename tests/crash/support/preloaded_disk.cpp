#include "crash/support/preloaded_disk.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <utility>

namespace agentcom::test {

PreloadedDisk::PreloadedDisk(std::filesystem::path directory) : directory_(std::move(directory)) {
    const std::string control = (own_.path() / "control").string();
    const int fd = ::open(control.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ::ftruncate(fd, sizeof(FaultyDisk)) != 0) {
        throw std::runtime_error("cannot make " + control);
    }
    void* mapped = ::mmap(nullptr, sizeof(FaultyDisk), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ::close(fd);
    if (mapped == MAP_FAILED) throw std::runtime_error("cannot map " + control);
    levers_ = static_cast<FaultyDisk*>(mapped);
}

PreloadedDisk::~PreloadedDisk() {
    levers_->hang.set(0);
    ::munmap(levers_, sizeof(FaultyDisk));
}

std::vector<std::string> PreloadedDisk::environment(std::vector<std::string> settings) const {
    settings.emplace_back("LD_PRELOAD=" AGENTCOM_FAULTY_DISK);
    settings.push_back(std::string(kDiskDirectory) + "=" + directory_.string());
    settings.push_back(std::string(kDiskControl) + "=" + (own_.path() / "control").string());
    settings.push_back(std::string(kDiskUndo) + "=" + (own_.path() / "undo").string());
    return settings;
}

void PreloadedDisk::cut_power(std::uint64_t event, std::uint64_t seed) {
    levers_->cut_seed = seed;
    levers_->cut_at = levers_->events + event;
}

std::size_t PreloadedDisk::restore() {
    levers_->cut_at = 0;
    const auto file = own_.path() / "undo";
    std::size_t count = 0;
    {
        std::ifstream undo_file(file, std::ios::binary);
        UndoEntry entry;
        while (undo_file.read(reinterpret_cast<char*>(&entry), sizeof entry)) {
            std::string path(entry.path_bytes, '\0');
            std::string bytes(entry.bytes, '\0');
            undo_file.read(path.data(), static_cast<std::streamsize>(path.size()));
            undo_file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
            undo(entry, path, bytes);
            ++count;
        }
    }
    std::filesystem::remove(file);
    return count;
}

void PreloadedDisk::undo(const UndoEntry& entry, const std::string& path,
                         const std::string& bytes) const {
    switch (entry.kind) {
        case UndoEntry::Kind::write: {
            const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
            if (fd < 0) return;  // removed since
            const bool done =
                ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(entry.offset)) ==
                static_cast<ssize_t>(bytes.size());
            ::close(fd);
            if (!done) throw std::runtime_error("cannot put back what was in " + path);
            return;
        }
        case UndoEntry::Kind::size: {
            std::error_code removed;
            std::filesystem::resize_file(path, entry.offset, removed);
            return;
        }
        case UndoEntry::Kind::content:
            std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
            return;
        case UndoEntry::Kind::remove:
            std::filesystem::remove(path);
            return;
    }
}

bool PreloadedDisk::is_possible() noexcept {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return false;
#else
    return true;
#endif
}

}  // namespace agentcom::test
