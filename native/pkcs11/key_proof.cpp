#include "native/pkcs11/key_proof.h"

#include <algorithm>
#include <array>
#include <optional>

#include "native/pkcs11/error.h"

namespace keystay::pkcs11 {
namespace {

// Signed by nobody but for this: no DigestInfo, no hash of anything that somebody sends.
constexpr std::array<std::uint8_t, 32> kData{'K', 'e', 'y', 's', 't', 'a', 'y', ':', ' ', 'w', 'h',
                                             'o', 's', 'e', ' ', 'k', 'e', 'y', ' ', 'i', 's', ' ',
                                             't', 'h', 'i', 's', ',', ' ', 's', 'a', 'y', '?'};

// CKA_EC_POINT is the point in an OCTET STRING (section 2.3.3).
Bytes octet_string(const Bytes& point) {
  Bytes der = {0x04};
  if (point.size() >= 0x80) der.push_back(0x81);
  der.push_back(static_cast<std::uint8_t>(point.size()));
  der.insert(der.end(), point.begin(), point.end());
  return der;
}

struct DescribeKey {
  Template& object;

  void operator()(const RsaPublicKey& key) const {
    object.bytes(CKA_MODULUS, key.modulus).bytes(CKA_PUBLIC_EXPONENT, key.public_exponent);
  }
  void operator()(const auto& key) const {
    object.bytes(CKA_EC_PARAMS, key.parameters).bytes(CKA_EC_POINT, octet_string(key.point));
  }
};

Template session_object(const PublicKey& key) {
  Template object;
  object.number(CKA_CLASS, CKO_PUBLIC_KEY)
      .number(CKA_KEY_TYPE, key_type(key))
      .flag(CKA_TOKEN, false)
      .flag(CKA_PRIVATE, false)
      .flag(CKA_VERIFY, true);
  std::visit(DescribeKey{object}, key);
  return object;
}

SignMechanism mechanism_for(const PublicKey& key) {
  if (std::holds_alternative<RsaPublicKey>(key)) return RsaPkcs{};
  if (std::holds_alternative<EcPublicKey>(key)) return Ecdsa{};
  return EdDsa{};
}

class SessionObject final {
 public:
  SessionObject(Session& session, Template object)
      : session_(session), handle_(session.create_object(std::move(object))) {}
  SessionObject(const SessionObject&) = delete;
  SessionObject& operator=(const SessionObject&) = delete;
  ~SessionObject() {
    try {
      session_.destroy_object(handle_);
    } catch (const Error&) {  // it goes with its session
    }
  }

  [[nodiscard]] CK_OBJECT_HANDLE handle() const noexcept { return handle_; }

 private:
  Session& session_;
  const CK_OBJECT_HANDLE handle_;
};

// Nothing where the key does not sign. One with CKA_ALWAYS_AUTHENTICATE wants a login for it.
std::optional<Bytes> signature_by(Session& session, CK_OBJECT_HANDLE private_key, const PublicKey& public_key,
                                  const Sign& operation) {
  Bytes signature(signature_size(public_key));
  if (signature.empty()) return std::nullopt;
  try {
    signature.resize(session.perform(private_key, operation, kData, signature));
  } catch (const Error& error) {
    if (error.error_class() != ErrorClass::client && error.code() != CKR_USER_NOT_LOGGED_IN) throw;
    return std::nullopt;
  }
  return signature;
}

}  // namespace

KeyProof prove(Session& session, CK_OBJECT_HANDLE private_key, const PublicKey& public_key) {
  const Sign operation{mechanism_for(public_key)};
  const std::optional<Bytes> signature = signature_by(session, private_key, public_key, operation);
  if (!signature) return KeyProof::impossible;
  try {
    const SessionObject other_half(session, session_object(public_key));
    return session.verifies(other_half.handle(), operation, kData, *signature) ? KeyProof::given
                                                                               : KeyProof::refuted;
  } catch (const Error& error) {
    // Tokens say so with many codes that they take no public key, or check nothing with it.
    if (error.error_class() == ErrorClass::session_lost) throw;
    return KeyProof::impossible;
  }
}

}  // namespace keystay::pkcs11
