// The mechanisms that Keystay asks a token for, and the operations by them. Hashing is done in software
// before, so these are the raw ones: each states what its data is (PKCS #11 v3.0, Current Mechanisms).
#pragma once

#include <cstddef>
#include <variant>

#include "native/pkcs11/cryptoki.h"

namespace keystay::pkcs11 {

enum class Hash { sha1, sha224, sha256, sha384, sha512 };

struct RsaPkcs {};  // CKM_RSA_PKCS, section 2.1.6. Data: the DER DigestInfo (or any block up to k - 11 bytes)
struct RsaX509 {};  // CKM_RSA_X_509, section 2.1.9. Data: one padded block of k bytes
struct RsaPss {     // CKM_RSA_PKCS_PSS, section 2.1.10. Data: the digest
  Hash hash;
  Hash mgf1;
  CK_ULONG salt_length;  // bytes
};
struct Ecdsa {};  // CKM_ECDSA, section 2.3.6. Data: the digest. Signature: r || s
struct EdDsa {};  // CKM_EDDSA without parameters, section 2.3.14. Data: the message

using SignMechanism = std::variant<RsaPkcs, RsaX509, RsaPss, Ecdsa, EdDsa>;

struct RsaOaep {  // CKM_RSA_PKCS_OAEP, section 2.1.8
  Hash hash;
  Hash mgf1;
  Bytes label;  // RFC 8017, section 7.1
};

using DecryptMechanism = std::variant<RsaPkcs, RsaX509, RsaOaep>;

struct Sign {  // C_SignInit, C_Sign. Result: the raw signature, signature_size() bytes of room
  SignMechanism mechanism;
};
struct Decrypt {  // C_DecryptInit, C_Decrypt. Data: the ciphertext. Result: the plaintext, less than the
                  // modulus
  DecryptMechanism mechanism;
};
// C_DeriveKey by CKM_ECDH1_DERIVE without a key derivation function, section 2.3.8. Data: the peer's public
// point, uncompressed or as RFC 7748 encodes it. Result: the x coordinate, whose size is that of the field.
struct AgreeEcdh {};

// By secret keys:
struct Mac {  // CKM_SHA_1_HMAC, CKM_SHA256_HMAC …, section 2.20, by C_SignInit, C_Sign. Data: the message.
              // Result: the HMAC, size_of(hash) bytes
  Hash hash;
};
struct AesGcm {  // CKM_AES_GCM, section 2.12.3
  Bytes iv;
  Bytes additional_data;
  CK_ULONG tag_bits = 128;
};
struct EncryptAesGcm {  // C_EncryptInit, C_Encrypt. Data: the plaintext. Result: the ciphertext, then the tag
  AesGcm parameters;
};
struct DecryptAesGcm {  // C_DecryptInit, C_Decrypt. Data: the ciphertext, then the tag. Result: the
                        // plaintext; tokens want room for the tag as well
  AesGcm parameters;
};
// CKM_AES_KEY_WRAP (RFC 3394), section 2.14, of a secret that is a key in the token only meanwhile:
// C_CreateObject and C_WrapKey. Data: the secret, 16, 24 or 32 bytes. Result: 8 bytes more.
struct WrapSecret {};
struct UnwrapSecret {};  // the other way round: C_UnwrapKey, and CKA_VALUE of the object. Result: the secret

// What a private or secret key is used for: one operation in one part.
using Operation =
    std::variant<Sign, Decrypt, AgreeEcdh, Mac, EncryptAesGcm, DecryptAesGcm, WrapSecret, UnwrapSecret>;

// Of a digest or an HMAC, in bytes.
[[nodiscard]] std::size_t size_of(Hash hash) noexcept;

// The CKM_ constant of its mechanism.
[[nodiscard]] CK_MECHANISM_TYPE type(const Operation& operation) noexcept;

// What an operation needs, beside its mechanism: CKF_SIGN of CK_MECHANISM_INFO.flags and CKA_SIGN of the key,
// or the same for any other.
struct Permission {
  CK_FLAGS flag;
  CK_ATTRIBUTE_TYPE attribute;
};
[[nodiscard]] Permission permission(const Operation& operation) noexcept;

// A CK_MECHANISM with its parameters. Pinned: the C structure points into this object, and into the
// operation, which must outlive it.
class MechanismParameters final {
 public:
  explicit MechanismParameters(const Sign& operation) noexcept;
  explicit MechanismParameters(const Decrypt& operation) noexcept;
  explicit MechanismParameters(const Mac& operation) noexcept;
  explicit MechanismParameters(const AesGcm& parameters) noexcept;
  MechanismParameters(const MechanismParameters&) = delete;
  MechanismParameters& operator=(const MechanismParameters&) = delete;

  [[nodiscard]] CK_MECHANISM* get() noexcept { return &mechanism_; }

 private:
  CK_RSA_PKCS_PSS_PARAMS pss_{};
  CK_RSA_PKCS_OAEP_PARAMS oaep_{};
  CK_GCM_PARAMS gcm_{};
  CK_MECHANISM mechanism_{};
};

}  // namespace keystay::pkcs11
