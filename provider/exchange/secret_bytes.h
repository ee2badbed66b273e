// Bytes that are wiped when they are no longer needed.
#pragma once

#include <span>

#include <openssl/crypto.h>

#include "native/pkcs11/cryptoki.h"

namespace keystay::provider {

class SecretBytes final {
 public:
  explicit SecretBytes(std::size_t size) : bytes_(size) {}
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

  [[nodiscard]] std::span<std::uint8_t> bytes() noexcept { return bytes_; }

 private:
  pkcs11::Bytes bytes_;
};

}  // namespace keystay::provider
