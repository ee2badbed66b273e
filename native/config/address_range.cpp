#include "native/config/address_range.h"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>

namespace keystay::config {
namespace {

constexpr unsigned kAllBits = 128;
constexpr unsigned kMappedBits = 96;  // in front of an IPv4 address

std::optional<unsigned> parse_prefix(std::string_view text, unsigned most) {
  unsigned prefix = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), prefix);
  if (error != std::errc{} || end != text.data() + text.size() || prefix > most) return std::nullopt;
  return prefix;
}

bool same_bits(const AddressBytes& left, const AddressBytes& right, unsigned bits) noexcept {
  const std::size_t bytes = bits / 8;
  if (!std::equal(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(bytes), right.begin()))
    return false;
  if (bits % 8 == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xFF00U >> (bits % 8));
  return ((left[bytes] ^ right[bytes]) & mask) == 0;
}

bool has_bits_behind(const AddressBytes& address, unsigned prefix) noexcept {
  for (unsigned bit = prefix; bit < kAllBits; ++bit)
    if ((address[bit / 8] & (0x80U >> (bit % 8))) != 0) return true;
  return false;
}

}  // namespace

bool is_v4(const AddressBytes& address) noexcept {
  return std::all_of(address.begin(), address.begin() + 10, [](std::uint8_t byte) { return byte == 0; }) &&
         address[10] == 0xFF && address[11] == 0xFF;
}

std::optional<AddressBytes> parse_address(const std::string& text) {
  AddressBytes address{};
  if (inet_pton(AF_INET6, text.c_str(), address.data()) == 1) return address;
  address = {};
  address[10] = address[11] = 0xFF;
  if (inet_pton(AF_INET, text.c_str(), address.data() + 12) == 1) return address;
  return std::nullopt;
}

std::optional<AddressRange> AddressRange::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = parse_address(std::string(text.substr(0, slash)));
  if (!address) return std::nullopt;
  AddressRange range;
  range.address_ = *address;
  range.prefix_ = kAllBits;
  if (slash != std::string_view::npos) {
    const unsigned before = is_v4(*address) ? kMappedBits : 0;
    const auto prefix = parse_prefix(text.substr(slash + 1), kAllBits - before);
    if (!prefix) return std::nullopt;
    range.prefix_ = before + *prefix;
  }
  if (has_bits_behind(range.address_, range.prefix_)) return std::nullopt;
  return range;
}

bool AddressRange::contains(const AddressBytes& address) const noexcept {
  return same_bits(address_, address, prefix_);
}

}  // namespace keystay::config
