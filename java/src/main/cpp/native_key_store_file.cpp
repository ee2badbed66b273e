// org.keystay.jca.KeyStoreFile
#include "java/src/main/cpp/java_exception.h"
#include "java/src/main/cpp/java_types.h"
#include "java/src/main/cpp/java_values.h"
#include "java/src/main/cpp/jni_entry.h"
#include "java/src/main/cpp/native_methods.h"
#include "native/config/key_store_file.h"

namespace keystay::jni {
namespace {

// For messages: keytool and servers hand over a stream, not a path.
constexpr std::string_view kStream = "key store";

jobject to_key_store_file(JNIEnv* env, const config::KeyStoreFile& file, std::string_view content) {
  LocalFrame frame(env, 4);
  std::vector<pkcs11::ByteView> aliases;
  for (const std::string& alias : file.aliases) {
    aliases.emplace_back(reinterpret_cast<const std::uint8_t*>(alias.data()), alias.size());
  }
  const jbyteArray text = to_java(env, content);
  const jbyteArray token = to_java(env, file.token);
  const jboolean listed = file.scope == config::KeyStoreScope::listed ? JNI_TRUE : JNI_FALSE;
  const jboolean forgetting = file.on_delete == config::DeleteAction::forget ? JNI_TRUE : JNI_FALSE;
  const jobjectArray names = to_java(env, aliases);
  const jobject result = env->NewObject(java_types().key_store_file, java_types().key_store_file_init, text,
                                        token, listed, forgetting, names);
  check(env);
  return frame.keep(result);
}

jobject JNICALL native_parse(JNIEnv* env, jclass, jbyteArray content) {
  return jni_entry(env, jobject{}, [&] {
    const std::string text = to_text(env, content);
    return to_key_store_file(env, config::parse_key_store(text, kStream), text);
  });
}

jobject JNICALL native_format(JNIEnv* env, jclass, jbyteArray token, jboolean listed, jboolean forgetting,
                              jobjectArray aliases) {
  return jni_entry(env, jobject{}, [&] {
    config::KeyStoreFile file;
    file.token = to_text(env, token);
    file.scope = listed ? config::KeyStoreScope::listed : config::KeyStoreScope::all;
    file.on_delete = forgetting ? config::DeleteAction::forget : config::DeleteAction::destroy;
    for (const pkcs11::Bytes& alias : to_byte_arrays(env, aliases)) {
      file.aliases.emplace_back(alias.begin(), alias.end());
    }
    return to_key_store_file(env, file, config::format_key_store(file));
  });
}

}  // namespace

std::span<const NativeMethod> key_store_file_methods() noexcept {
  static const NativeMethod methods[] = {
      {"parseContent", "([B)Lorg/keystay/jca/KeyStoreFile;", reinterpret_cast<void*>(native_parse)},
      {"format", "([BZZ[[B)Lorg/keystay/jca/KeyStoreFile;", reinterpret_cast<void*>(native_format)},
  };
  return methods;
}

}  // namespace keystay::jni
