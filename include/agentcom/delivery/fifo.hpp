#pragma once

#include <algorithm>
#include <boost/circular_buffer.hpp>
#include <cstddef>
#include <utility>

namespace agentcom::delivery {

/// A queue without a bound, in one piece of memory that doubles as it fills. One that has needed
/// room for more than `kKept` entries gives all of it back once it is empty, so that thousands of
/// idle owners cost next to nothing.
template <class T, std::size_t kKept>
class Fifo {
public:
    [[nodiscard]] bool empty() const noexcept { return ring_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return ring_.size(); }
    /// Counted from the front; as with `front` and `back`, the entry must exist.
    [[nodiscard]] T& operator[](std::size_t index) { return ring_[index]; }
    [[nodiscard]] T& front() { return ring_.front(); }
    [[nodiscard]] T& back() { return ring_.back(); }
    [[nodiscard]] auto begin() noexcept { return ring_.begin(); }
    [[nodiscard]] auto end() noexcept { return ring_.end(); }

    T& push_back(T value) {
        if (ring_.full()) ring_.set_capacity(std::max<std::size_t>(1, ring_.capacity() * 2));
        ring_.push_back(std::move(value));
        return ring_.back();
    }
    void pop_front() {
        ring_.pop_front();
        give_back();
    }
    void pop_back() {
        ring_.pop_back();
        give_back();
    }
    /// Entries it holds memory for.
    [[nodiscard]] std::size_t capacity() const noexcept { return ring_.capacity(); }

private:
    void give_back() {
        if (ring_.empty() && ring_.capacity() > kKept) ring_.set_capacity(0);
    }
    boost::circular_buffer<T> ring_;
};

}  // namespace agentcom::delivery
