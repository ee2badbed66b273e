#include "native/x509/public_key.h"

#include <array>

#include <openssl/core_names.h>

#include "native/pkcs11/curve.h"
#include "native/x509/error.h"

namespace keystay::x509 {
namespace {

using pkcs11::Bytes;
using pkcs11::Curve;

// Where several providers have the algorithm, OpenSSL's own one: a public key is always software.
constexpr char kSoftware[] = "?provider=default";

const Curve& known_curve(const Bytes& parameters) {
  const Curve* curve = pkcs11::find_curve_by_parameters(parameters);
  if (curve == nullptr) throw Error("the public key is on a curve that Keystay does not know");
  return *curve;
}

EvpPkey from_data(const char* type, OSSL_PARAM* params, OSSL_LIB_CTX* libctx) {
  const EvpPkeyContext context(EVP_PKEY_CTX_new_from_name(libctx, type, kSoftware));
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) <= 0 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params) <= 0) {
    throw openssl_error(std::string("cannot use the ") + type + " public key");
  }
  return EvpPkey(key);
}

EvpPkey to_evp(const pkcs11::RsaPublicKey& key, OSSL_LIB_CTX* libctx) {
  const BigNumber n(BN_bin2bn(key.modulus.data(), static_cast<int>(key.modulus.size()), nullptr));
  const BigNumber e(
      BN_bin2bn(key.public_exponent.data(), static_cast<int>(key.public_exponent.size()), nullptr));
  const OsslParamBuilder builder(OSSL_PARAM_BLD_new());
  if (!n || !e || !builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    throw openssl_error("cannot use the RSA public key");
  }
  const OsslParams params(OSSL_PARAM_BLD_to_param(builder.get()));
  return from_data("RSA", params.get(), libctx);
}

EvpPkey to_evp(const pkcs11::EcPublicKey& key, OSSL_LIB_CTX* libctx) {
  std::string group(known_curve(key.parameters).openssl_name);
  Bytes point = key.point;
  std::array params{
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size()),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end(),
  };
  return from_data("EC", params.data(), libctx);
}

// Edwards and Montgomery keys.
EvpPkey to_evp(const auto& key, OSSL_LIB_CTX* libctx) {
  const std::string name(known_curve(key.parameters).openssl_name);
  EvpPkey pkey(
      EVP_PKEY_new_raw_public_key_ex(libctx, name.c_str(), kSoftware, key.point.data(), key.point.size()));
  if (!pkey) throw openssl_error("cannot use the " + name + " public key");
  return pkey;
}

Bytes big_number(const EVP_PKEY* key, const char* name) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) throw openssl_error("cannot read the public key");
  const BigNumber number(raw);
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), bytes.data());
  return bytes;
}

// A coordinate of a point, as long as the field is (SEC 1, section 2.3.5).
void append_coordinate(Bytes& point, const EVP_PKEY* key, const char* name, std::size_t size) {
  const Bytes number = big_number(key, name);
  point.insert(point.end(), size - std::min(size, number.size()), 0);
  point.insert(point.end(), number.begin(), number.end());
}

std::optional<pkcs11::PublicKey> ec_public_key(const EVP_PKEY* key) {
  std::array<char, 64> name{};
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), nullptr) != 1) return std::nullopt;
  const Curve* curve = pkcs11::find_curve(name.data());
  if (curve == nullptr) return std::nullopt;
  // From the coordinates, because a key may hold its encoded point compressed.
  Bytes point{POINT_CONVERSION_UNCOMPRESSED};
  append_coordinate(point, key, OSSL_PKEY_PARAM_EC_PUB_X, curve->signature_size / 2);
  append_coordinate(point, key, OSSL_PKEY_PARAM_EC_PUB_Y, curve->signature_size / 2);
  return pkcs11::EcPublicKey{Bytes(curve->parameters.begin(), curve->parameters.end()), std::move(point)};
}

pkcs11::PublicKey key_of_own_algorithm(const EVP_PKEY* key, const Curve& curve) {
  std::size_t size = 0;
  if (EVP_PKEY_get_raw_public_key(key, nullptr, &size) != 1)
    throw openssl_error("cannot read the public key");
  Bytes point(size);
  if (EVP_PKEY_get_raw_public_key(key, point.data(), &size) != 1)
    throw openssl_error("cannot read the public key");
  Bytes parameters(curve.parameters.begin(), curve.parameters.end());
  if (curve.key_type == CKK_EC_EDWARDS)
    return pkcs11::EdwardsPublicKey{std::move(parameters), std::move(point)};
  return pkcs11::MontgomeryPublicKey{std::move(parameters), std::move(point)};
}

}  // namespace

EvpPkey to_evp_pkey(const pkcs11::PublicKey& key, OSSL_LIB_CTX* libctx) {
  return std::visit([libctx](const auto& value) { return to_evp(value, libctx); }, key);
}

std::optional<pkcs11::PublicKey> supported_public_key(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") == 1 || EVP_PKEY_is_a(key, "RSA-PSS") == 1) {
    return pkcs11::RsaPublicKey{big_number(key, OSSL_PKEY_PARAM_RSA_N),
                                big_number(key, OSSL_PKEY_PARAM_RSA_E)};
  }
  if (EVP_PKEY_is_a(key, "EC") == 1) return ec_public_key(key);
  for (const Curve& curve : pkcs11::curves()) {
    if (curve.key_type != CKK_EC && EVP_PKEY_is_a(key, std::string(curve.openssl_name).c_str()) == 1) {
      return key_of_own_algorithm(key, curve);
    }
  }
  return std::nullopt;
}

pkcs11::PublicKey from_evp_pkey(const EVP_PKEY* key) {
  auto supported = supported_public_key(key);
  if (!supported) {
    throw openssl_error(
        "Keystay's keys are RSA, EC on a named curve, Ed25519, Ed448 or X25519; this is another one");
  }
  return *std::move(supported);
}

}  // namespace keystay::x509
