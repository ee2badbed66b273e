#include "native/pkcs11/allowed_mechanisms.h"

#include <cstring>

namespace keystay::pkcs11 {
std::vector<CK_MECHANISM_TYPE> allowed_mechanisms(const Attributes& key) {
  const Bytes* value = key.find(CKA_ALLOWED_MECHANISMS);
  if (!value) return {};
  std::vector<CK_MECHANISM_TYPE> mechanisms(value->size() / sizeof(CK_MECHANISM_TYPE));
  if (!mechanisms.empty())
    std::memcpy(mechanisms.data(), value->data(), mechanisms.size() * sizeof(CK_MECHANISM_TYPE));
  return mechanisms;
}

}  // namespace keystay::pkcs11
