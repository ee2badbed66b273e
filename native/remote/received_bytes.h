// What a connection has brought and nobody has taken yet: one recv(2) for a response, or for several, instead
// of one for each of their parts.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "native/pkcs11/wipe.h"

namespace keystay::remote {

// Bytes are wiped when they are taken: a response may be what a key has decrypted.
class ReceivedBytes final {
 public:
  ReceivedBytes() = default;
  ReceivedBytes(const ReceivedBytes&) = delete;
  ReceivedBytes& operator=(const ReceivedBytes&) = delete;
  ~ReceivedBytes() { drop(); }

  [[nodiscard]] bool empty() const noexcept { return first_ == last_; }

  // Where the next bytes go, once those before them were taken; add() says how many have come.
  [[nodiscard]] std::span<std::uint8_t> room() noexcept { return bytes_; }
  void add(std::size_t size) noexcept {
    first_ = 0;
    last_ = size;
  }

  // Fills `place` as far as bytes are there. Returns how many those were.
  [[nodiscard]] std::size_t take(std::span<std::uint8_t> place) noexcept {
    const auto taken = std::span(bytes_).subspan(first_, std::min(place.size(), last_ - first_));
    std::ranges::copy(taken, place.begin());
    pkcs11::wipe(taken);
    first_ += taken.size();
    return taken.size();
  }

  void drop() noexcept {
    pkcs11::wipe(std::span(bytes_).subspan(first_, last_ - first_));
    first_ = last_ = 0;
  }

 private:
  std::array<std::uint8_t, 4096> bytes_;
  std::size_t first_ = 0;
  std::size_t last_ = 0;
};

}  // namespace keystay::remote
