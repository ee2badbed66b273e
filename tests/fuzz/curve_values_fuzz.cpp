// What comes from a token for elliptic curves: points, of which only those on the curve may pass, and ECDSA
// signatures r || s, which become DER. A byte for the curve, then the point or the signature.
#include <algorithm>
#include <array>
#include <memory>

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>

#include "native/pkcs11/curve.h"
#include "native/x509/ec_point.h"
#include "native/x509/ecdsa_signature.h"
#include "native/x509/public_key.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/law.h"

namespace keystay::test {
namespace {

using pkcs11::Bytes;
using pkcs11::ByteView;

void read_point(ByteView point, const pkcs11::Curve& curve) {
  const auto whole = x509::uncompressed_point(point, curve);
  require(ERR_peek_error() == 0, "no error is left behind");
  if (!whole) return;
  require(whole->size() == curve.point_size && whole->front() == 4, "the point is uncompressed");
  require(x509::uncompressed_point(*whole, curve) == whole, "an uncompressed point is itself");
  const pkcs11::EcPublicKey key{Bytes(curve.parameters.begin(), curve.parameters.end()), *whole};
  require(x509::from_evp_pkey(x509::to_evp_pkey(key, nullptr).get()) == pkcs11::PublicKey(key),
          "libcrypto takes every point that passes");
}

// RFC 3279, section 2.2.3.
void write_signature(ByteView raw) {
  std::array<std::uint8_t, x509::kLongestEcdsaDer> der{};
  const std::size_t size = x509::encode_ecdsa(raw, der);
  require(size <= der.size(), "the place is as long as the longest signature");
  const unsigned char* in = der.data();
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> read(
      d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(size)), ECDSA_SIG_free);
  require(read && in == der.data() + size, "libcrypto reads the signature whole");
  const auto is = [](const BIGNUM* number, ByteView bytes) {
    Bytes written(bytes.size());
    return BN_bn2binpad(number, written.data(), static_cast<int>(written.size())) ==
               static_cast<int>(bytes.size()) &&
           std::ranges::equal(written, bytes);
  };
  require(is(ECDSA_SIG_get0_r(read.get()), raw.first(raw.size() / 2)), "r is the same number");
  require(is(ECDSA_SIG_get0_s(read.get()), raw.last(raw.size() / 2)), "s is the same number");
  unsigned char* out = nullptr;
  const int canonical = i2d_ECDSA_SIG(read.get(), &out);
  const std::unique_ptr<unsigned char, void (*)(unsigned char*)> owner(
      out, [](unsigned char* bytes) { OPENSSL_free(bytes); });
  require(canonical == static_cast<int>(size) && std::equal(out, out + size, der.data()), "the form is DER");
}

void read(ByteView data) {
  if (data.empty()) return;
  const auto curves = pkcs11::curves();
  const pkcs11::Curve& curve = curves[data[0] % curves.size()];
  const ByteView value = data.subspan(1);
  if (curve.key_type == CKK_EC) read_point(value, curve);
  const std::size_t half = std::min<std::size_t>(value.size() / 2, 66);
  if (half > 0) write_signature(value.first(2 * half));
}

}  // namespace
}  // namespace keystay::test

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  keystay::test::read({data, size});
  return 0;
}
