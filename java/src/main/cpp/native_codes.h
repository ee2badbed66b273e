// The numbers of org.keystay.jca.NativeCodes, whose names javac writes into a header, and what they stand for
// here. Those that come from Java are checked: std::invalid_argument for one that stands for nothing.
#pragma once

#include <jni.h>

#include "native/keys/key_spec.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/mechanism.h"
#include "native/pkcs11/public_key.h"

namespace keystay::jni {

// What a mechanism with parameters wants to know; the others ignore it.
struct MechanismParameters {
  jint hash;
  jint mgf1_hash;
  jint salt_length;  // bytes; PSS only
};

[[nodiscard]] pkcs11::Sign signing(jint code, const MechanismParameters& parameters);
[[nodiscard]] pkcs11::Decrypt decryption(jint code, const MechanismParameters& parameters);
[[nodiscard]] keys::KeyUse key_use(jint code);

// The way back.
struct MechanismCode {
  jint mechanism;
  MechanismParameters parameters;
};
[[nodiscard]] MechanismCode code_of(const pkcs11::SignMechanism& mechanism) noexcept;

[[nodiscard]] jint code_of(pkcs11::ErrorClass error_class) noexcept;
[[nodiscard]] jint code_of_configuration_error() noexcept;

}  // namespace keystay::jni
