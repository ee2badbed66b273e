#include "java/src/main/cpp/java_exception.h"

#include <cstdint>
#include <new>
#include <string>
#include <string_view>

#include "java/src/main/cpp/java_types.h"
#include "java/src/main/cpp/java_values.h"
#include "java/src/main/cpp/native_codes.h"
#include "native/config/error.h"
#include "native/pkcs11/error.h"

namespace keystay::jni {
namespace {

constexpr jlong kNoReturnValue = -1;

void raise_class(JNIEnv* env, const char* name, const char* message) noexcept {
  const jclass type = env->FindClass(name);
  if (type) env->ThrowNew(type, message);  // else the failure to find it is pending
}

void raise_keystay_exception(JNIEnv* env, std::string_view message, jint kind, jlong return_value) {
  LocalFrame frame(env, 2);
  const jbyteArray text = to_java(env, message);
  const jobject exception =
      env->NewObject(java_types().exception, java_types().exception_init, text, kind, return_value);
  check(env);
  env->Throw(static_cast<jthrowable>(exception));
}

void raise(JNIEnv* env, const pkcs11::Error& error) {
  const auto code = error.code();
  raise_keystay_exception(env, error.what(), code_of(error.error_class()),
                          code ? static_cast<jlong>(*code) : kNoReturnValue);
}

}  // namespace

std::string take_exception(JNIEnv* env) {
  const jthrowable exception = env->ExceptionOccurred();
  env->ExceptionClear();
  std::string text = "a Java exception that cannot be described: the heap may be full";
  try {
    const LocalFrame frame(env, 1);
    const auto utf8 = static_cast<jbyteArray>(
        env->CallStaticObjectMethod(java_types().signature_upcalls, java_types().description, exception));
    check(env);
    text = to_text(env, utf8);
  } catch (const PendingJavaException&) {
    env->ExceptionClear();
  }
  env->DeleteLocalRef(exception);
  return text;
}

void refuse_null(JNIEnv* env) {
  raise_class(env, "java/lang/NullPointerException", "null was given to the native library");
  throw PendingJavaException();
}

void raise_current_exception(JNIEnv* env) noexcept {
  if (env->ExceptionCheck()) return;
  try {
    try {
      throw;
    } catch (const pkcs11::Error& error) {
      raise(env, error);
    } catch (const config::Error& error) {
      raise_keystay_exception(env, error.what(), code_of_configuration_error(), kNoReturnValue);
    }
  } catch (const PendingJavaException&) {
    // The exception that is pending goes to the caller.
  } catch (const std::bad_alloc&) {
    raise_class(env, "java/lang/OutOfMemoryError", "native memory");
  } catch (const std::exception& error) {
    raise_class(env, "java/lang/InternalError", error.what());
  } catch (...) {
    raise_class(env, "java/lang/InternalError", "an unknown C++ exception");
  }
}

}  // namespace keystay::jni
