// The hash functions that signatures are made with, and what each standard calls them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "native/pkcs11/mechanism.h"

namespace keystay::provider {

struct Digest {
  std::string_view name;             // OpenSSL's first name: "SHA2-256"
  std::string_view alias;            // its others: "SHA256"
  std::string_view hyphenated;       // "SHA-256"
  std::size_t size;                  // bytes
  std::string_view digest_info;      // DER of DigestInfo up to the digest (RFC 8017, section 9.2, note 1)
  std::optional<pkcs11::Hash> hash;  // for CKM_RSA_PKCS_PSS
};

[[nodiscard]] std::span<const Digest> digests() noexcept;

// By one of these names, letters in either case; null if unknown.
[[nodiscard]] const Digest* find_digest(std::string_view name) noexcept;

}  // namespace keystay::provider
