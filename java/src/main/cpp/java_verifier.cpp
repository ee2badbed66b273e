#include "java/src/main/cpp/java_verifier.h"

#include <string>

#include "java/src/main/cpp/java_exception.h"
#include "java/src/main/cpp/java_types.h"
#include "java/src/main/cpp/java_values.h"
#include "java/src/main/cpp/native_codes.h"
#include "java/src/main/cpp/public_key_parts.h"
#include "native/pkcs11/error.h"

namespace keystay::jni {
namespace {

using pkcs11::ByteView;
using pkcs11::Error;
using pkcs11::ErrorClass;

JavaVM* java_vm = nullptr;  // written once, before any native method can be called

// AttachCurrentThreadAsDaemon, and DetachCurrentThread when the thread ends: it has a java.lang.Thread, whose
// making costs more than a call.
class Attachment final {
 public:
  Attachment() {
    char name[] = "keystay-call";  // jni.h lacks a const
    JavaVMAttachArgs arguments{JNI_VERSION_10, name, nullptr};
    void* env = nullptr;
    const jint result = java_vm->AttachCurrentThreadAsDaemon(&env, &arguments);
    if (result != JNI_OK) {
      throw Error(ErrorClass::host,
                  "a signature cannot be verified: the JVM takes no thread of Keystay (JNI error " +
                      std::to_string(result) + "); it is ending, or has no memory for one");
    }
    env_ = static_cast<JNIEnv*>(env);
  }
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;
  ~Attachment() { java_vm->DetachCurrentThread(); }

  [[nodiscard]] JNIEnv* environment() const noexcept { return env_; }

 private:
  JNIEnv* env_ = nullptr;
};

JNIEnv* attached_environment() {
  void* env = nullptr;
  if (java_vm->GetEnv(&env, JNI_VERSION_10) == JNI_OK) return static_cast<JNIEnv*>(env);
  thread_local const Attachment attachment;
  return attachment.environment();
}

bool is_signature(JNIEnv* env, const pkcs11::PublicKey& key, const pkcs11::SignMechanism& mechanism,
                  ByteView data, ByteView signature) {
  const PublicKeyParts key_parts = parts(key);
  const MechanismCode code = code_of(mechanism);
  const LocalFrame frame(env, 4);
  const jbyteArray first = to_java(env, key_parts.first);
  const jbyteArray second = to_java(env, key_parts.second);
  const jbyteArray java_data = to_java(env, data);
  const jbyteArray java_signature = to_java(env, signature);
  const jboolean result = env->CallStaticBooleanMethod(
      java_types().signature_upcalls, java_types().is_signature, key_parts.type, first, second,
      code.mechanism, code.parameters.hash, code.parameters.mgf1_hash, code.parameters.salt_length, java_data,
      java_signature);
  check(env);
  return result == JNI_TRUE;
}

bool verifies(const pkcs11::PublicKey& key, const pkcs11::SignMechanism& mechanism, ByteView data,
              ByteView signature) {
  JNIEnv* env = attached_environment();
  try {
    return is_signature(env, key, mechanism, data, signature);
  } catch (const PendingJavaException&) {
    throw Error(ErrorClass::host, "this JVM cannot verify a signature of the group: " + take_exception(env) +
                                      "; add a security provider that can, or set verify = false");
  }
}

}  // namespace

void create_verifier(JavaVM* vm) noexcept { java_vm = vm; }

ha::Verifier java_verifier() { return verifies; }

}  // namespace keystay::jni
