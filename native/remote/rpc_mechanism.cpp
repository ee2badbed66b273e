// Mechanisms in p11-kit's protocol, whose form has changed with its versions.
#include <algorithm>
#include <array>

#include "native/pkcs11/error.h"
#include "native/pkcs11/mechanism_names.h"
#include "native/remote/rpc_message.h"

namespace keystay::remote {
namespace {

// From version 2 on nothing stands for the parameters of these, and one byte for the absent ones of others.
// Of p11-kit's list those that Keystay uses.
constexpr std::array<CK_MECHANISM_TYPE, 12> kWithoutParameters = {
    CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_RSA_PKCS,    CKM_RSA_X_509,
    CKM_EC_KEY_PAIR_GEN,       CKM_ECDSA,       CKM_GENERIC_SECRET_KEY_GEN,
    CKM_AES_KEY_GEN,           CKM_SHA_1_HMAC,  CKM_SHA224_HMAC,
    CKM_SHA256_HMAC,           CKM_SHA384_HMAC, CKM_SHA512_HMAC,
};

bool takes_no_parameters(CK_MECHANISM_TYPE type) noexcept {
  return std::find(kWithoutParameters.begin(), kWithoutParameters.end(), type) != kWithoutParameters.end();
}

[[noreturn]] void cannot_carry(CK_MECHANISM_TYPE type, Version version) {
  std::string message = "p11-kit on the token's machine cannot carry " + pkcs11::mechanism_name(type);
  if (type == CKM_ECDH1_DERIVE && version == Version::v0)
    message += "; key agreement needs p11-kit 0.25 or later there";
  throw pkcs11::Error(CKR_MECHANISM_PARAM_INVALID, message);
}

}  // namespace

Request& Request::mechanism(const CK_MECHANISM& mechanism, Version version) {
  u32(static_cast<std::uint32_t>(mechanism.mechanism));
  const bool none = mechanism.pParameter == nullptr;
  if (version < Version::v2) {
    if (none)
      byte_array(nullptr, 0);
    else
      parameters(mechanism, version);
  } else if (!takes_no_parameters(mechanism.mechanism)) {
    byte(none ? 0 : 1);
    if (!none) parameters(mechanism, version);
  }
  return *this;
}

void Request::parameters(const CK_MECHANISM& mechanism, Version version) {
  switch (mechanism.mechanism) {
    case CKM_RSA_PKCS_PSS: {
      const auto& pss = *static_cast<const CK_RSA_PKCS_PSS_PARAMS*>(mechanism.pParameter);
      number(pss.hashAlg).number(pss.mgf).number(pss.sLen);
      return;
    }
    case CKM_RSA_PKCS_OAEP: {
      const auto& oaep = *static_cast<const CK_RSA_PKCS_OAEP_PARAMS*>(mechanism.pParameter);
      number(oaep.hashAlg).number(oaep.mgf).number(oaep.source);
      byte_array(static_cast<const CK_BYTE*>(oaep.pSourceData), oaep.ulSourceDataLen);
      return;
    }
    case CKM_ECDH1_DERIVE: {
      if (version < Version::v1) cannot_carry(mechanism.mechanism, version);
      const auto& ecdh = *static_cast<const CK_ECDH1_DERIVE_PARAMS*>(mechanism.pParameter);
      number(ecdh.kdf);
      byte_array(static_cast<const CK_BYTE*>(ecdh.pSharedData), ecdh.ulSharedDataLen);
      byte_array(static_cast<const CK_BYTE*>(ecdh.pPublicData), ecdh.ulPublicDataLen);
      return;
    }
    default:
      cannot_carry(mechanism.mechanism, version);
  }
}

}  // namespace keystay::remote
