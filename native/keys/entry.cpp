#include "native/keys/entry.h"

#include <tuple>

#include "native/pkcs11/text.h"

namespace keystay::keys {

bool valid_now(const Certificate& certificate) {
  const auto now = std::chrono::system_clock::now();
  return certificate.not_before <= now && now <= certificate.not_after;
}

bool preferred(const Certificate& a, const Certificate& b) {
  if (valid_now(a) != valid_now(b)) return valid_now(a);
  return std::tie(a.not_before, a.not_after, a.der) > std::tie(b.not_before, b.not_after, b.der);
}

bool preferred_leaf(const Certificate& a, const Certificate& b) {
  const bool both_valid = valid_now(a) && valid_now(b);
  if (both_valid && a.self_issued() != b.self_issued()) return b.self_issued();
  return preferred(a, b);
}

std::string id_alias(pkcs11::ByteView id) { return std::string(kIdPrefix) + pkcs11::hex(id); }

}  // namespace keystay::keys
