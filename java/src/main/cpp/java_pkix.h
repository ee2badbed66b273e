// The alias rules' view of X.509, answered by the JDK.
#pragma once

#include <jni.h>

#include "native/keys/pkix.h"

namespace keystay::jni {

// Calls org.keystay.jca.PkixUpcalls on the calling thread, which must be a Java one: all that use a KeyStore
// here are. Throws PendingJavaException.
class JavaPkix final : public keys::Pkix {
 public:
  explicit JavaPkix(JavaVM* vm) noexcept : vm_(vm) {}

  [[nodiscard]] std::optional<keys::Certificate> decode(pkcs11::ByteView der) const override;
  [[nodiscard]] bool issued_by(const keys::Certificate& certificate,
                               const keys::Certificate& issuer) const override;
  [[nodiscard]] std::optional<pkcs11::EcPublicKey> uncompressed(
      const pkcs11::EcPublicKey& key) const override;
  [[nodiscard]] pkcs11::Bytes key_identifier(const pkcs11::PublicKey& key) const override;

 private:
  [[nodiscard]] JNIEnv* environment() const;

  JavaVM* vm_;
};

// The one of this process; made in JNI_OnLoad.
void create_pkix(JavaVM* vm);
[[nodiscard]] const JavaPkix& pkix() noexcept;

}  // namespace keystay::jni
