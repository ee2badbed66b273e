#include "native/x509/signature_algorithm.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <openssl/rsa.h>

#include "native/pkcs11/curve.h"
#include "native/x509/der.h"
#include "native/x509/ecdsa_signature.h"
#include "native/x509/error_mark.h"

namespace keystay::x509 {
namespace {

using pkcs11::Bytes;
using pkcs11::ByteView;

using enum SignatureScheme;  // pkcs1, pss, elliptic

constexpr std::string_view kPss = "RSASSA-PSS";  // the name of all of them in the JCA

// SHA-1 is not among them: nothing that checks certificates takes it.
constexpr std::array kAlgorithms = std::to_array<SignatureAlgorithm>({
    {"SHA256withRSA", CKK_RSA, NID_sha256WithRSAEncryption, NID_sha256, pkcs1},
    {"SHA384withRSA", CKK_RSA, NID_sha384WithRSAEncryption, NID_sha384, pkcs1},
    {"SHA512withRSA", CKK_RSA, NID_sha512WithRSAEncryption, NID_sha512, pkcs1},
    {"SHA224withRSA", CKK_RSA, NID_sha224WithRSAEncryption, NID_sha224, pkcs1},
    {"SHA3-256withRSA", CKK_RSA, NID_RSA_SHA3_256, NID_sha3_256, pkcs1},
    {"SHA3-384withRSA", CKK_RSA, NID_RSA_SHA3_384, NID_sha3_384, pkcs1},
    {"SHA3-512withRSA", CKK_RSA, NID_RSA_SHA3_512, NID_sha3_512, pkcs1},
    {"SHA256withRSAandMGF1", CKK_RSA, NID_rsassaPss, NID_sha256, pss},
    {"SHA384withRSAandMGF1", CKK_RSA, NID_rsassaPss, NID_sha384, pss},
    {"SHA512withRSAandMGF1", CKK_RSA, NID_rsassaPss, NID_sha512, pss},
    {"SHA256withECDSA", CKK_EC, NID_ecdsa_with_SHA256, NID_sha256, elliptic},
    {"SHA384withECDSA", CKK_EC, NID_ecdsa_with_SHA384, NID_sha384, elliptic},
    {"SHA512withECDSA", CKK_EC, NID_ecdsa_with_SHA512, NID_sha512, elliptic},
    {"SHA224withECDSA", CKK_EC, NID_ecdsa_with_SHA224, NID_sha224, elliptic},
    {"Ed25519", CKK_EC_EDWARDS, NID_ED25519, NID_undef, elliptic},
    {"Ed448", CKK_EC_EDWARDS, NID_ED448, NID_undef, elliptic},
});

const pkcs11::Curve* curve(const pkcs11::PublicKey& key) {
  if (const auto* ec = std::get_if<pkcs11::EcPublicKey>(&key))
    return pkcs11::find_curve_by_parameters(ec->parameters);
  if (const auto* edwards = std::get_if<pkcs11::EdwardsPublicKey>(&key)) {
    return pkcs11::find_curve_by_parameters(edwards->parameters);
  }
  return nullptr;
}

// What of a key decides about its signatures.
struct Signer {
  CK_KEY_TYPE type;
  std::size_t signature_size;  // in bytes; 0: it makes none
  const pkcs11::Curve* curve;  // null: RSA, or a curve that Keystay does not know
  RsaUse use;
};

Signer signer(const pkcs11::PublicKey& key, RsaUse use) {
  return {pkcs11::key_type(key), pkcs11::signature_size(key), curve(key), use};
}

Signer signer(const keys::KeySpec& spec, RsaUse use) {
  if (const auto* rsa = std::get_if<keys::RsaSpec>(&spec))
    return {CKK_RSA, rsa->modulus_bits / 8, nullptr, use};
  const pkcs11::Curve* curve = std::get<keys::CurveSpec>(spec).curve;
  return {curve->key_type, curve->signature_size, curve, use};
}

// A digest of the strength of the key (SP 800-57, table 2), as keytool chooses it.
std::string_view usual_pkcs1(std::size_t size) {
  return size > 960 ? "SHA512withRSA" : size > 384 ? "SHA384withRSA" : "SHA256withRSA";
}
std::string_view usual_pss(std::size_t size) {
  return size > 960 ? "SHA512withRSAandMGF1" : size > 384 ? "SHA384withRSAandMGF1" : "SHA256withRSAandMGF1";
}

std::string_view usual_name(const Signer& key) {
  const std::size_t size = key.signature_size;
  switch (key.type) {
    case CKK_RSA:
      return key.use == RsaUse::pss_only ? usual_pss(size) : usual_pkcs1(size);
    case CKK_EC:
      return size > 96 ? "SHA512withECDSA" : size > 64 ? "SHA384withECDSA" : "SHA256withECDSA";
    default:
      return key.curve != nullptr ? key.curve->name : "";
  }
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

bool fits(const SignatureAlgorithm& algorithm, const Signer& key) {
  if (algorithm.key_type != key.type) return false;
  if (algorithm.key_type == CKK_RSA) return key.use == RsaUse::any || algorithm.scheme == pss;
  if (algorithm.key_type != CKK_EC_EDWARDS) return true;
  return key.curve != nullptr && key.curve->name == algorithm.name;
}

std::string names_for(const Signer& key) {
  std::string names;
  for (const SignatureAlgorithm& algorithm : kAlgorithms) {
    if (fits(algorithm, key)) names.append(names.empty() ? "" : ", ").append(algorithm.name);
  }
  return names;
}

Bytes digest(int digest_nid, ByteView message) {
  Bytes result(EVP_MAX_MD_SIZE);
  std::size_t size = 0;
  if (EVP_Q_digest(nullptr, OBJ_nid2sn(digest_nid), nullptr, message.data(), message.size(), result.data(),
                   &size) != 1) {
    throw openssl_error("cannot hash what is to be signed");
  }
  result.resize(size);
  return result;
}

// DigestInfo (RFC 8017, section 9.2).
Bytes digest_info(int digest_nid, const Bytes& hashed) {
  const Owned<X509_SIG, X509_SIG_free> info(X509_SIG_new());
  if (!info) throw openssl_error("cannot encode the digest");
  X509_ALGOR* algorithm = nullptr;
  ASN1_OCTET_STRING* octets = nullptr;
  X509_SIG_getm(info.get(), &algorithm, &octets);
  if (X509_ALGOR_set0(algorithm, OBJ_nid2obj(digest_nid), V_ASN1_NULL, nullptr) != 1 ||
      ASN1_OCTET_STRING_set(octets, hashed.data(), static_cast<int>(hashed.size())) != 1) {
    throw openssl_error("cannot encode the digest");
  }
  return to_der([&](unsigned char** out) { return i2d_X509_SIG(info.get(), out); },
                "cannot encode the digest");
}

using PssParameters = Owned<RSA_PSS_PARAMS, RSA_PSS_PARAMS_free>;

// RFC 4055, section 3.1: the hash, MGF1 by the same, and a salt of its size.
PssParameters pss_parameters(int digest_nid) {
  const EVP_MD* hash = EVP_get_digestbynid(digest_nid);
  PssParameters parameters(RSA_PSS_PARAMS_new());
  const X509Algorithm mgf1_hash(X509_ALGOR_new());
  if (!parameters || !mgf1_hash || hash == nullptr)
    throw openssl_error("cannot encode the signature algorithm");
  X509_ALGOR_set_md(mgf1_hash.get(), hash);
  parameters->hashAlgorithm = X509_ALGOR_new();
  parameters->maskGenAlgorithm = X509_ALGOR_new();
  parameters->saltLength = ASN1_INTEGER_new();
  ASN1_STRING* packed = ASN1_item_pack(mgf1_hash.get(), ASN1_ITEM_rptr(X509_ALGOR), nullptr);
  if (parameters->hashAlgorithm == nullptr || parameters->maskGenAlgorithm == nullptr || packed == nullptr ||
      ASN1_INTEGER_set(parameters->saltLength, EVP_MD_get_size(hash)) != 1 ||
      X509_ALGOR_set0(parameters->maskGenAlgorithm, OBJ_nid2obj(NID_mgf1), V_ASN1_SEQUENCE, packed) != 1) {
    throw openssl_error("cannot encode the signature algorithm");
  }
  X509_ALGOR_set_md(parameters->hashAlgorithm, hash);
  return parameters;
}

pkcs11::Hash hash_of(int digest_nid) {
  return digest_nid == NID_sha512   ? pkcs11::Hash::sha512
         : digest_nid == NID_sha384 ? pkcs11::Hash::sha384
                                    : pkcs11::Hash::sha256;
}

Bytes raw_signature(const keys::PrivateKey& key, const pkcs11::SignMechanism& mechanism, ByteView data) {
  const ErrorMark mark;  // a module that uses libcrypto too leaves its own errors on the queue
  Bytes signature(key.signature_size());
  signature.resize(key.sign(mechanism, data, signature));
  return signature;
}

Bytes ecdsa_signature(const Bytes& raw) {
  std::array<std::uint8_t, kLongestEcdsaDer> der;
  const std::size_t size = encode_ecdsa(raw, der);
  return {der.begin(), der.begin() + static_cast<std::ptrdiff_t>(size)};
}

const SignatureAlgorithm& algorithm_for(std::string_view name, const Signer& key) {
  if (key.signature_size == 0) throw Error("a key of this kind agrees on secrets and cannot sign");
  const std::string_view wanted = name.empty() ? usual_name(key)
                                  : key.type == CKK_RSA && same_name(name, kPss)
                                      ? usual_pss(key.signature_size)
                                  : key.type == CKK_EC_EDWARDS && same_name(name, "EdDSA") ? usual_name(key)
                                                                                           : name;
  const auto found = std::ranges::find_if(kAlgorithms, [&](const SignatureAlgorithm& algorithm) {
    return same_name(algorithm.name, wanted) && fits(algorithm, key);
  });
  if (std::ranges::none_of(kAlgorithms, [&](const auto& known) { return same_name(known.name, wanted); })) {
    throw Error("unknown signature algorithm \"" + std::string(wanted) + "\"; this key can make " +
                names_for(key));
  }
  if (found == kAlgorithms.end()) {
    throw Error("signature algorithm \"" + std::string(wanted) + "\" does not fit the key; it can make " +
                names_for(key));
  }
  return *found;
}

}  // namespace

const SignatureAlgorithm& signature_algorithm(std::string_view name, const pkcs11::PublicKey& key,
                                              RsaUse use) {
  return algorithm_for(name, signer(key, use));
}

void require_signature_algorithm(std::string_view name, const keys::KeySpec& spec, RsaUse use) {
  static_cast<void>(algorithm_for(name, signer(spec, use)));
}

X509Algorithm algorithm_identifier(const SignatureAlgorithm& algorithm) {
  X509Algorithm identifier(X509_ALGOR_new());
  if (!identifier) throw openssl_error("cannot encode the signature algorithm");
  if (algorithm.scheme == pss) {
    const PssParameters parameters = pss_parameters(algorithm.digest_nid);
    ASN1_STRING* encoded = ASN1_item_pack(parameters.get(), ASN1_ITEM_rptr(RSA_PSS_PARAMS), nullptr);
    if (encoded == nullptr ||
        X509_ALGOR_set0(identifier.get(), OBJ_nid2obj(NID_rsassaPss), V_ASN1_SEQUENCE, encoded) != 1) {
      ASN1_STRING_free(encoded);
      throw openssl_error("cannot encode the signature algorithm");
    }
    return identifier;
  }
  // RFC 4055, section 5, wants NULL for RSA; RFC 5758 and RFC 8410 want the parameters absent.
  const int parameters = algorithm.key_type == CKK_RSA ? V_ASN1_NULL : V_ASN1_UNDEF;
  if (X509_ALGOR_set0(identifier.get(), OBJ_nid2obj(algorithm.nid), parameters, nullptr) != 1)
    throw openssl_error("cannot encode the signature algorithm");
  return identifier;
}

Bytes sign(const keys::PrivateKey& key, const SignatureAlgorithm& algorithm, ByteView message) {
  if (algorithm.key_type == CKK_EC_EDWARDS) return raw_signature(key, pkcs11::EdDsa{}, message);
  Bytes hashed = digest(algorithm.digest_nid, message);
  if (algorithm.key_type == CKK_EC) {
    // SEC 1, section 4.1.3: the leftmost bits, as many as the order has. Some tokens refuse longer input.
    hashed.resize(std::min(hashed.size(), key.signature_size() / 2));
    return ecdsa_signature(raw_signature(key, pkcs11::Ecdsa{}, hashed));
  }
  if (algorithm.scheme == pss) {
    const pkcs11::Hash hash = hash_of(algorithm.digest_nid);
    return raw_signature(key, pkcs11::RsaPss{hash, hash, hashed.size()}, hashed);
  }
  return raw_signature(key, pkcs11::RsaPkcs{}, digest_info(algorithm.digest_nid, hashed));
}

}  // namespace keystay::x509
