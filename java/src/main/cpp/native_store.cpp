// org.keystay.jca.NativeStore
#include <optional>
#include <utility>

#include "java/src/main/cpp/java_exception.h"
#include "java/src/main/cpp/java_pkix.h"
#include "java/src/main/cpp/java_types.h"
#include "java/src/main/cpp/java_values.h"
#include "java/src/main/cpp/jni_entry.h"
#include "java/src/main/cpp/key_table.h"
#include "java/src/main/cpp/native_codes.h"
#include "java/src/main/cpp/native_methods.h"
#include "java/src/main/cpp/opened_store.h"
#include "java/src/main/cpp/public_key_parts.h"
#include "native/keys/alias_name.h"
#include "native/keys/alias_state.h"
#include "native/keys/key_spec.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/wipe.h"
#include "native/pkcs11/wiped_text.h"

namespace keystay::jni {
namespace {

using pkcs11::Error;
using pkcs11::ErrorClass;

OpenedStore& store_at(jlong address) { return *reinterpret_cast<OpenedStore*>(address); }

const pkcs11::KeyReference& reference_at(jlong key) {
  return reinterpret_cast<const keys::PrivateKey*>(key)->reference();
}

jobject to_native_entry(JNIEnv* env, const keys::Entry& entry, const keys::Chain& chain) {
  LocalFrame frame(env, 8);
  const keys::PrivateKey& key = intern(entry.key);
  const PublicKeyParts key_parts = parts(key.public_key());
  std::vector<pkcs11::ByteView> encoded;
  for (const keys::Certificate& certificate : chain) encoded.emplace_back(certificate.der);

  const jbyteArray alias = to_java(env, entry.alias);
  const jbyteArray id = to_java(env, key.reference().id());
  const jbyteArray first = to_java(env, key_parts.first);
  const jbyteArray second = to_java(env, key_parts.second);
  const jobjectArray certificates = to_java(env, encoded);
  const jobject result =
      env->NewObject(java_types().native_entry, java_types().native_entry_init, reinterpret_cast<jlong>(&key),
                     alias, id, static_cast<jint>(key_parts.type), first, second, certificates);
  check(env);
  return frame.keep(result);
}

jobject to_native_entry(JNIEnv* env, OpenedStore& store, const keys::Entry& entry) {
  return to_native_entry(env, entry, store.keys().chain(entry));
}

jobjectArray to_native_entries(JNIEnv* env, const std::vector<keys::ListedEntry>& entries) {
  const jobjectArray result =
      env->NewObjectArray(static_cast<jsize>(entries.size()), java_types().native_entry, nullptr);
  check(env);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const LocalFrame frame(env, 1);
    const jobject entry = to_native_entry(env, entries[i].entry, entries[i].chain);
    env->SetObjectArrayElement(result, static_cast<jsize>(i), entry);
    check(env);
  }
  return result;
}

// What has this address, if it is of this store's token.
keys::Entry entry_at(OpenedStore& store, jlong address, std::string_view alias) {
  const auto& key = *reinterpret_cast<const keys::PrivateKey*>(address);
  if (&key.operations() == store.keys().source().operations().get())
    return store.aliases().read_again(key.reference());
  throw Error(ErrorClass::client,
              "the key for " + keys::quoted_alias(alias) +
                  " is on another token than this key store; name that token in the key store file, or "
                  "generate the key after loading this key store");
}

keys::Certificate decoded(pkcs11::ByteView der) {
  std::optional<keys::Certificate> certificate = pkix().decode(der);
  if (!certificate) throw Error(ErrorClass::client, "these bytes are no X.509 certificate");
  return std::move(*certificate);
}

keys::Chain decoded(const std::vector<pkcs11::Bytes>& encoded) {
  keys::Chain chain;
  for (const pkcs11::Bytes& der : encoded) chain.push_back(decoded(der));
  return chain;
}

jlong JNICALL native_open(JNIEnv* env, jclass, jbyteArray configuration, jbyteArray token,
                          jbyteArray file) noexcept {
  return jni_entry(env, jlong{0}, [&] {
    std::optional<std::filesystem::path> path;
    if (configuration) path = to_text(env, configuration);
    const pkcs11::WipedText name = token ? to_wiped_text(env, token) : pkcs11::WipedText();
    std::optional<std::string> text;
    if (file) text = to_text(env, file);
    return reinterpret_cast<jlong>(new OpenedStore(path, name.view(), text));
  });
}

void JNICALL native_close(JNIEnv* env, jclass, jlong store) noexcept {
  jni_entry(env, [&] { delete &store_at(store); });
}

jbyteArray JNICALL native_reference(JNIEnv* env, jobject, jlong store) noexcept {
  return jni_entry(env, jbyteArray{}, [&] { return to_java(env, store_at(store).token().reference()); });
}

jbyteArray JNICALL native_file(JNIEnv* env, jobject, jlong store) noexcept {
  return jni_entry(env, jbyteArray{}, [&] { return to_java(env, store_at(store).aliases().file().text()); });
}

jboolean JNICALL native_is_locked(JNIEnv* env, jobject, jlong store) noexcept {
  return jni_entry(env, jboolean{JNI_FALSE},
                   [&]() -> jboolean { return store_at(store).token().is_locked() ? JNI_TRUE : JNI_FALSE; });
}

void JNICALL native_unlock(JNIEnv* env, jobject, jlong store, jbyteArray pin) noexcept {
  jni_entry(env, [&] { store_at(store).token().unlock(to_pin(env, pin)); });
}

// `key "web" is left out: its CKA_EC_POINT …`, for the log.
jobjectArray unreadable(JNIEnv* env, const keys::Listing& listing) {
  std::vector<std::string> texts;
  for (const keys::UnreadableObject& object : listing.unreadable)
    texts.push_back(keys::name_of(object) + " is left out: " + object.reason);
  std::vector<pkcs11::ByteView> views;
  for (const std::string& text : texts)
    views.emplace_back(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  return to_java(env, views);
}

jobject JNICALL native_list(JNIEnv* env, jobject, jlong address) noexcept {
  return jni_entry(env, jobject{}, [&] {
    keys::Listing listing = store_at(address).aliases().list();
    // Neither what Java has no parts for, nor what is not to be served: a key manager takes any alias.
    std::erase_if(listing.entries, [](const keys::ListedEntry& listed) {
      return !has_parts(listed.entry.key.public_key()) || keys::is_state_label(listed.entry.alias);
    });
    LocalFrame frame(env, 4);
    const jobjectArray entries = to_native_entries(env, listing.entries);
    std::vector<pkcs11::ByteView> labels;
    std::vector<pkcs11::ByteView> certificates;
    for (const keys::TrustedCertificate& trusted : listing.trusted) {
      labels.emplace_back(reinterpret_cast<const std::uint8_t*>(trusted.alias.data()), trusted.alias.size());
      certificates.emplace_back(trusted.certificate.der);
    }
    const jobjectArray java_labels = to_java(env, labels);
    const jobjectArray java_certificates = to_java(env, certificates);
    const jobject result = env->NewObject(java_types().native_listing, java_types().native_listing_init,
                                          entries, java_labels, java_certificates, unreadable(env, listing));
    check(env);
    return frame.keep(result);
  });
}

jobject to_native_named(JNIEnv* env, OpenedStore& store, const keys::Named& named) {
  LocalFrame frame(env, 4);
  const auto* entry = std::get_if<keys::Entry>(&named);
  const auto* trusted = std::get_if<keys::TrustedCertificate>(&named);
  std::string reason;
  if (const auto* object = std::get_if<keys::UnreadableObject>(&named))
    reason = keys::unusable(*object).what();
  else if (entry && !has_parts(entry->key.public_key()))
    reason = keys::quoted_alias(entry->alias) + " is a key of a kind that Java does not know";
  else if (std::holds_alternative<keys::SecretKey>(named))
    reason = keys::quoted_alias(keys::alias_of(named)) + " is a secret key";
  const jobject key = entry && reason.empty() ? to_native_entry(env, store, *entry) : nullptr;
  const jbyteArray certificate = trusted ? to_java(env, trusted->certificate.der) : nullptr;
  const jobject result = env->NewObject(java_types().native_named, java_types().native_named_init,
                                        to_java(env, keys::alias_of(named)), key, certificate,
                                        reason.empty() ? nullptr : to_java(env, reason));
  check(env);
  return frame.keep(result);
}

// Of what came to be after the list was read, and of the other names that a key has.
jobject JNICALL native_resolve(JNIEnv* env, jobject, jlong address, jbyteArray name) noexcept {
  return jni_entry(env, jobject{}, [&]() -> jobject {
    OpenedStore& store = store_at(address);
    const std::optional<keys::Named> named = store.aliases().resolve(to_text(env, name));
    const bool is_usable =
        named && keys::version_of(keys::alias_of(*named)).state != keys::AliasState::deactivated;
    return is_usable ? to_native_named(env, store, *named) : nullptr;
  });
}

jobject JNICALL native_generate(JNIEnv* env, jobject, jlong address, jbyteArray algorithm, jint size,
                                jbyteArray group_name, jint use) noexcept {
  return jni_entry(env, jobject{}, [&] {
    OpenedStore& store = store_at(address);
    const keys::KeySpec spec =
        keys::key_spec(to_text(env, algorithm), static_cast<unsigned>(size), to_text(env, group_name));
    return to_native_entry(env, store, store.keys().generate_unfinished({spec, key_use(use)}));
  });
}

// Wiped after use: the private half of a key that was made in software.
struct Wiped {
  std::vector<pkcs11::Bytes> parts{};

  Wiped() = default;
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  ~Wiped() {
    for (pkcs11::Bytes& part : parts) pkcs11::wipe(part);
  }
};

jboolean JNICALL native_takes_keys(JNIEnv* env, jobject, jlong store) noexcept {
  return jni_entry(env, jboolean{JNI_FALSE},
                   [&]() -> jboolean { return store_at(store).token().takes_keys() ? JNI_TRUE : JNI_FALSE; });
}

jobject JNICALL native_import(JNIEnv* env, jobject, jlong address, jint type, jobjectArray public_half,
                              jobjectArray private_half, jint use) noexcept {
  return jni_entry(env, jobject{}, [&] {
    OpenedStore& store = store_at(address);
    std::vector<pkcs11::Bytes> known = to_byte_arrays(env, public_half);
    Wiped secret;
    append_byte_arrays(env, private_half, secret.parts);
    const keys::SoftwareKey key{assemble(type, std::move(known.at(0)), std::move(known.at(1))),
                                {secret.parts.begin(), secret.parts.end()}};
    return to_native_entry(env, store, store.keys().import_unfinished(key, key_use(use)));
  });
}

jbyteArray JNICALL native_random(JNIEnv* env, jobject, jlong store, jint length) noexcept {
  return jni_entry(env, jbyteArray{}, [&] {
    Wiped random;
    random.parts.emplace_back(static_cast<std::size_t>(length));
    store_at(store).keys().source().generate_random(random.parts.front());
    return to_java(env, random.parts.front());
  });
}

jobject JNICALL native_set_key(JNIEnv* env, jobject, jlong address, jlong key, jbyteArray alias,
                               jobjectArray chain) noexcept {
  return jni_entry(env, jobject{}, [&] {
    OpenedStore& store = store_at(address);
    const std::string name = to_text(env, alias);
    const keys::Chain certificates = decoded(to_byte_arrays(env, chain));
    return to_native_entry(env, store,
                           store.aliases().set_key(name, entry_at(store, key, name), certificates));
  });
}

void JNICALL native_withdraw(JNIEnv* env, jobject, jlong address, jlong key) noexcept {
  jni_entry(env, [&] {
    OpenedStore& store = store_at(address);
    const std::string label = reference_at(key).label();
    const keys::Entry entry = entry_at(store, key, label);
    if (entry.key.reference().label() == label) return store.keys().withdraw(entry);
    // Not a key that got its alias since it was read.
    throw Error(ErrorClass::client, keys::quoted_alias(label) + " has another name by now");
  });
}

void JNICALL native_set_certificate(JNIEnv* env, jobject, jlong store, jbyteArray alias,
                                    jbyteArray der) noexcept {
  jni_entry(env, [&] {
    const std::string name = to_text(env, alias);
    store_at(store).aliases().set_certificate(name, decoded(to_bytes(env, der)));
  });
}

void JNICALL native_remove(JNIEnv* env, jobject, jlong store, jlong key, jbyteArray alias) noexcept {
  jni_entry(env, [&] {
    const pkcs11::KeyReference* read = key ? &reference_at(key) : nullptr;
    static_cast<void>(store_at(store).aliases().remove_as_read(to_text(env, alias), read));
  });
}

}  // namespace

std::span<const NativeMethod> native_store_methods() noexcept {
  static const NativeMethod methods[] = {
      native_method("open", "([B[B[B)J", native_open),
      native_method("close", "(J)V", native_close),
      native_method("reference", "(J)[B", native_reference),
      native_method("file", "(J)[B", native_file),
      native_method("isLocked", "(J)Z", native_is_locked),
      native_method("unlock", "(J[B)V", native_unlock),
      native_method("list", "(J)Lorg/keystay/jca/NativeListing;", native_list),
      native_method("resolve", "(J[B)Lorg/keystay/jca/NativeNamed;", native_resolve),
      native_method("random", "(JI)[B", native_random),
      native_method("generate", "(J[BI[BI)Lorg/keystay/jca/NativeEntry;", native_generate),
      native_method("takesKeys", "(J)Z", native_takes_keys),
      native_method("importKey", "(JI[[B[[BI)Lorg/keystay/jca/NativeEntry;", native_import),
      native_method("setKey", "(JJ[B[[B)Lorg/keystay/jca/NativeEntry;", native_set_key),
      native_method("withdraw", "(JJ)V", native_withdraw),
      native_method("setCertificate", "(J[B[B)V", native_set_certificate),
      native_method("remove", "(JJ[B)V", native_remove),
  };
  return methods;
}

}  // namespace keystay::jni
