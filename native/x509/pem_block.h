// Reads PEM text block by block (RFC 7468).
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include <openssl/crypto.h>

#include "native/pkcs11/cryptoki.h"
#include "native/x509/openssl_types.h"

namespace keystay::x509 {

// One block: its label and what stands in it. What libcrypto allocated for it is freed on destruction.
class PemBlock final {
 public:
  [[nodiscard]] std::string_view label() const { return name_.get(); }
  [[nodiscard]] pkcs11::ByteView der() const { return {data_.get(), size_}; }

 private:
  friend class PemReader;
  template <typename T>
  using Memory = std::unique_ptr<T, OpensslFree>;

  Memory<char> name_;
  Memory<char> header_;
  Memory<unsigned char> data_;
  std::size_t size_ = 0;
};

// Borrows the text.
class PemReader final {
 public:
  explicit PemReader(std::string_view text);

  // Nothing after the last block. Throws Error for a block that is damaged.
  [[nodiscard]] std::optional<PemBlock> next();

 private:
  InputOutput memory_;
};

}  // namespace keystay::x509
