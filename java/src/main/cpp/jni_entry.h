// The one frame between Java and C++: no exception crosses it.
#pragma once

#include <utility>

#include "java/src/main/cpp/java_exception.h"

namespace keystay::jni {

// Runs `body` and returns its result; an exception becomes a Java one, and `failure` is returned.
template <class Result, class Body>
Result jni_entry(JNIEnv* env, Result failure, Body&& body) noexcept {
  try {
    return std::forward<Body>(body)();
  } catch (...) {
    raise_current_exception(env);
    return failure;
  }
}

// For native methods that return nothing.
template <class Body>
void jni_entry(JNIEnv* env, Body&& body) noexcept {
  try {
    std::forward<Body>(body)();
  } catch (...) {
    raise_current_exception(env);
  }
}

}  // namespace keystay::jni
