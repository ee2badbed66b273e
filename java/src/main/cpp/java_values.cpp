#include "java/src/main/cpp/java_values.h"

#include <array>

#include <string.h>

#include "java/src/main/cpp/java_exception.h"
#include "java/src/main/cpp/java_types.h"
#include "native/pkcs11/error.h"

namespace keystay::jni {
namespace {

constexpr std::size_t kLongestPin = 1024;

// Wipes what it holds, also when an exception passes.
struct PinBuffer {
  std::array<char, kLongestPin> text{};
  ~PinBuffer() { ::explicit_bzero(text.data(), text.size()); }
};

}  // namespace

LocalFrame::LocalFrame(JNIEnv* env, jint capacity) : env_(env) {
  env_->PushLocalFrame(capacity);
  check(env_);
}

LocalFrame::~LocalFrame() {
  if (open_) env_->PopLocalFrame(nullptr);  // legal while an exception is pending
}

jobject LocalFrame::pop(jobject result) {
  open_ = false;
  return env_->PopLocalFrame(result);
}

jsize array_length(JNIEnv* env, jarray array) {
  if (!array) [[unlikely]]
    refuse_null(env);
  return env->GetArrayLength(array);
}

pkcs11::Bytes to_bytes(JNIEnv* env, jbyteArray array) {
  const jsize size = array_length(env, array);
  pkcs11::Bytes bytes(static_cast<std::size_t>(size));
  env->GetByteArrayRegion(array, 0, size, reinterpret_cast<jbyte*>(bytes.data()));
  check(env);
  return bytes;
}

std::string to_text(JNIEnv* env, jbyteArray utf8) {
  const jsize size = array_length(env, utf8);
  std::string text(static_cast<std::size_t>(size), '\0');
  env->GetByteArrayRegion(utf8, 0, size, reinterpret_cast<jbyte*>(text.data()));
  check(env);
  return text;
}

pkcs11::WipedText to_wiped_text(JNIEnv* env, jbyteArray utf8) {
  const jsize size = array_length(env, utf8);
  pkcs11::WipedText text(static_cast<std::size_t>(size));
  env->GetByteArrayRegion(utf8, 0, size, reinterpret_cast<jbyte*>(text.data()));
  check(env);
  return text;
}

void append_byte_arrays(JNIEnv* env, jobjectArray arrays, std::vector<pkcs11::Bytes>& to) {
  const jsize count = array_length(env, arrays);
  for (jsize i = 0; i < count; ++i) {
    const LocalFrame frame(env, 1);
    const auto element = static_cast<jbyteArray>(env->GetObjectArrayElement(arrays, i));
    check(env);
    to.push_back(to_bytes(env, element));
  }
}

std::vector<pkcs11::Bytes> to_byte_arrays(JNIEnv* env, jobjectArray arrays) {
  std::vector<pkcs11::Bytes> result;
  append_byte_arrays(env, arrays, result);
  return result;
}

pkcs11::Pin to_pin(JNIEnv* env, jbyteArray utf8) {
  const jsize size = array_length(env, utf8);
  if (static_cast<std::size_t>(size) > kLongestPin) {
    throw pkcs11::Error(pkcs11::ErrorClass::authentication, "the password is longer than any PIN");
  }
  PinBuffer buffer;
  env->GetByteArrayRegion(utf8, 0, size, reinterpret_cast<jbyte*>(buffer.text.data()));
  check(env);
  return pkcs11::Pin({buffer.text.data(), static_cast<std::size_t>(size)}, "the password of the key store");
}

jbyteArray to_java(JNIEnv* env, pkcs11::ByteView bytes) {
  const auto size = static_cast<jsize>(bytes.size());
  const jbyteArray array = env->NewByteArray(size);
  check(env);
  env->SetByteArrayRegion(array, 0, size, reinterpret_cast<const jbyte*>(bytes.data()));
  check(env);
  return array;
}

jbyteArray to_java(JNIEnv* env, std::string_view text) {
  return to_java(env, pkcs11::ByteView(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

jobjectArray to_java(JNIEnv* env, const std::vector<pkcs11::ByteView>& arrays) {
  const auto count = static_cast<jsize>(arrays.size());
  const jobjectArray result = env->NewObjectArray(count, java_types().byte_array, nullptr);
  check(env);
  for (jsize i = 0; i < count; ++i) {
    const LocalFrame frame(env, 1);
    env->SetObjectArrayElement(result, i, to_java(env, arrays[static_cast<std::size_t>(i)]));
    check(env);
  }
  return result;
}

}  // namespace keystay::jni
