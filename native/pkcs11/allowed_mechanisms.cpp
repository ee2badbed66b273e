#include "native/pkcs11/allowed_mechanisms.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

namespace keystay::pkcs11 {
namespace {

struct Name {
  CK_MECHANISM_TYPE mechanism;
  std::string_view name;
};

// The mechanisms of RSA and elliptic curves (PKCS #11 v3.0 Current Mechanisms, sections 2.1 and 2.3).
constexpr std::array kNames = std::to_array<Name>({
    {CKM_RSA_PKCS, "CKM_RSA_PKCS"},
    {CKM_RSA_X_509, "CKM_RSA_X_509"},
    {CKM_RSA_PKCS_OAEP, "CKM_RSA_PKCS_OAEP"},
    {CKM_RSA_PKCS_PSS, "CKM_RSA_PKCS_PSS"},
    {CKM_SHA1_RSA_PKCS, "CKM_SHA1_RSA_PKCS"},
    {CKM_SHA224_RSA_PKCS, "CKM_SHA224_RSA_PKCS"},
    {CKM_SHA256_RSA_PKCS, "CKM_SHA256_RSA_PKCS"},
    {CKM_SHA384_RSA_PKCS, "CKM_SHA384_RSA_PKCS"},
    {CKM_SHA512_RSA_PKCS, "CKM_SHA512_RSA_PKCS"},
    {CKM_SHA1_RSA_PKCS_PSS, "CKM_SHA1_RSA_PKCS_PSS"},
    {CKM_SHA224_RSA_PKCS_PSS, "CKM_SHA224_RSA_PKCS_PSS"},
    {CKM_SHA256_RSA_PKCS_PSS, "CKM_SHA256_RSA_PKCS_PSS"},
    {CKM_SHA384_RSA_PKCS_PSS, "CKM_SHA384_RSA_PKCS_PSS"},
    {CKM_SHA512_RSA_PKCS_PSS, "CKM_SHA512_RSA_PKCS_PSS"},
    {CKM_ECDSA, "CKM_ECDSA"},
    {CKM_ECDSA_SHA1, "CKM_ECDSA_SHA1"},
    {CKM_ECDSA_SHA224, "CKM_ECDSA_SHA224"},
    {CKM_ECDSA_SHA256, "CKM_ECDSA_SHA256"},
    {CKM_ECDSA_SHA384, "CKM_ECDSA_SHA384"},
    {CKM_ECDSA_SHA512, "CKM_ECDSA_SHA512"},
    {CKM_EDDSA, "CKM_EDDSA"},
    {CKM_ECDH1_DERIVE, "CKM_ECDH1_DERIVE"},
    {CKM_ECDH1_COFACTOR_DERIVE, "CKM_ECDH1_COFACTOR_DERIVE"},
});

}  // namespace

std::vector<CK_MECHANISM_TYPE> allowed_mechanisms(const Attributes& key) {
  const Bytes* value = key.find(CKA_ALLOWED_MECHANISMS);
  if (!value) return {};
  std::vector<CK_MECHANISM_TYPE> mechanisms(value->size() / sizeof(CK_MECHANISM_TYPE));
  if (!mechanisms.empty())
    std::memcpy(mechanisms.data(), value->data(), mechanisms.size() * sizeof(CK_MECHANISM_TYPE));
  return mechanisms;
}

std::string mechanism_name(CK_MECHANISM_TYPE mechanism) {
  const auto at = std::ranges::find(kNames, mechanism, &Name::mechanism);
  if (at != kNames.end()) return std::string(at->name);
  std::array<char, 24> number{};
  std::snprintf(number.data(), number.size(), "0x%lx", mechanism);
  return number.data();
}

}  // namespace keystay::pkcs11
