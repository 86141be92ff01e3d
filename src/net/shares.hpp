#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "agentcom/core/guarded.hpp"

namespace agentcom::net {

/// Something of which there is only so much for all, and of which no single owner may hold more
/// than its share: bytes of unfinished requests, connections. Thread-safe; remembers only owners
/// that hold something.
class Shares : public std::enable_shared_from_this<Shares> {
public:
    /// `total` for all owners together, `each` for one of them.
    Shares(std::uint64_t total, std::uint64_t each) : total_(total), each_(each) {}

    /// What one owner holds for one purpose; given back when this goes.
    class Holding {
    public:
        Holding() = default;
        Holding(Holding&& other) noexcept
            : shares_(std::exchange(other.shares_, nullptr)),
              owner_(std::move(other.owner_)),
              amount_(std::exchange(other.amount_, 0)) {}
        Holding& operator=(Holding&& other) noexcept {
            std::swap(shares_, other.shares_);
            std::swap(owner_, other.owner_);
            std::swap(amount_, other.amount_);
            return *this;
        }
        ~Holding() { give_back(); }

        /// To hold so much from now on. False, and nothing changed, when the owner's share or what
        /// there is for all would not do; less is always granted.
        [[nodiscard]] bool resize(std::uint64_t amount);
        void give_back() noexcept {
            if (amount_ > 0) (void)resize(0);
        }
        /// Whether it has an owner; one without cannot be resized.
        [[nodiscard]] explicit operator bool() const noexcept { return shares_ != nullptr; }

    private:
        friend class Shares;
        Holding(std::shared_ptr<Shares> shares, std::string owner)
            : shares_(std::move(shares)), owner_(std::move(owner)) {}
        std::shared_ptr<Shares> shares_;
        std::string owner_;
        std::uint64_t amount_ = 0;
    };
    /// Nothing yet, for this owner. The shares must be owned by a shared_ptr.
    [[nodiscard]] Holding holding(std::string owner) {
        return {shared_from_this(), std::move(owner)};
    }

    [[nodiscard]] std::uint64_t held() const noexcept { return held_.load(); }

private:
    using Owners = std::unordered_map<std::string, std::uint64_t>;
    static constexpr std::size_t kShards = 16;
    [[nodiscard]] bool change(const std::string& owner, std::uint64_t from, std::uint64_t to);

    const std::uint64_t total_;
    const std::uint64_t each_;
    std::atomic<std::uint64_t> held_{0};
    std::array<core::Guarded<Owners>, kShards> shards_;
};

}  // namespace agentcom::net
