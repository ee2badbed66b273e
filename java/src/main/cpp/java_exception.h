// Exceptions across the JNI boundary, in both directions.
#pragma once

#include <exception>
#include <string>

#include <jni.h>

namespace keystay::jni {

// A Java exception is pending in this thread: unwinds to jni_entry, which leaves it as it is.
class PendingJavaException final : public std::exception {
 public:
  [[nodiscard]] const char* what() const noexcept override { return "a Java exception is pending"; }
};

// After every JNI call that can throw.
inline void check(JNIEnv* env) {
  if (env->ExceptionCheck()) [[unlikely]]
    throw PendingJavaException();
}

// Takes the pending exception away and gives its words, for a thread that has no Java caller who could get
// it.
[[nodiscard]] std::string take_exception(JNIEnv* env);

// Makes a NullPointerException pending, for a value that Java must give.
[[noreturn]] void refuse_null(JNIEnv* env);

// In a catch block: makes the C++ exception in flight a pending Java exception. Errors of the core become
// KeystayException, std::bad_alloc an OutOfMemoryError, and what should not happen an InternalError.
void raise_current_exception(JNIEnv* env) noexcept;

}  // namespace keystay::jni
