#include "java/src/main/cpp/native_codes.h"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <variant>

#include "org_keystay_jca_NativeCodes.h"

namespace keystay::jni {
namespace {

[[noreturn]] void refuse(const char* what) { throw std::invalid_argument(what); }

pkcs11::Hash hash(jint code) {
  switch (code) {
    case org_keystay_jca_NativeCodes_SHA1:
      return pkcs11::Hash::sha1;
    case org_keystay_jca_NativeCodes_SHA224:
      return pkcs11::Hash::sha224;
    case org_keystay_jca_NativeCodes_SHA256:
      return pkcs11::Hash::sha256;
    case org_keystay_jca_NativeCodes_SHA384:
      return pkcs11::Hash::sha384;
    case org_keystay_jca_NativeCodes_SHA512:
      return pkcs11::Hash::sha512;
    default:
      refuse("no hash has this number");
  }
}

jint code_of(pkcs11::Hash hash) noexcept {
  switch (hash) {
    case pkcs11::Hash::sha1:
      return org_keystay_jca_NativeCodes_SHA1;
    case pkcs11::Hash::sha224:
      return org_keystay_jca_NativeCodes_SHA224;
    case pkcs11::Hash::sha256:
      return org_keystay_jca_NativeCodes_SHA256;
    case pkcs11::Hash::sha384:
      return org_keystay_jca_NativeCodes_SHA384;
    case pkcs11::Hash::sha512:
      return org_keystay_jca_NativeCodes_SHA512;
  }
  return -1;
}

struct CodeOf {
  MechanismCode operator()(pkcs11::RsaPkcs) const noexcept {
    return {org_keystay_jca_NativeCodes_RSA_PKCS, {}};
  }
  MechanismCode operator()(pkcs11::RsaX509) const noexcept {
    return {org_keystay_jca_NativeCodes_RSA_X509, {}};
  }
  MechanismCode operator()(const pkcs11::RsaPss& pss) const noexcept {
    constexpr CK_ULONG kLongest = std::numeric_limits<jint>::max();  // no block holds such a salt
    return {org_keystay_jca_NativeCodes_RSA_PSS,
            {code_of(pss.hash), code_of(pss.mgf1), static_cast<jint>(std::min(pss.salt_length, kLongest))}};
  }
  MechanismCode operator()(pkcs11::Ecdsa) const noexcept { return {org_keystay_jca_NativeCodes_ECDSA, {}}; }
  MechanismCode operator()(pkcs11::EdDsa) const noexcept { return {org_keystay_jca_NativeCodes_EDDSA, {}}; }
};

}  // namespace

pkcs11::Sign signing(jint code, const MechanismParameters& parameters) {
  switch (code) {
    case org_keystay_jca_NativeCodes_RSA_PKCS:
      return {pkcs11::RsaPkcs{}};
    case org_keystay_jca_NativeCodes_RSA_X509:
      return {pkcs11::RsaX509{}};
    case org_keystay_jca_NativeCodes_RSA_PSS:
      if (parameters.salt_length < 0) refuse("a salt has no negative length");
      return {pkcs11::RsaPss{hash(parameters.hash), hash(parameters.mgf1_hash),
                             static_cast<CK_ULONG>(parameters.salt_length)}};
    case org_keystay_jca_NativeCodes_ECDSA:
      return {pkcs11::Ecdsa{}};
    case org_keystay_jca_NativeCodes_EDDSA:
      return {pkcs11::EdDsa{}};
    default:
      refuse("no mechanism to sign with has this number");
  }
}

pkcs11::Decrypt decryption(jint code, const MechanismParameters& parameters) {
  switch (code) {
    case org_keystay_jca_NativeCodes_RSA_PKCS:
      return {pkcs11::RsaPkcs{}};
    case org_keystay_jca_NativeCodes_RSA_X509:
      return {pkcs11::RsaX509{}};
    case org_keystay_jca_NativeCodes_RSA_OAEP:
      return {pkcs11::RsaOaep{hash(parameters.hash), hash(parameters.mgf1_hash), {}}};
    default:
      refuse("no mechanism to decrypt with has this number");
  }
}

keys::KeyUse key_use(jint code) {
  switch (code) {
    case org_keystay_jca_NativeCodes_SIGN:
      return keys::KeyUse::sign;
    case org_keystay_jca_NativeCodes_SIGN_AND_EXCHANGE:
      return keys::KeyUse::sign_and_exchange;
    default:
      refuse("no use of a key has this number");
  }
}

MechanismCode code_of(const pkcs11::SignMechanism& mechanism) noexcept {
  return std::visit(CodeOf{}, mechanism);
}

jint code_of(pkcs11::ErrorClass error_class) noexcept {
  switch (error_class) {
    case pkcs11::ErrorClass::client:
      return org_keystay_jca_NativeCodes_CLIENT;
    case pkcs11::ErrorClass::server:
      return org_keystay_jca_NativeCodes_SERVER;
    case pkcs11::ErrorClass::busy:
      return org_keystay_jca_NativeCodes_BUSY;
    case pkcs11::ErrorClass::session_lost:
      return org_keystay_jca_NativeCodes_SESSION_LOST;
    case pkcs11::ErrorClass::dirty_session:
      return org_keystay_jca_NativeCodes_DIRTY_SESSION;
    case pkcs11::ErrorClass::authentication:
      return org_keystay_jca_NativeCodes_AUTHENTICATION;
    case pkcs11::ErrorClass::host:
      return org_keystay_jca_NativeCodes_HOST;
  }
  return org_keystay_jca_NativeCodes_SERVER;
}

jint code_of_configuration_error() noexcept { return org_keystay_jca_NativeCodes_CONFIGURATION; }

}  // namespace keystay::jni
