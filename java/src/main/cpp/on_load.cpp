// What System.load calls: compares versions, looks the Java side up, and registers the native methods.
#include <string>
#include <vector>

#include <jni.h>

#include "java/src/main/cpp/java_exception.h"
#include "java/src/main/cpp/java_pkix.h"
#include "java/src/main/cpp/java_types.h"
#include "java/src/main/cpp/java_verifier.h"
#include "java/src/main/cpp/jni_entry.h"
#include "java/src/main/cpp/native_methods.h"

namespace keystay::jni {
namespace {

std::string jar_version(JNIEnv* env) {
  const jclass version = env->FindClass("org/keystay/jca/Version");
  check(env);
  const jfieldID field = env->GetStaticFieldID(version, "STRING", "Ljava/lang/String;");
  check(env);
  const auto text = static_cast<jstring>(env->GetStaticObjectField(version, field));
  const char* characters = env->GetStringUTFChars(text, nullptr);
  check(env);
  std::string result(characters);
  env->ReleaseStringUTFChars(text, characters);
  return result;
}

// A jar and a library of different builds would call each other wrongly.
void require_version(JNIEnv* env, const std::string& jar) {
  const std::string library = KEYSTAY_VERSION;
  if (jar == library) return;
  const jclass error = env->FindClass("java/lang/UnsatisfiedLinkError");
  check(env);
  env->ThrowNew(error, ("the library is version " + library + " and the jar is version " + jar +
                        "; take both from one build")
                           .c_str());
  throw PendingJavaException();
}

void register_methods(JNIEnv* env, const char* class_name, std::span<const NativeMethod> methods) {
  const jclass type = env->FindClass(class_name);
  check(env);
  std::vector<JNINativeMethod> table;
  for (const NativeMethod& method : methods) {
    // The names are not written to: jni.h lacks a const.
    table.push_back({const_cast<char*>(method.name), const_cast<char*>(method.signature), method.function});
  }
  env->RegisterNatives(type, table.data(), static_cast<jint>(table.size()));
  check(env);
}

jint load(JavaVM* vm) noexcept {
  void* environment = nullptr;
  if (vm->GetEnv(&environment, JNI_VERSION_10) != JNI_OK) return JNI_ERR;
  auto* const env = static_cast<JNIEnv*>(environment);
  return jni_entry(env, jint{JNI_ERR}, [&]() -> jint {
    require_version(env, jar_version(env));
    load_java_types(env);
    create_pkix(vm);
    create_verifier(vm);
    register_methods(env, "org/keystay/jca/NativeKey", native_key_methods());
    register_methods(env, "org/keystay/jca/NativeStore", native_store_methods());
    return JNI_VERSION_10;
  });
}

}  // namespace
}  // namespace keystay::jni

extern "C" JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM* vm, void*) { return keystay::jni::load(vm); }
