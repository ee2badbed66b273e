#include "java/src/main/cpp/java_types.h"

#include <string>

#include "java/src/main/cpp/java_exception.h"

namespace keystay::jni {
namespace {

JavaTypes types;  // written once, before any native method can be called

// A global reference: the class is never unloaded, and neither is this library.
jclass find_class(JNIEnv* env, const char* name) {
  const jclass local = env->FindClass(name);
  check(env);
  const auto global = static_cast<jclass>(env->NewGlobalRef(local));
  check(env);
  env->DeleteLocalRef(local);
  return global;
}

jmethodID method(JNIEnv* env, jclass of, const char* name, const char* signature) {
  const jmethodID id = env->GetMethodID(of, name, signature);
  check(env);
  return id;
}

jmethodID static_method(JNIEnv* env, jclass of, const char* name, const char* signature) {
  const jmethodID id = env->GetStaticMethodID(of, name, signature);
  check(env);
  return id;
}

void load_certificate_fields(JNIEnv* env) {
  const jclass decoded = find_class(env, "org/keystay/jca/DecodedCertificate");
  const auto field = [&](const char* name, const char* signature) {
    const jfieldID id = env->GetFieldID(decoded, name, signature);
    check(env);
    return id;
  };
  types.certificate = {field("subject", "[B"),  field("issuer", "[B"),  field("serialNumber", "[B"),
                       field("notBefore", "J"), field("notAfter", "J"), field("keyType", "I"),
                       field("first", "[B"),    field("second", "[B"),  field("isCa", "Z")};
}

}  // namespace

void load_java_types(JNIEnv* env) {
  types.byte_array = find_class(env, "[B");

  types.exception = find_class(env, "org/keystay/jca/KeystayException");
  types.exception_init = method(env, types.exception, "<init>", "([BIJ)V");

  types.native_entry = find_class(env, "org/keystay/jca/NativeEntry");
  types.native_entry_init = method(env, types.native_entry, "<init>", "(J[B[BI[B[B[[B)V");

  types.native_named = find_class(env, "org/keystay/jca/NativeNamed");
  types.native_named_init =
      method(env, types.native_named, "<init>", "([BLorg/keystay/jca/NativeEntry;[B[B)V");

  types.native_listing = find_class(env, "org/keystay/jca/NativeListing");
  types.native_listing_init =
      method(env, types.native_listing, "<init>", "([Lorg/keystay/jca/NativeEntry;[[B[[B[[B)V");

  types.pkix_upcalls = find_class(env, "org/keystay/jca/PkixUpcalls");
  types.decode = static_method(env, types.pkix_upcalls, "decode", "([B)Lorg/keystay/jca/DecodedCertificate;");
  types.is_issued_by = static_method(env, types.pkix_upcalls, "isIssuedBy", "([B[B)Z");
  types.key_identifier = static_method(env, types.pkix_upcalls, "keyIdentifier", "(I[B[B)[B");
  types.uncompressed_point = static_method(env, types.pkix_upcalls, "uncompressedPoint", "([B[B)[B");

  types.signature_upcalls = find_class(env, "org/keystay/jca/SignatureUpcalls");
  types.is_signature = static_method(env, types.signature_upcalls, "isSignature", "(I[B[BIIII[B[B)Z");
  types.description = static_method(env, types.signature_upcalls, "description", "(Ljava/lang/Throwable;)[B");

  load_certificate_fields(env);
}

const JavaTypes& java_types() noexcept { return types; }

}  // namespace keystay::jni
