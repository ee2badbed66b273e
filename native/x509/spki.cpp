// SubjectPublicKeyInfo: RFC 5280 (syntax), RFC 3279 (RSA), RFC 4055 (RSA-PSS), RFC 5480 (EC), RFC 8410
// (Ed25519, Ed448, X25519).
#include <utility>

#include <openssl/obj_mac.h>

#include "native/pkcs11/curve.h"
#include "native/x509/der.h"
#include "native/x509/ec_point.h"
#include "native/x509/errors_set_aside.h"
#include "native/x509/public_key.h"
#include "native/x509/public_key_syntax.h"

namespace keystay::x509 {
namespace {

using pkcs11::Bytes;
using pkcs11::ByteView;

template <typename Item>
ASN1_VALUE* value(const Item& item) {
  return reinterpret_cast<ASN1_VALUE*>(item.get());
}

Asn1Integer integer(const Bytes& big_endian) {
  const BigNumber number(BN_bin2bn(big_endian.data(), static_cast<int>(big_endian.size()), nullptr));
  Asn1Integer result(number ? BN_to_ASN1_INTEGER(number.get(), nullptr) : nullptr);
  if (!result) throw openssl_error("cannot encode an integer of the public key");
  return result;
}

Bytes bytes_of(const ASN1_INTEGER* integer_value) {
  const BigNumber number(ASN1_INTEGER_to_BN(integer_value, nullptr));
  if (!number) throw openssl_error("cannot decode an integer of the public key");
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), bytes.data());
  return bytes;
}

Bytes key_bits(const pkcs11::RsaPublicKey& key) {
  const RsaPublicKeyValue syntax(reinterpret_cast<RsaPublicKeySyntax*>(ASN1_item_new(rsa_public_key_item())));
  if (!syntax) throw openssl_error("cannot encode the RSA public key");
  ASN1_INTEGER_free(std::exchange(syntax->modulus, integer(key.modulus).release()));
  ASN1_INTEGER_free(std::exchange(syntax->public_exponent, integer(key.public_exponent).release()));
  return to_der([&](unsigned char** out) { return ASN1_item_i2d(value(syntax), out, rsa_public_key_item()); },
                "cannot encode the RSA public key");
}

Bytes key_bits(const auto& key) { return key.point; }

// libcrypto's own object of the curve or algorithm that CKA_EC_PARAMS names; never freed.
ASN1_OBJECT* curve_object(const Bytes& parameters) {
  const auto* curve = pkcs11::find_curve_by_parameters(parameters);
  if (curve == nullptr) throw Error("the public key is on a curve that Keystay does not know");
  return OBJ_nid2obj(OBJ_sn2nid(std::string(curve->openssl_name).c_str()));
}

int set_algorithm(X509_ALGOR* algorithm, const pkcs11::RsaPublicKey&) {
  return X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_rsaEncryption), V_ASN1_NULL, nullptr);
}
int set_algorithm(X509_ALGOR* algorithm, const pkcs11::EcPublicKey& key) {
  return X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_X9_62_id_ecPublicKey), V_ASN1_OBJECT,
                         curve_object(key.parameters));
}
int set_algorithm(X509_ALGOR* algorithm, const auto& key) {
  return X509_ALGOR_set0(algorithm, curve_object(key.parameters), V_ASN1_UNDEF, nullptr);
}

[[noreturn]] void refuse() {
  throw openssl_error(
      "this is no SubjectPublicKeyInfo of an RSA, named-curve EC, Ed25519, Ed448 or X25519 key");
}

pkcs11::PublicKey rsa_key(ByteView bits) {
  const unsigned char* in = bits.data();
  const RsaPublicKeyValue syntax(reinterpret_cast<RsaPublicKeySyntax*>(
      ASN1_item_d2i(nullptr, &in, static_cast<long>(bits.size()), rsa_public_key_item())));
  if (!syntax || in != bits.data() + bits.size()) refuse();
  return pkcs11::RsaPublicKey{bytes_of(syntax->modulus), bytes_of(syntax->public_exponent)};
}

pkcs11::PublicKey ec_key(const ASN1_TYPE* parameters, ByteView bits) {
  if (parameters == nullptr || parameters->type != V_ASN1_OBJECT) refuse();
  const int nid = OBJ_obj2nid(parameters->value.object);
  const auto* curve = nid == NID_undef ? nullptr : pkcs11::find_curve(OBJ_nid2sn(nid));
  if (curve == nullptr) refuse();
  // RFC 5480 lets a point be compressed; CKA_EC_POINT and our comparisons use the uncompressed form.
  std::optional<Bytes> point = uncompressed_point(bits, *curve);
  if (!point) refuse();
  return pkcs11::EcPublicKey{Bytes(curve->parameters.begin(), curve->parameters.end()), *std::move(point)};
}

// RFC 8410: the curve is the algorithm.
pkcs11::PublicKey key_of_own_algorithm(int algorithm, ByteView bits) {
  const auto* curve = algorithm == NID_undef ? nullptr : pkcs11::find_curve(OBJ_nid2sn(algorithm));
  if (curve == nullptr || curve->key_type == CKK_EC || bits.size() != curve->point_size) refuse();
  Bytes parameters(curve->parameters.begin(), curve->parameters.end());
  Bytes point(bits.begin(), bits.end());
  if (curve->key_type == CKK_EC_EDWARDS)
    return pkcs11::EdwardsPublicKey{std::move(parameters), std::move(point)};
  return pkcs11::MontgomeryPublicKey{std::move(parameters), std::move(point)};
}

}  // namespace

Bytes subject_public_key_bits(const pkcs11::PublicKey& key) {
  return std::visit([](const auto& key_value) { return key_bits(key_value); }, key);
}

Bytes to_spki(const pkcs11::PublicKey& key) {
  const SubjectPublicKeyInfo info(
      reinterpret_cast<SubjectPublicKeyInfoSyntax*>(ASN1_item_new(subject_public_key_info_item())));
  Bytes bits = subject_public_key_bits(key);
  if (!info || std::visit([&](const auto& v) { return set_algorithm(info->algorithm, v); }, key) != 1 ||
      ASN1_BIT_STRING_set(info->subject_public_key, bits.data(), static_cast<int>(bits.size())) != 1) {
    throw openssl_error("cannot encode the public key");
  }
  // Without this flag trailing zero bits are dropped: the string counts whole bytes.
  info->subject_public_key->flags = ASN1_STRING_FLAG_BITS_LEFT;
  return to_der(
      [&](unsigned char** out) { return ASN1_item_i2d(value(info), out, subject_public_key_info_item()); },
      "cannot encode the public key");
}

pkcs11::PublicKey from_spki(ByteView der) {
  const ErrorsSetAside others;
  const unsigned char* in = der.data();
  const SubjectPublicKeyInfo info(reinterpret_cast<SubjectPublicKeyInfoSyntax*>(
      ASN1_item_d2i(nullptr, &in, static_cast<long>(der.size()), subject_public_key_info_item())));
  if (!info || in != der.data() + der.size()) refuse();
  const ByteView bits(ASN1_STRING_get0_data(info->subject_public_key),
                      static_cast<std::size_t>(ASN1_STRING_length(info->subject_public_key)));
  const int algorithm = OBJ_obj2nid(info->algorithm->algorithm);
  // Which of the two it is, and the parameters of the second, is no matter of the key itself.
  if (algorithm == NID_rsaEncryption || algorithm == NID_rsassaPss) return rsa_key(bits);
  if (algorithm == NID_X9_62_id_ecPublicKey) return ec_key(info->algorithm->parameter, bits);
  return key_of_own_algorithm(algorithm, bits);
}

}  // namespace keystay::x509
