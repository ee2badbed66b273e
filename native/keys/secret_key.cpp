#include "native/keys/secret_key.h"

#include <algorithm>
#include <array>

#include "native/pkcs11/error.h"
#include "native/pkcs11/text.h"
#include "native/pkcs11/unicode.h"

namespace keystay::keys {
namespace {

using pkcs11::Error;
using pkcs11::ErrorClass;
using pkcs11::Hash;

constexpr unsigned kShortestMacKey = 80;  // bits: less than NIST SP 800-107 gives any use to
constexpr unsigned kLongestMacKey = 4096;

struct MacAlgorithm {
  Hash hash;
  std::string_view name;
  CK_KEY_TYPE type;  // of keys that other programs made for it alone
  CK_MECHANISM_TYPE mechanism;
};

constexpr std::array kMacs = std::to_array<MacAlgorithm>({
    {Hash::sha1, "HmacSHA1", CKK_SHA_1_HMAC, CKM_SHA_1_HMAC},
    {Hash::sha224, "HmacSHA224", CKK_SHA224_HMAC, CKM_SHA224_HMAC},
    {Hash::sha256, "HmacSHA256", CKK_SHA256_HMAC, CKM_SHA256_HMAC},
    {Hash::sha384, "HmacSHA384", CKK_SHA384_HMAC, CKM_SHA384_HMAC},
    {Hash::sha512, "HmacSHA512", CKK_SHA512_HMAC, CKM_SHA512_HMAC},
});

AesSpec aes_spec(unsigned size) {
  if (size == 0) return {256};
  if (size == 128 || size == 192 || size == 256) return {size};
  throw Error(ErrorClass::client, "AES keys have 128, 192 or 256 bits, not " + std::to_string(size));
}

HmacSpec hmac_spec(const MacAlgorithm& algorithm, unsigned size) {
  if (size == 0) return {algorithm.hash, static_cast<unsigned>(pkcs11::size_of(algorithm.hash)) * 8};
  if (size >= kShortestMacKey && size <= kLongestMacKey && size % 8 == 0) return {algorithm.hash, size};
  throw Error(ErrorClass::client,
              std::string(algorithm.name) + " keys here have " + std::to_string(kShortestMacKey) + " to " +
                  std::to_string(kLongestMacKey) + " bits, in whole bytes, not " + std::to_string(size));
}

const MacAlgorithm* mac_of(const SecretKey& key) {
  const auto by_type = std::ranges::find(kMacs, key.reference.type(), &MacAlgorithm::type);
  if (by_type != kMacs.end()) return &*by_type;
  if (key.reference.type() != CKK_GENERIC_SECRET || key.allowed_mechanisms.size() != 1) return nullptr;
  const auto by_mechanism =
      std::ranges::find(kMacs, key.allowed_mechanisms.front(), &MacAlgorithm::mechanism);
  return by_mechanism == kMacs.end() ? nullptr : &*by_mechanism;
}

}  // namespace

SecretKeySpec secret_key_spec(std::string_view algorithm, unsigned size) {
  if (pkcs11::equal_ignoring_case(algorithm, "AES")) return aes_spec(size);
  for (const MacAlgorithm& mac : kMacs) {
    if (pkcs11::equal_ignoring_case(algorithm, mac.name)) return hmac_spec(mac, size);
  }
  std::string known = "AES";
  for (const MacAlgorithm& mac : kMacs) known.append(", ").append(mac.name);
  throw Error(ErrorClass::client, "\"" + pkcs11::printable(algorithm) +
                                      "\" is no algorithm of secret keys that Keystay makes; there is " +
                                      known);
}

std::string algorithm_of(const SecretKey& key) {
  if (const MacAlgorithm* mac = mac_of(key)) return std::string(mac->name);
  switch (key.reference.type()) {
    case CKK_AES:
      return "AES";
    case CKK_GENERIC_SECRET:
      return "Generic";
    case CKK_DES3:
      return "DESede";
    default:
      return "CKK " + std::to_string(key.reference.type());
  }
}

std::optional<pkcs11::Hash> mac_hash_of(const SecretKey& key) {
  const MacAlgorithm* mac = mac_of(key);
  return mac ? std::optional(mac->hash) : std::nullopt;
}

std::string describe_key(const SecretKey& key) {
  return (key.size ? std::to_string(*key.size) + "-bit " : "") + algorithm_of(key) + " key";
}

}  // namespace keystay::keys
