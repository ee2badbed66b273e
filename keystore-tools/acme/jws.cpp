#include "keystore-tools/acme/jws.h"

#include <array>
#include <utility>

#include <boost/json.hpp>
#include <openssl/hmac.h>

#include "keystore-tools/acme/base64url.h"
#include "keystore-tools/failure.h"
#include "native/pkcs11/curve.h"
#include "native/x509/error.h"
#include "native/x509/openssl_types.h"
#include "native/x509/signature_algorithm.h"

namespace keystay::tools::acme {
namespace {

using pkcs11::Bytes;
using pkcs11::ByteView;

// RFC 7518, sections 3.4 and 6.2.1.1, and RFC 8037, sections 2 and 3.1.
struct JoseCurve {
  std::string_view name;  // of Keystay and of "crv"
  std::string_view algorithm;
  const char* digest;  // libcrypto's; null: the key signs the message itself
};
constexpr std::array kCurves = std::to_array<JoseCurve>({{"P-256", "ES256", "SHA256"},
                                                         {"P-384", "ES384", "SHA384"},
                                                         {"P-521", "ES512", "SHA512"},
                                                         {"Ed25519", "EdDSA", nullptr},
                                                         {"Ed448", "EdDSA", nullptr}});

const JoseCurve& jose_curve(const Bytes& parameters) {
  const pkcs11::Curve* curve = pkcs11::find_curve_by_parameters(parameters);
  for (const JoseCurve& known : kCurves)
    if (curve && known.name == curve->name) return known;
  throw UsageError("a key on the curve " + std::string(curve ? curve->name : "that is unknown") +
                   " is no account key: ACME signs with RSA, P-256, P-384, P-521, Ed25519 or Ed448");
}

Bytes digest_of(std::string_view message, const char* name) {
  Bytes digest(EVP_MAX_MD_SIZE);
  std::size_t size = 0;
  if (EVP_Q_digest(nullptr, name, nullptr, message.data(), message.size(), digest.data(), &size) != 1)
    throw x509::openssl_error("cannot hash");
  digest.resize(size);
  return digest;
}

ByteView bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// RFC 7518, section 3.4: r || s, as the token has it.
Bytes sign_raw(const keys::PrivateKey& key, const pkcs11::SignMechanism& mechanism, ByteView data) {
  Bytes signature(key.signature_size());
  signature.resize(key.sign(mechanism, data, signature));
  return signature;
}

struct ToJwk {
  std::string operator()(const pkcs11::RsaPublicKey& key) const {
    return R"({"e":")" + to_base64url(key.public_exponent) + R"(","kty":"RSA","n":")" +
           to_base64url(key.modulus) + R"("})";
  }
  std::string operator()(const pkcs11::EcPublicKey& key) const {
    const std::string_view curve = jose_curve(key.parameters).name;
    const ByteView coordinates = ByteView(key.point).subspan(1);  // behind the 0x04 of the uncompressed form
    const std::size_t size = coordinates.size() / 2;
    return R"({"crv":")" + std::string(curve) + R"(","kty":"EC","x":")" +
           to_base64url(coordinates.first(size)) + R"(","y":")" + to_base64url(coordinates.subspan(size)) +
           R"("})";
  }
  std::string operator()(const pkcs11::EdwardsPublicKey& key) const {
    return R"({"crv":")" + std::string(jose_curve(key.parameters).name) + R"(","kty":"OKP","x":")" +
           to_base64url(key.point) + R"("})";
  }
  std::string operator()(const pkcs11::MontgomeryPublicKey& key) const {
    return std::string(jose_curve(key.parameters).name);  // throws: it cannot sign
  }
};

struct ToJwsKey {
  const keys::PrivateKey& key;

  JwsKey operator()(const pkcs11::RsaPublicKey& /*public_key*/) const {
    return {
        .algorithm = "RS256", .jwk = jwk_of(key.public_key()), .sign = [key = key](std::string_view input) {
          return x509::sign(key, x509::signature_algorithm("SHA256withRSA", key.public_key()),
                            bytes_of(input));
        }};
  }
  JwsKey operator()(const pkcs11::EcPublicKey& public_key) const {
    const JoseCurve& curve = jose_curve(public_key.parameters);
    return {.algorithm = std::string(curve.algorithm),
            .jwk = jwk_of(key.public_key()),
            .sign = [key = key, digest = curve.digest](std::string_view input) {
              return sign_raw(key, pkcs11::Ecdsa{}, digest_of(input, digest));
            }};
  }
  JwsKey operator()(const auto& /*public_key*/) const {
    return {
        .algorithm = "EdDSA", .jwk = jwk_of(key.public_key()), .sign = [key = key](std::string_view input) {
          return sign_raw(key, pkcs11::EdDsa{}, bytes_of(input));
        }};
  }
};

}  // namespace

JwsKey jws_key(const keys::PrivateKey& key) { return std::visit(ToJwsKey{key}, key.public_key()); }

std::string jwk_of(const pkcs11::PublicKey& key) { return std::visit(ToJwk{}, key); }

std::string thumbprint_of(std::string_view jwk) { return to_base64url(sha256(jwk)); }

std::string flattened_jws(std::string_view header, std::string_view payload,
                          const std::function<Bytes(std::string_view)>& sign) {
  const std::string protected_header = to_base64url(header);
  const std::string encoded_payload = to_base64url(payload);
  const Bytes signature = sign(protected_header + "." + encoded_payload);
  return boost::json::serialize(boost::json::object{
      {"protected", protected_header}, {"payload", encoded_payload}, {"signature", to_base64url(signature)}});
}

Bytes hmac_sha256(ByteView key, std::string_view message) {
  Bytes code(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  const ByteView data = bytes_of(message);
  if (!HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data.data(), data.size(), code.data(),
            &size)) {
    throw x509::openssl_error("cannot make an HMAC");
  }
  code.resize(size);
  return code;
}

Bytes sha256(std::string_view message) { return digest_of(message, "SHA256"); }

}  // namespace keystay::tools::acme
