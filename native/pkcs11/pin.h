// The user's PIN, and where it is read from.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "native/pkcs11/cryptoki.h"

namespace keystay::pkcs11 {

// A PIN in memory: UTF-8, wiped on destruction, kept out of core files, never printed. Move-only; a second
// one is made by copy(), where it can be seen.
class Pin final {
 public:
  // `origin` says where a person finds and corrects it ("file:/etc/keystay/web.pin", "-storepass"), for
  // messages; empty if it is not known.
  explicit Pin(std::string_view text, std::string origin = {});
  Pin(Pin&& other) noexcept;
  Pin& operator=(Pin&& other) noexcept;
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;
  ~Pin();

  [[nodiscard]] Pin copy() const;

  [[nodiscard]] ByteView bytes() const noexcept { return {data_, size_}; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  // Compares in a time that depends on the lengths only.
  [[nodiscard]] bool equals(const Pin& other) const noexcept;

  [[nodiscard]] const std::string& origin() const noexcept { return origin_; }

 private:
  void wipe() noexcept;

  std::uint8_t* data_ = nullptr;  // pages of its own: locked, not dumped
  std::size_t size_ = 0;
  std::string origin_;
};

// Reads the PIN when a login needs it, and only then. Called without any lock held, possibly from several
// processes and threads. Throws Error (class authentication) that says where the PIN was looked for.
using PinReader = std::function<Pin()>;

}  // namespace keystay::pkcs11
