// org.keystay.jca.NativeKey
#include <array>
#include <span>
#include <stdexcept>

#include <string.h>

#include "java/src/main/cpp/java_exception.h"
#include "java/src/main/cpp/java_values.h"
#include "java/src/main/cpp/jni_entry.h"
#include "java/src/main/cpp/key_table.h"
#include "java/src/main/cpp/native_codes.h"
#include "java/src/main/cpp/native_methods.h"
#include "native/keys/private_key.h"

namespace keystay::jni {
namespace {

// Holds every digest, every RSA block and every signature that Keystay knows.
constexpr std::size_t kOnStack = 1024;

const keys::PrivateKey& key_at(jlong address) { return *reinterpret_cast<const keys::PrivateKey*>(address); }

jbyteArray sign(JNIEnv* env, const keys::PrivateKey& key, const pkcs11::Operation& operation,
                pkcs11::ByteView data) {
  std::array<std::uint8_t, kOnStack> signature;
  if (key.signature_size() > signature.size()) throw std::length_error("a signature longer than 1024 bytes");
  const std::size_t size = key.perform(operation, data, signature);
  return to_java(env, pkcs11::ByteView(signature.data(), size));
}

jbyteArray JNICALL native_sign(JNIEnv* env, jobject, jlong key, jint mechanism, jint hash, jint mgf1_hash,
                               jint salt_length, jbyteArray data) noexcept {
  return jni_entry(env, jbyteArray{}, [&] {
    const pkcs11::Operation requested = signing(mechanism, {hash, mgf1_hash, salt_length});
    const auto size = static_cast<std::size_t>(array_length(env, data));
    if (size > kOnStack) return sign(env, key_at(key), requested, to_bytes(env, data));
    std::array<std::uint8_t, kOnStack> copy;
    env->GetByteArrayRegion(data, 0, static_cast<jsize>(size), reinterpret_cast<jbyte*>(copy.data()));
    check(env);
    return sign(env, key_at(key), requested, {copy.data(), size});
  });
}

// Wiped when it was copied to Java.
struct Secret {
  std::array<std::uint8_t, kOnStack> bytes;
  ~Secret() { ::explicit_bzero(bytes.data(), bytes.size()); }
};

jbyteArray JNICALL native_decrypt(JNIEnv* env, jobject, jlong key, jint mechanism, jint hash, jint mgf1_hash,
                                  jbyteArray ciphertext) noexcept {
  return jni_entry(env, jbyteArray{}, [&] {
    const pkcs11::Operation requested = decryption(mechanism, {hash, mgf1_hash, 0});
    Secret plaintext;
    const std::size_t size = key_at(key).perform(requested, to_bytes(env, ciphertext), plaintext.bytes);
    return to_java(env, pkcs11::ByteView(plaintext.bytes.data(), size));
  });
}

jbyteArray JNICALL native_derive(JNIEnv* env, jobject, jlong key, jbyteArray peer_point, jint size) noexcept {
  return jni_entry(env, jbyteArray{}, [&] {
    Secret secret;
    if (size < 0 || static_cast<std::size_t>(size) > kOnStack)
      throw std::length_error("a secret of no possible size");
    const auto x = std::span(secret.bytes).first(static_cast<std::size_t>(size));
    key_at(key).perform(pkcs11::AgreeEcdh{}, to_bytes(env, peer_point), x);
    return to_java(env, pkcs11::ByteView(x));
  });
}

jboolean JNICALL native_supports(JNIEnv* env, jobject, jlong key, jint mechanism) noexcept {
  return jni_entry(env, jboolean{JNI_FALSE}, [&]() -> jboolean {
    const bool supported = key_at(key).operations().supports(signing(mechanism, {}));
    return supported ? JNI_TRUE : JNI_FALSE;
  });
}

void JNICALL native_release(JNIEnv* env, jclass, jlong key) noexcept {
  jni_entry(env, [&] { release(key_at(key)); });
}

jint JNICALL native_count(JNIEnv* env, jclass) noexcept {
  return jni_entry(env, jint{0}, [&] { return static_cast<jint>(interned_keys()); });
}

}  // namespace

std::span<const NativeMethod> native_key_methods() noexcept {
  static const NativeMethod methods[] = {
      native_method("release", "(J)V", native_release),
      native_method("count", "()I", native_count),
      native_method("sign", "(JIIII[B)[B", native_sign),
      native_method("decrypt", "(JIII[B)[B", native_decrypt),
      native_method("derive", "(J[BI)[B", native_derive),
      native_method("supports", "(JI)Z", native_supports),
  };
  return methods;
}

}  // namespace keystay::jni
