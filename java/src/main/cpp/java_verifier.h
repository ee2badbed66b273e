// Signatures of a group with `verify = true`, verified by the JDK.
#pragma once

#include <jni.h>

#include "native/ha/verified_operations.h"

namespace keystay::jni {

// In JNI_OnLoad.
void create_verifier(JavaVM* vm) noexcept;

// Calls org.keystay.jca.SignatureUpcalls on the calling thread. A thread that is not Java's, as those are on
// which a group calls its members, is attached to the JVM for that, as a daemon, which the end of the JVM
// does not wait for; it stays attached until it ends. A Java exception becomes a pkcs11::Error (host): what
// the JDK cannot verify is no member's fault, and nobody gets the signature.
[[nodiscard]] ha::Verifier java_verifier();

}  // namespace keystay::jni
