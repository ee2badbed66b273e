// The native methods of each Java class, for RegisterNatives: no symbol but JNI_OnLoad is exported.
#pragma once

#include <span>

#include <jni.h>

namespace keystay::jni {

struct NativeMethod {
  const char* name;
  const char* signature;
  void* function;
};

// The JVM calls it from C: the compiler refuses a function that is not noexcept. That an exception becomes a
// Java one is jni_entry's, in which scripts/check_layering.py wants the whole of each.
template <class Result, class... Arguments>
[[nodiscard]] NativeMethod native_method(const char* name, const char* signature,
                                         Result (*function)(JNIEnv*, Arguments...) noexcept) noexcept {
  return {name, signature, reinterpret_cast<void*>(function)};
}

[[nodiscard]] std::span<const NativeMethod> native_key_methods() noexcept;    // NativeKey
[[nodiscard]] std::span<const NativeMethod> native_store_methods() noexcept;  // NativeStore

}  // namespace keystay::jni
