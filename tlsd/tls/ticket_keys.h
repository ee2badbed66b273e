// The keys that seal and open session tickets, shared by all listeners and threads. They outlive reloads.
#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <shared_mutex>
#include <string>

#include "native/config/ticket_settings.h"
#include "tlsd/tls/openssl_handles.h"
#include "tlsd/tls/ticket_derivation.h"

namespace keystay::tlsd {

// A key seals in its period, and opens until the last ticket of it has expired. The key of the next period is
// there one period before it is needed: a token that is away when a period begins delays nothing, and the
// tickets of an instance whose clock is ahead open. Thread-safe.
class TicketKeys final {
 public:
  using Time = std::chrono::system_clock::time_point;

  // Without a key, until refresh(). `library` must outlive the object.
  TicketKeys(OSSL_LIB_CTX* library, config::TicketSettings settings);
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

  // Makes those keys that are missing; waits for a token, or reads the file. Returns how many it has made.
  // Throws CryptoError; the keys that are there stay.
  std::size_t refresh(Time now);
  // Wipes the keys whose tickets have all expired. Waits for nothing but handshakes.
  void expire(Time now);
  // Whether refresh() would have something to do.
  [[nodiscard]] bool needs_refresh(Time now) const;

  [[nodiscard]] bool empty() const;
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] const config::TicketSettings& settings() const noexcept { return settings_; }

  // The context seals and opens tickets with these keys, which must outlive its connections.
  void apply(SSL_CTX* context) const;

 private:
  struct Entry {
    std::int64_t period;
    TicketKey key;
    Time seals_from;
    Time opens_until;
  };
  enum class Opened { no, yes, by_an_old_key };

  static int callback(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                      EVP_MAC_CTX* mac, int seal) noexcept;
  [[nodiscard]] int seal(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                         EVP_MAC_CTX* mac) const;
  [[nodiscard]] Opened open(const unsigned char* name, const unsigned char* iv, EVP_CIPHER_CTX* cipher,
                            EVP_MAC_CTX* mac) const;
  [[nodiscard]] const Entry* sealing(Time now) const noexcept;
  [[nodiscard]] std::int64_t period_at(Time time) const noexcept;
  [[nodiscard]] Time begin_of(std::int64_t period) const noexcept;
  [[nodiscard]] bool has(std::int64_t period) const;
  void make(std::int64_t period, TicketKey& key) const;
  [[nodiscard]] std::size_t read_file();

  OSSL_LIB_CTX* library_;
  config::TicketSettings settings_;
  std::unique_ptr<EVP_CIPHER, FreedBy<EVP_CIPHER_free>> cipher_;
  mutable std::shared_mutex mutex_;  // of keys_: handshakes share it, a change is alone
  std::list<Entry> keys_;            // by period; lists do not move what they hold
};

}  // namespace keystay::tlsd
