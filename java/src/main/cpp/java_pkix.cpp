#include "java/src/main/cpp/java_pkix.h"

#include <chrono>
#include <stdexcept>

#include "java/src/main/cpp/java_exception.h"
#include "java/src/main/cpp/java_types.h"
#include "java/src/main/cpp/java_values.h"
#include "java/src/main/cpp/public_key_parts.h"

namespace keystay::jni {
namespace {

const JavaPkix* instance = nullptr;

pkcs11::Bytes bytes_field(JNIEnv* env, jobject object, jfieldID field) {
  const auto array = static_cast<jbyteArray>(env->GetObjectField(object, field));
  return array ? to_bytes(env, array) : pkcs11::Bytes{};
}

std::chrono::system_clock::time_point time_field(JNIEnv* env, jobject object, jfieldID field) {
  // X.509 knows times that the clock's nanoseconds cannot count to (99991231235959Z).
  using Clock = std::chrono::system_clock;
  const std::chrono::milliseconds since_epoch(env->GetLongField(object, field));
  if (since_epoch >= std::chrono::floor<std::chrono::milliseconds>(Clock::duration::max()))
    return Clock::time_point::max();
  if (since_epoch <= std::chrono::ceil<std::chrono::milliseconds>(Clock::duration::min()))
    return Clock::time_point::min();
  return Clock::time_point(since_epoch);
}

keys::Certificate certificate(JNIEnv* env, jobject decoded, pkcs11::ByteView der) {
  const auto& field = java_types().certificate;
  keys::Certificate result;
  result.der.assign(der.begin(), der.end());
  result.subject = bytes_field(env, decoded, field.subject);
  result.issuer = bytes_field(env, decoded, field.issuer);
  result.serial_number = bytes_field(env, decoded, field.serial_number);
  result.not_before = time_field(env, decoded, field.not_before);
  result.not_after = time_field(env, decoded, field.not_after);
  if (const jint key_type = env->GetIntField(decoded, field.key_type); key_type >= 0) {
    result.public_key =
        assemble(key_type, bytes_field(env, decoded, field.first), bytes_field(env, decoded, field.second));
  }
  result.is_ca = env->GetBooleanField(decoded, field.is_ca) == JNI_TRUE;
  return result;
}

}  // namespace

std::optional<keys::Certificate> JavaPkix::decode(pkcs11::ByteView der) const {
  JNIEnv* env = environment();
  const LocalFrame frame(env, 8);
  const jobject decoded =
      env->CallStaticObjectMethod(java_types().pkix_upcalls, java_types().decode, to_java(env, der));
  check(env);
  if (!decoded) return std::nullopt;
  return certificate(env, decoded, der);
}

bool JavaPkix::issued_by(const keys::Certificate& certificate, const keys::Certificate& issuer) const {
  JNIEnv* env = environment();
  const LocalFrame frame(env, 2);
  const jbyteArray subject = to_java(env, certificate.der);
  const jboolean verified = env->CallStaticBooleanMethod(java_types().pkix_upcalls, java_types().is_issued_by,
                                                         subject, to_java(env, issuer.der));
  check(env);
  return verified == JNI_TRUE;
}

std::optional<pkcs11::EcPublicKey> JavaPkix::uncompressed(const pkcs11::EcPublicKey& key) const {
  JNIEnv* env = environment();
  const LocalFrame frame(env, 3);
  const jbyteArray parameters = to_java(env, key.parameters);
  const auto point = static_cast<jbyteArray>(env->CallStaticObjectMethod(
      java_types().pkix_upcalls, java_types().uncompressed_point, parameters, to_java(env, key.point)));
  check(env);
  if (!point) return std::nullopt;
  return pkcs11::EcPublicKey{key.parameters, to_bytes(env, point)};
}

pkcs11::Bytes JavaPkix::key_identifier(const pkcs11::PublicKey& key) const {
  JNIEnv* env = environment();
  const LocalFrame frame(env, 3);
  const PublicKeyParts key_parts = parts(key);
  const jbyteArray first = to_java(env, key_parts.first);
  const auto digest = static_cast<jbyteArray>(
      env->CallStaticObjectMethod(java_types().pkix_upcalls, java_types().key_identifier,
                                  static_cast<jint>(key_parts.type), first, to_java(env, key_parts.second)));
  check(env);
  return to_bytes(env, digest);
}

JNIEnv* JavaPkix::environment() const {
  void* env = nullptr;
  if (vm_->GetEnv(&env, JNI_VERSION_10) != JNI_OK) {
    throw std::logic_error("certificates are read on Java threads only");
  }
  return static_cast<JNIEnv*>(env);
}

void create_pkix(JavaVM* vm) { instance = new JavaPkix(vm); }

const JavaPkix& pkix() noexcept { return *instance; }

}  // namespace keystay::jni
