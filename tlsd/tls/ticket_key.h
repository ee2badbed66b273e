// A key of session tickets, as libssl uses one: AES-256-CBC and HMAC-SHA-256 (RFC 5077, section 4).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include <openssl/crypto.h>

namespace keystay::tlsd {

// Name, HMAC key and AES key behind one another, as nginx' ssl_session_ticket_key and HAProxy's
// tls-ticket-keys have them. Wiped when it goes; it never moves, so that no copy stays behind.
class TicketKey final {
 public:
  static constexpr std::size_t kSize = 80;
  static constexpr std::size_t kNameSize = 16;
  using Bytes = std::array<unsigned char, kSize>;

  TicketKey() = default;
  TicketKey(const TicketKey& other) : bytes_(other.bytes_) {}
  TicketKey& operator=(const TicketKey&) = delete;
  ~TicketKey() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

  // To be filled.
  [[nodiscard]] std::span<unsigned char, kSize> bytes() noexcept { return bytes_; }

  [[nodiscard]] std::span<const unsigned char, kNameSize> name() const noexcept {
    return std::span(bytes_).first<kNameSize>();
  }
  [[nodiscard]] std::span<const unsigned char, 32> hmac() const noexcept {
    return std::span(bytes_).subspan<kNameSize, 32>();
  }
  [[nodiscard]] std::span<const unsigned char, 32> aes() const noexcept {
    return std::span(bytes_).subspan<kNameSize + 32, 32>();
  }
  [[nodiscard]] bool is_named(const unsigned char* name) const noexcept {
    return std::equal(bytes_.begin(), bytes_.begin() + kNameSize, name);
  }

 private:
  Bytes bytes_{};
};

}  // namespace keystay::tlsd
