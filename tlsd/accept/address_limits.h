// max-connections-per-address and handshakes-per-second-per-address of a listener, over all its threads.
// Counted is an IPv4 address, or the /64 of an IPv6 address, since that is what one subscriber gets (RFC
// 6177).
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "native/config/address_range.h"
#include "tlsd/execution.h"

namespace keystay::tlsd {

// Thread-safe. What it remembers is bounded: an address without connections is forgotten when its bucket is
// full again, and the one that was quiet longest when there are more than kMostQuiet of them. An entry takes
// about 150 bytes, so that the table has 10 MB at most, and as much per address as max-connections allows
// connections.
class AddressLimits final : public std::enable_shared_from_this<AddressLimits> {
  struct Entry;
  using Entries = std::list<Entry>;

 public:
  // Both zero where there is no limit.
  struct Terms {
    std::size_t connections = 0;
    std::size_t handshakes_per_second = 0;  // also how many may come at once, after a quiet second
  };
  enum class Answer { admitted, too_many_connections, too_many_handshakes };

  // One connection of an address, for as long as this object lives. Outlives the AddressLimits.
  class Place final {
   public:
    Place(std::shared_ptr<AddressLimits> limits, Entries::iterator entry) noexcept
        : limits_(std::move(limits)), entry_(entry) {}
    Place(Place&&) noexcept = default;
    Place& operator=(Place&&) = delete;
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
      if (limits_) limits_->leave(entry_);
    }

   private:
    std::shared_ptr<AddressLimits> limits_;
    Entries::iterator entry_;
  };

  // Counts a connection of the address, where it is admitted, until `place` goes.
  [[nodiscard]] Answer enter(const config::AddressBytes& address, const Terms& terms, Clock::time_point now,
                             std::optional<Place>& place);

  [[nodiscard]] std::size_t size() const;  // addresses that it remembers

  static constexpr std::size_t kMostQuiet = 65536;

 private:
  struct Entry {
    config::AddressBytes address;
    std::size_t connections = 0;
    double tokens = 0;  // handshakes that it may begin now
    Clock::time_point filled;
  };

  [[nodiscard]] Entries::iterator find_or_add(const config::AddressBytes& address, const Terms& terms,
                                              Clock::time_point now);
  void forget_quiet(const Terms& terms, Clock::time_point now);
  void leave(Entries::iterator entry);

  mutable std::mutex mutex_;
  Entries busy_;   // have connections
  Entries quiet_;  // have none; the one that was used last is in front
  // Ordered, not hashed: an attacker chooses the addresses.
  std::map<config::AddressBytes, Entries::iterator> entries_;
};

}  // namespace keystay::tlsd
