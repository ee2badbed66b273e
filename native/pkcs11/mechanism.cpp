#include "native/pkcs11/mechanism.h"

#include <array>
#include <iterator>

namespace keystay::pkcs11 {
namespace {

struct HashConstants {
  CK_MECHANISM_TYPE mechanism;
  CK_RSA_PKCS_MGF_TYPE mgf1;
  CK_MECHANISM_TYPE hmac;
  std::size_t size;  // bytes
};

// In the order of Hash.
constexpr std::array kHashes = std::to_array<HashConstants>({
    {CKM_SHA_1, CKG_MGF1_SHA1, CKM_SHA_1_HMAC, 20},
    {CKM_SHA224, CKG_MGF1_SHA224, CKM_SHA224_HMAC, 28},
    {CKM_SHA256, CKG_MGF1_SHA256, CKM_SHA256_HMAC, 32},
    {CKM_SHA384, CKG_MGF1_SHA384, CKM_SHA384_HMAC, 48},
    {CKM_SHA512, CKG_MGF1_SHA512, CKM_SHA512_HMAC, 64},
});

const HashConstants& constants(Hash hash) noexcept { return kHashes[static_cast<std::size_t>(hash)]; }

struct Type {
  CK_MECHANISM_TYPE operator()(RsaPkcs) const noexcept { return CKM_RSA_PKCS; }
  CK_MECHANISM_TYPE operator()(RsaX509) const noexcept { return CKM_RSA_X_509; }
  CK_MECHANISM_TYPE operator()(const RsaPss&) const noexcept { return CKM_RSA_PKCS_PSS; }
  CK_MECHANISM_TYPE operator()(const RsaOaep&) const noexcept { return CKM_RSA_PKCS_OAEP; }
  CK_MECHANISM_TYPE operator()(Ecdsa) const noexcept { return CKM_ECDSA; }
  CK_MECHANISM_TYPE operator()(EdDsa) const noexcept { return CKM_EDDSA; }

  CK_MECHANISM_TYPE operator()(const Sign& sign) const noexcept { return std::visit(*this, sign.mechanism); }
  CK_MECHANISM_TYPE operator()(const Decrypt& decrypt) const noexcept {
    return std::visit(*this, decrypt.mechanism);
  }
  CK_MECHANISM_TYPE operator()(AgreeEcdh) const noexcept { return CKM_ECDH1_DERIVE; }
  CK_MECHANISM_TYPE operator()(Mac mac) const noexcept { return constants(mac.hash).hmac; }
  CK_MECHANISM_TYPE operator()(const EncryptAesGcm&) const noexcept { return CKM_AES_GCM; }
  CK_MECHANISM_TYPE operator()(const DecryptAesGcm&) const noexcept { return CKM_AES_GCM; }
  CK_MECHANISM_TYPE operator()(WrapSecret) const noexcept { return CKM_AES_KEY_WRAP; }
  CK_MECHANISM_TYPE operator()(UnwrapSecret) const noexcept { return CKM_AES_KEY_WRAP; }
};

}  // namespace

CK_MECHANISM_TYPE type(const Operation& operation) noexcept { return std::visit(Type{}, operation); }

std::size_t size_of(Hash hash) noexcept { return constants(hash).size; }

Permission permission(const Operation& operation) noexcept {
  // In the order of Operation.
  static constexpr Permission kPermissions[] = {{CKF_SIGN, CKA_SIGN},       {CKF_DECRYPT, CKA_DECRYPT},
                                                {CKF_DERIVE, CKA_DERIVE},   {CKF_SIGN, CKA_SIGN},
                                                {CKF_ENCRYPT, CKA_ENCRYPT}, {CKF_DECRYPT, CKA_DECRYPT},
                                                {CKF_WRAP, CKA_WRAP},       {CKF_UNWRAP, CKA_UNWRAP}};
  static_assert(std::size(kPermissions) == std::variant_size_v<Operation>);
  return kPermissions[operation.index()];
}

MechanismParameters::MechanismParameters(const Sign& operation) noexcept {
  mechanism_.mechanism = Type{}(operation);
  if (const auto* pss = std::get_if<RsaPss>(&operation.mechanism)) {
    pss_.hashAlg = constants(pss->hash).mechanism;
    pss_.mgf = constants(pss->mgf1).mgf1;
    pss_.sLen = pss->salt_length;
    mechanism_.pParameter = &pss_;
    mechanism_.ulParameterLen = sizeof pss_;
  }
}

MechanismParameters::MechanismParameters(const Decrypt& operation) noexcept {
  mechanism_.mechanism = Type{}(operation);
  if (const auto* oaep = std::get_if<RsaOaep>(&operation.mechanism)) {
    oaep_.hashAlg = constants(oaep->hash).mechanism;
    oaep_.mgf = constants(oaep->mgf1).mgf1;
    oaep_.source = CKZ_DATA_SPECIFIED;
    // Cryptoki reads the label; its structure only lacks the const.
    oaep_.pSourceData = oaep->label.empty() ? nullptr : const_cast<std::uint8_t*>(oaep->label.data());
    oaep_.ulSourceDataLen = oaep->label.size();
    mechanism_.pParameter = &oaep_;
    mechanism_.ulParameterLen = sizeof oaep_;
  }
}

MechanismParameters::MechanismParameters(const Mac& operation) noexcept {
  mechanism_.mechanism = Type{}(operation);
}

// Cryptoki reads both; its structure only lacks the const.
MechanismParameters::MechanismParameters(const AesGcm& parameters) noexcept {
  mechanism_.mechanism = CKM_AES_GCM;
  gcm_.iv_ptr = const_cast<std::uint8_t*>(parameters.iv.data());
  gcm_.iv_len = parameters.iv.size();
  gcm_.iv_bits = parameters.iv.size() * 8;
  gcm_.aad_ptr = parameters.additional_data.empty()
                     ? nullptr
                     : const_cast<std::uint8_t*>(parameters.additional_data.data());
  gcm_.aad_len = parameters.additional_data.size();
  gcm_.tag_bits = parameters.tag_bits;
  mechanism_.pParameter = &gcm_;
  mechanism_.ulParameterLen = sizeof gcm_;
}

}  // namespace keystay::pkcs11
