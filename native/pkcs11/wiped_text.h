// Text in which a PIN may stand: a URI with a pin-value.
#pragma once

#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "native/pkcs11/wipe.h"

namespace keystay::pkcs11 {

// Overwritten before its memory is given back, which a std::string is not: a short one stands on the stack.
// Move-only, of fixed size.
class WipedText final {
 public:
  WipedText() = default;
  // As many zero bytes, to be written to data().
  explicit WipedText(std::size_t size) : characters_(std::make_unique<char[]>(size)), size_(size) {}
  explicit WipedText(std::string_view text) : WipedText(text.size()) {
    if (!text.empty()) std::memcpy(characters_.get(), text.data(), text.size());
  }
  WipedText(WipedText&& other) noexcept
      : characters_(std::move(other.characters_)), size_(std::exchange(other.size_, 0)) {}
  WipedText& operator=(WipedText&& other) noexcept {
    std::swap(characters_, other.characters_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~WipedText() { wipe({reinterpret_cast<std::uint8_t*>(characters_.get()), size_}); }

  [[nodiscard]] char* data() noexcept { return characters_.get(); }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::string_view view() const noexcept { return {characters_.get(), size_}; }

 private:
  std::unique_ptr<char[]> characters_;
  std::size_t size_ = 0;
};

}  // namespace keystay::pkcs11
