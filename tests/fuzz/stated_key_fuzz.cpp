// CKA_EC_PARAMS and CKA_EC_POINT, CKA_MODULUS and CKA_PUBLIC_EXPONENT, as a token may answer them: a byte for
// the key type, one for the length of the first value, the first value, the second.
#include <algorithm>
#include <cstring>
#include <iterator>

#include "native/pkcs11/curve.h"
#include "native/pkcs11/stated_key.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/law.h"

namespace keystay::test {
namespace {

using pkcs11::Bytes;
using pkcs11::ByteView;

constexpr CK_KEY_TYPE kTypes[] = {CKK_RSA, CKK_EC, CKK_EC_EDWARDS, pkcs11::kMontgomeryKey, CKK_DSA};

pkcs11::Attributes attributes(CK_KEY_TYPE type, ByteView first, ByteView second) {
  pkcs11::Attributes result;
  Bytes number(sizeof type);
  std::memcpy(number.data(), &type, sizeof type);
  result.put(CKA_KEY_TYPE, number);
  result.put(type == CKK_RSA ? CKA_MODULUS : CKA_EC_PARAMS, Bytes(first.begin(), first.end()));
  result.put(type == CKK_RSA ? CKA_PUBLIC_EXPONENT : CKA_EC_POINT, Bytes(second.begin(), second.end()));
  return result;
}

void require_sound(const pkcs11::RsaPublicKey& key) {
  require(pkcs11::fault_of(key).empty(), "a modulus and an exponent that can be used");
}

void require_sound(const auto& key) {
  const pkcs11::Curve* curve = pkcs11::find_curve_by_parameters(key.parameters);
  require(curve != nullptr, "a curve that is known");
  const bool whole = key.point.size() == curve->point_size;
  const bool compressed = curve->key_type == CKK_EC && key.point.size() == (curve->point_size + 1) / 2;
  require(whole || compressed, "a point as long as the curve's are");
}

void read(ByteView data) {
  if (data.size() < 2) return;
  const CK_KEY_TYPE type = kTypes[data[0] % std::size(kTypes)];
  const std::size_t size = std::min<std::size_t>(data[1], data.size() - 2);
  const auto stated = pkcs11::stated_key(attributes(type, data.subspan(2, size), data.subspan(2 + size)));
  require(!stated.key || stated.fault.empty(), "a key has no fault");
  if (!stated.key) return;
  std::visit([](const auto& key) { require_sound(key); }, *stated.key);
  require(
      pkcs11::states(*stated.key, *stated.key) || std::holds_alternative<pkcs11::EcPublicKey>(*stated.key),
      "a key is itself");
}

}  // namespace
}  // namespace keystay::test

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  keystay::test::read({data, size});
  return 0;
}
