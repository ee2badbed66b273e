// A range of IP addresses in CIDR notation (RFC 4632, section 3.1; RFC 4291, section 2.3).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace keystay::config {

// An IPv4 address stands as the IPv6 address that maps it (RFC 4291, section 2.5.5.2), as a listener on
// [::] sees its clients.
using AddressBytes = std::array<std::uint8_t, 16>;

class AddressRange final {
 public:
  // "192.0.2.0/24", "2001:db8::/32", or a single address. Nothing for any other text, and none for one that
  // has bits set behind the prefix: "192.0.2.7/24" means either of two things.
  [[nodiscard]] static std::optional<AddressRange> parse(std::string_view text);

  [[nodiscard]] bool contains(const AddressBytes& address) const noexcept;

  bool operator==(const AddressRange&) const = default;

 private:
  AddressBytes address_{};
  unsigned prefix_ = 0;  // bits, of 128
};

[[nodiscard]] bool is_v4(const AddressBytes& address) noexcept;

// A literal address; nothing for any other text.
[[nodiscard]] std::optional<AddressBytes> parse_address(const std::string& text);

}  // namespace keystay::config
