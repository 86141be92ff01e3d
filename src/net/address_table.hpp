#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agentcom/core/guarded.hpp"
#include "agentcom/core/time.hpp"
#include "net/address.hpp"

namespace agentcom::net {

/// What is counted for each address from which strangers come: how many connections it holds that
/// nobody has vouched for, how fast it asks without a token, and how many wrong tokens it has
/// shown: after the first few it has to wait, twice as long each time. Thread-safe; the addresses
/// are spread over several locks. Remembers a bounded number of addresses: those that hold a place,
/// and of the others the last ones that came.
class AddressTable : public std::enable_shared_from_this<AddressTable> {
public:
    struct Limits {
        std::uint32_t places = 500;
        std::uint32_t loopback_places = 5'000;
        double per_second = 1'000;  // also the burst; 0: no limit
        double loopback_factor = 20;
        std::size_t remembered = 65'536;  // addresses that hold no place
        /// Wrong tokens before an address has to wait; as many are forgiven each minute. 0: no
        /// limit.
        std::uint32_t wrong_tokens = 20;
        std::uint32_t loopback_wrong_tokens = 100;
        core::Millis first_wait{1'000};
        core::Millis longest_wait{60'000};  // for loopback a tenth of both
    };
    explicit AddressTable(const Limits& limits) { set_limits(limits); }
    /// From now on these; places that are held stay held, and waits that have begun are as long as
    /// they were.
    void set_limits(const Limits& limits);

    /// A place that an address holds, until this goes.
    class Place {
    public:
        Place() = default;
        Place(Place&& other) noexcept
            : table_(std::exchange(other.table_, nullptr)), key_(other.key_) {}
        Place& operator=(Place&& other) noexcept {
            std::swap(table_, other.table_);
            std::swap(key_, other.key_);
            return *this;
        }
        ~Place() { give_back(); }
        void give_back() noexcept {
            if (const auto table = std::exchange(table_, nullptr)) table->release(key_);
        }
        [[nodiscard]] explicit operator bool() const noexcept { return table_ != nullptr; }

    private:
        friend class AddressTable;
        Place(std::shared_ptr<AddressTable> table, AddressKey key)
            : table_(std::move(table)), key_(key) {}
        std::shared_ptr<AddressTable> table_;
        AddressKey key_;
    };
    /// An empty one when the address holds as many as it may. The table must be owned by a
    /// shared_ptr.
    [[nodiscard]] Place take_place(const AddressKey& key);

    /// Takes `cost` from what the address may do; false, and nothing taken, when it is over its
    /// rate.
    [[nodiscard]] bool spend(const AddressKey& key, core::SteadyTime now, double cost = 1);

    /// A wrong token was shown from there. How long the address has to wait now, and whether this
    /// is the first one since `take_failures`, for the log.
    struct Failure {
        core::Millis wait{0};
        bool first = false;
    };
    Failure note_failure(const AddressKey& key, core::SteadyTime now);
    /// How long no token from there is to be looked at; not positive: it may be.
    [[nodiscard]] core::Millis wait(const AddressKey& key, core::SteadyTime now) const;

    /// Wrong tokens since the last call, but for the first one of each address: of up to
    /// kReported addresses, and of all others together.
    struct Failures {
        std::vector<std::pair<AddressKey, std::uint64_t>> of;
        std::uint64_t of_others = 0;
    };
    static constexpr std::size_t kReported = 16;
    [[nodiscard]] Failures take_failures();

    /// Takes for something that has been done; the address may get into debt, at most its burst.
    void charge(const AddressKey& key, core::SteadyTime now, double cost);

    /// Addresses that are remembered now.
    [[nodiscard]] std::size_t size() const;

private:
    struct Entry {
        std::uint32_t places = 0;
        double tokens = 0;
        core::SteadyTime filled_at;
        double forgiven = 0;  // wrong tokens that make no difference, of those that may come
        core::SteadyTime forgiven_at;
        core::SteadyTime waits_until;
        std::uint32_t waits = 0;               // since it last had nothing to be forgiven
        std::uint64_t failures = 0;            // since `take_failures`
        std::list<AddressKey>::iterator seen;  // in Shard::idle, while no place is held
    };
    struct Shard {
        Limits limits;
        std::unordered_map<AddressKey, Entry, AddressKeyHash> entries;
        std::list<AddressKey> idle;      // hold no place; the one that came last in front
        std::vector<AddressKey> failed;  // since `take_failures`; each once, at most kReported
        std::uint64_t failures_of_others = 0;
    };
    static constexpr std::size_t kShards = 16;

    [[nodiscard]] core::Guarded<Shard>& shard(const AddressKey& key) const noexcept {
        // Not the bits by which the map chooses its bucket.
        return shards_[(AddressKeyHash{}(key) >> 40) % kShards];
    }
    void release(const AddressKey& key) noexcept;
    static Entry& find(Shard& shard, const AddressKey& key);
    static void fill(Entry& entry, core::SteadyTime now, double most);
    [[nodiscard]] static double burst(const Limits& limits, const AddressKey& key) noexcept {
        return limits.per_second * (key.is_loopback() ? limits.loopback_factor : 1);
    }
    [[nodiscard]] static double forgiveness(const Limits& limits, const AddressKey& key) noexcept {
        return key.is_loopback() ? limits.loopback_wrong_tokens : limits.wrong_tokens;
    }
    /// The `count`th wait of the address.
    [[nodiscard]] static core::Millis wait_of(const Limits& limits, const AddressKey& key,
                                              std::uint32_t count) noexcept;

    mutable std::array<core::Guarded<Shard>, kShards> shards_;
};

}  // namespace agentcom::net
