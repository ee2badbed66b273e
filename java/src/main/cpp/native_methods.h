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

[[nodiscard]] std::span<const NativeMethod> native_key_methods() noexcept;    // NativeKey
[[nodiscard]] std::span<const NativeMethod> native_store_methods() noexcept;  // NativeStore

}  // namespace keystay::jni
