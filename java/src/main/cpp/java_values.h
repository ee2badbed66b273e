// Values across the JNI boundary: always copied, so that no Java array is pinned while a module is called.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <jni.h>

#include "native/pkcs11/cryptoki.h"
#include "native/pkcs11/pin.h"
#include "native/pkcs11/wiped_text.h"

namespace keystay::jni {

// Local references that end with this object (PushLocalFrame, PopLocalFrame).
class LocalFrame final {
 public:
  LocalFrame(JNIEnv* env, jint capacity);
  LocalFrame(const LocalFrame&) = delete;
  LocalFrame& operator=(const LocalFrame&) = delete;
  ~LocalFrame();

  // Ends the frame and keeps one reference, in the frame around it.
  template <class Reference>
  [[nodiscard]] Reference keep(Reference result) {
    return static_cast<Reference>(pop(result));
  }

 private:
  jobject pop(jobject result);

  JNIEnv* env_;
  bool open_ = true;
};

// All throw PendingJavaException: where Java gave null for an array, or for an element of one, a
// NullPointerException is pending. GetArrayLength itself ends the JVM then.
[[nodiscard]] jsize array_length(JNIEnv* env, jarray array);
[[nodiscard]] pkcs11::Bytes to_bytes(JNIEnv* env, jbyteArray array);
[[nodiscard]] std::string to_text(JNIEnv* env, jbyteArray utf8);
[[nodiscard]] pkcs11::WipedText to_wiped_text(JNIEnv* env, jbyteArray utf8);  // for what may hold a PIN
[[nodiscard]] std::vector<pkcs11::Bytes> to_byte_arrays(JNIEnv* env, jobjectArray arrays);
// The same behind what is there, for a vector that its owner wipes, also where this throws half-way.
void append_byte_arrays(JNIEnv* env, jobjectArray arrays, std::vector<pkcs11::Bytes>& to);
// The copy that is made on the way is wiped.
[[nodiscard]] pkcs11::Pin to_pin(JNIEnv* env, jbyteArray utf8);

[[nodiscard]] jbyteArray to_java(JNIEnv* env, pkcs11::ByteView bytes);
[[nodiscard]] jbyteArray to_java(JNIEnv* env, std::string_view text);
[[nodiscard]] jobjectArray to_java(JNIEnv* env, const std::vector<pkcs11::ByteView>& arrays);

}  // namespace keystay::jni
