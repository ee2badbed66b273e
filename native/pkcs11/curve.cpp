#include "native/pkcs11/curve.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "native/pkcs11/text.h"

namespace keystay::pkcs11 {
namespace {

using namespace std::string_view_literals;

// SP 800-186, SEC 2, RFC 5639 and RFC 8410. X448 is not here: no token that could be tried makes such keys.
constexpr std::array kCurves = std::to_array<Curve>({
    {"P-256", "secp256r1", "prime256v1", CKK_EC, "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"sv, 64, 65},
    {"P-384", "secp384r1", "secp384r1", CKK_EC, "\x06\x05\x2b\x81\x04\x00\x22"sv, 96, 97},
    {"P-521", "secp521r1", "secp521r1", CKK_EC, "\x06\x05\x2b\x81\x04\x00\x23"sv, 132, 133},
    {"secp256k1", "secp256k1", "secp256k1", CKK_EC, "\x06\x05\x2b\x81\x04\x00\x0a"sv, 64, 65},
    {"brainpoolP256r1", "", "brainpoolP256r1", CKK_EC, "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x07"sv, 64,
     65},
    {"brainpoolP384r1", "", "brainpoolP384r1", CKK_EC, "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x0b"sv, 96,
     97},
    {"brainpoolP512r1", "", "brainpoolP512r1", CKK_EC, "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x0d"sv, 128,
     129},
    {"Ed25519", "", "ED25519", CKK_EC_EDWARDS, "\x06\x03\x2b\x65\x70"sv, 64, 32},
    {"Ed448", "", "ED448", CKK_EC_EDWARDS, "\x06\x03\x2b\x65\x71"sv, 114, 57},
    {"X25519", "", "X25519", kMontgomeryKey, "\x06\x03\x2b\x65\x6e"sv, 0, 32},
});

// PKCS #11 v3.0, section 2.3.10: Edwards and Montgomery curves may also be named by a PrintableString.
constexpr std::string_view kEdwards25519 =
    "\x13\x0c"
    "edwards25519"sv;
constexpr std::string_view kEdwards448 =
    "\x13\x0a"
    "edwards448"sv;
constexpr std::string_view kCurve25519 =
    "\x13\x0a"
    "curve25519"sv;

bool same(std::string_view text, ByteView bytes) noexcept {
  return text.size() == bytes.size() && std::memcmp(text.data(), bytes.data(), text.size()) == 0;
}

}  // namespace

std::span<const Curve> curves() noexcept { return kCurves; }

const Curve* find_curve(std::string_view name) noexcept {
  if (name.empty()) return nullptr;
  const auto* at = std::find_if(kCurves.begin(), kCurves.end(), [name](const Curve& curve) {
    return equal_ignoring_case(name, curve.name) || equal_ignoring_case(name, curve.sec_name) ||
           equal_ignoring_case(name, curve.openssl_name);
  });
  return at != kCurves.end() ? at : nullptr;
}

const Curve* find_curve_by_parameters(ByteView parameters) noexcept {
  if (same(kEdwards25519, parameters)) return find_curve("Ed25519");
  if (same(kEdwards448, parameters)) return find_curve("Ed448");
  if (same(kCurve25519, parameters)) return find_curve("X25519");
  const auto* at = std::find_if(kCurves.begin(), kCurves.end(), [parameters](const Curve& curve) {
    return same(curve.parameters, parameters);
  });
  return at != kCurves.end() ? at : nullptr;
}

}  // namespace keystay::pkcs11
