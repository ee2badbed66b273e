#include "native/pkcs11/curve.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "native/pkcs11/der_element.h"
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

// CKA_EC_PARAMS may also hold a curve's name (PKCS #11 v3.0, section 2.3.10: curveName, a PrintableString).
constexpr std::uint8_t kPrintableString = 0x13;
constexpr std::uint8_t kUtf8String = 0x0c;

struct OtherName {
  std::string_view name;
  std::string_view curve;
};

// RFC 7748 and RFC 8032 name the curves; our table the keys.
constexpr OtherName kCurveNames[] = {
    {"edwards25519", "Ed25519"}, {"edwards448", "Ed448"}, {"curve25519", "X25519"}};

// What OpenSC and its cards used before RFC 8410 had OIDs: 1.3.6.1.4.1.11591.15.1 and 1.3.6.1.4.1.3029.1.5.1.
constexpr OtherName kEarlierIdentifiers[] = {
    {"\x06\x09\x2b\x06\x01\x04\x01\xda\x47\x0f\x01"sv, "Ed25519"},
    {"\x06\x0a\x2b\x06\x01\x04\x01\x97\x55\x01\x05\x01"sv, "X25519"}};

bool same(std::string_view text, ByteView bytes) noexcept {
  return text.size() == bytes.size() && std::memcmp(text.data(), bytes.data(), text.size()) == 0;
}

const Curve* find_curve_by_name_in(ByteView parameters) noexcept {
  std::optional<ByteView> content = content_of(kPrintableString, parameters);
  if (!content) content = content_of(kUtf8String, parameters);
  if (!content) return nullptr;
  const std::string_view name(reinterpret_cast<const char*>(content->data()), content->size());
  for (const OtherName& other : kCurveNames) {
    if (equal_ignoring_case(other.name, name)) return find_curve(other.curve);
  }
  return find_curve(name);
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
  const auto* at = std::find_if(kCurves.begin(), kCurves.end(), [parameters](const Curve& curve) {
    return same(curve.parameters, parameters);
  });
  if (at != kCurves.end()) return at;
  for (const OtherName& other : kEarlierIdentifiers) {
    if (same(other.name, parameters)) return find_curve(other.curve);
  }
  return find_curve_by_name_in(parameters);
}

}  // namespace keystay::pkcs11
