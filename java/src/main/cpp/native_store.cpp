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
#include "java/src/main/cpp/public_key_parts.h"
#include "java/src/main/cpp/token_store.h"
#include "native/keys/alias_name.h"
#include "native/keys/key_spec.h"
#include "native/keys/unfinished_label.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/wipe.h"

namespace keystay::jni {
namespace {

using pkcs11::Error;
using pkcs11::ErrorClass;

TokenStore& store_at(jlong address) { return *reinterpret_cast<TokenStore*>(address); }

const pkcs11::KeyReference& reference_at(jlong key) {
  return reinterpret_cast<const keys::PrivateKey*>(key)->reference();
}

jobject to_native_entry(JNIEnv* env, TokenStore& store, const keys::Entry& entry, const keys::Chain& chain) {
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
  const jobject result = env->NewObject(java_types().native_entry, java_types().native_entry_init,
                                        reinterpret_cast<jlong>(&store), reinterpret_cast<jlong>(&key), alias,
                                        id, static_cast<jint>(key_parts.type), first, second, certificates);
  check(env);
  return frame.keep(result);
}

jobject to_native_entry(JNIEnv* env, TokenStore& store, const keys::Entry& entry) {
  return to_native_entry(env, store, entry, store.keys().chain(entry));
}

jobjectArray to_native_entries(JNIEnv* env, TokenStore& store,
                               const std::vector<keys::ListedEntry>& entries) {
  const jobjectArray result =
      env->NewObjectArray(static_cast<jsize>(entries.size()), java_types().native_entry, nullptr);
  check(env);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const LocalFrame frame(env, 1);
    const jobject entry = to_native_entry(env, store, entries[i].entry, entries[i].chain);
    env->SetObjectArrayElement(result, static_cast<jsize>(i), entry);
    check(env);
  }
  return result;
}

// The entry of a key that was read before, though its label may have changed.
keys::Entry current(TokenStore& store, const pkcs11::KeyReference& key) {
  if (std::optional<keys::Entry> entry = store.keys().find_again(key)) return std::move(*entry);
  throw Error(ErrorClass::client,
              keys::quoted_alias(key.label()) + " is not on " + store.keys().source().name() + " any more");
}

// Not a key that got another name since it was read, perhaps by the process that had made it.
keys::Entry unchanged(TokenStore& store, const pkcs11::KeyReference& key) {
  keys::Entry entry = current(store, key);
  if (entry.key.reference().label() == key.label()) return entry;
  throw Error(ErrorClass::client, keys::quoted_alias(key.label()) + " has another name on " +
                                      store.keys().source().name() + " by now");
}

bool is_same(const pkcs11::KeyReference& a, const pkcs11::KeyReference& b) {
  return a.label() == b.label() && a.id() == b.id() && a.public_key() == b.public_key();
}

keys::Certificate decoded(pkcs11::ByteView der) {
  std::optional<keys::Certificate> certificate = pkix().decode(der);
  if (!certificate) throw Error(ErrorClass::client, "these bytes are no X.509 certificate");
  return std::move(*certificate);
}

jlong JNICALL native_open(JNIEnv* env, jclass, jbyteArray configuration, jbyteArray token) {
  return jni_entry(env, jlong{0}, [&] {
    std::optional<std::filesystem::path> file;
    if (configuration) file = to_text(env, configuration);
    TokenStore& store = TokenStore::open(file, token ? to_text(env, token) : std::string());
    return reinterpret_cast<jlong>(&store);
  });
}

jbyteArray JNICALL native_reference(JNIEnv* env, jclass, jlong store) {
  return jni_entry(env, jbyteArray{}, [&] { return to_java(env, store_at(store).reference()); });
}

jboolean JNICALL native_is_locked(JNIEnv* env, jclass, jlong store) {
  return jni_entry(env, jboolean{JNI_FALSE},
                   [&]() -> jboolean { return store_at(store).is_locked() ? JNI_TRUE : JNI_FALSE; });
}

void JNICALL native_unlock(JNIEnv* env, jclass, jlong store, jbyteArray pin) {
  jni_entry(env, [&] { store_at(store).unlock(to_pin(env, pin)); });
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

jobject JNICALL native_list(JNIEnv* env, jclass, jlong address) {
  return jni_entry(env, jobject{}, [&] {
    TokenStore& store = store_at(address);
    keys::Listing listing = store.keys().list();
    std::erase_if(listing.entries,
                  [](const keys::ListedEntry& listed) { return !has_parts(listed.entry.key.public_key()); });
    LocalFrame frame(env, 4);
    const jobjectArray entries = to_native_entries(env, store, listing.entries);
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

jobject to_native_named(JNIEnv* env, TokenStore& store, const keys::Named& named) {
  LocalFrame frame(env, 4);
  const auto* entry = std::get_if<keys::Entry>(&named);
  const auto* trusted = std::get_if<keys::TrustedCertificate>(&named);
  std::string reason;
  if (const auto* object = std::get_if<keys::UnreadableObject>(&named))
    reason = keys::unusable(*object).what();
  else if (entry && !has_parts(entry->key.public_key()))
    reason = keys::quoted_alias(entry->alias) + " is a key of a kind that Java does not know";
  const jobject key = entry && reason.empty() ? to_native_entry(env, store, *entry) : nullptr;
  const jbyteArray certificate = trusted ? to_java(env, trusted->certificate.der) : nullptr;
  const jobject result = env->NewObject(java_types().native_named, java_types().native_named_init,
                                        to_java(env, keys::alias_of(named)), key, certificate,
                                        reason.empty() ? nullptr : to_java(env, reason));
  check(env);
  return frame.keep(result);
}

// Of what came to be after the list was read, and of the other names that a key has.
jobject JNICALL native_resolve(JNIEnv* env, jclass, jlong address, jbyteArray name) {
  return jni_entry(env, jobject{}, [&]() -> jobject {
    TokenStore& store = store_at(address);
    const std::optional<keys::Named> named = store.keys().resolve(to_text(env, name));
    return named ? to_native_named(env, store, *named) : nullptr;
  });
}

jobject JNICALL native_generate(JNIEnv* env, jclass, jlong address, jbyteArray algorithm, jint size,
                                jbyteArray group_name, jint use) {
  return jni_entry(env, jobject{}, [&] {
    TokenStore& store = store_at(address);
    const keys::KeySpec spec =
        keys::key_spec(to_text(env, algorithm), static_cast<unsigned>(size), to_text(env, group_name));
    return to_native_entry(env, store, store.keys().generate_unfinished({spec, key_use(use)}));
  });
}

// The private half of a key that was made in software: wiped when the token has it.
struct PrivateHalf {
  std::vector<pkcs11::Bytes> parts;

  PrivateHalf(JNIEnv* env, jobjectArray arrays) : parts(to_byte_arrays(env, arrays)) {}
  PrivateHalf(const PrivateHalf&) = delete;
  PrivateHalf& operator=(const PrivateHalf&) = delete;
  ~PrivateHalf() {
    for (pkcs11::Bytes& part : parts) pkcs11::wipe(part);
  }
};

jboolean JNICALL native_takes_keys(JNIEnv* env, jclass, jlong store) {
  return jni_entry(env, jboolean{JNI_FALSE},
                   [&]() -> jboolean { return store_at(store).takes_keys() ? JNI_TRUE : JNI_FALSE; });
}

jobject JNICALL native_import(JNIEnv* env, jclass, jlong address, jint type, jobjectArray public_half,
                              jobjectArray private_half, jint use) {
  return jni_entry(env, jobject{}, [&] {
    TokenStore& store = store_at(address);
    std::vector<pkcs11::Bytes> known = to_byte_arrays(env, public_half);
    const PrivateHalf secret(env, private_half);
    const keys::SoftwareKey key{assemble(type, std::move(known.at(0)), std::move(known.at(1))),
                                {secret.parts.begin(), secret.parts.end()}};
    return to_native_entry(env, store, store.keys().import_unfinished(key, key_use(use)));
  });
}

jbyteArray JNICALL native_random(JNIEnv* env, jclass, jlong store, jint length) {
  return jni_entry(env, jbyteArray{}, [&] {
    pkcs11::Bytes random(static_cast<std::size_t>(length));
    store_at(store).keys().source().generate_random(random);
    const jbyteArray result = to_java(env, random);
    pkcs11::wipe(random);
    return result;
  });
}

jobject JNICALL native_replace_chain(JNIEnv* env, jclass, jlong address, jlong key, jobjectArray encoded) {
  return jni_entry(env, jobject{}, [&] {
    TokenStore& store = store_at(address);
    keys::Chain chain;
    for (const pkcs11::Bytes& der : to_byte_arrays(env, encoded)) chain.push_back(decoded(der));
    store.keys().replace_chain(current(store, reference_at(key)), chain);
    return to_native_entry(env, store, current(store, reference_at(key)));
  });
}

jobject JNICALL native_rename(JNIEnv* env, jclass, jlong address, jlong key, jbyteArray alias) {
  return jni_entry(env, jobject{}, [&] {
    TokenStore& store = store_at(address);
    const keys::Entry entry = current(store, reference_at(key));
    if (keys::is_unfinished_label(entry.key.reference().label())) {
      return to_native_entry(env, store, store.keys().name(entry, to_text(env, alias)));
    }
    store.keys().rename(entry, to_text(env, alias));
    return to_native_entry(env, store, current(store, reference_at(key)));
  });
}

void JNICALL native_withdraw(JNIEnv* env, jclass, jlong store, jlong key) {
  jni_entry(env, [&] { store_at(store).keys().withdraw(unchanged(store_at(store), reference_at(key))); });
}

void JNICALL native_destroy(JNIEnv* env, jclass, jlong store, jlong key) {
  jni_entry(env, [&] { store_at(store).keys().destroy(unchanged(store_at(store), reference_at(key))); });
}

void JNICALL native_add_certificate(JNIEnv* env, jclass, jlong store, jbyteArray label, jbyteArray der) {
  jni_entry(env, [&] {
    const std::string alias = to_text(env, label);
    store_at(store).keys().add_certificate(alias, decoded(to_bytes(env, der)));
  });
}

bool is_as_read(const keys::Named& named, jlong key) {
  const auto* entry = std::get_if<keys::Entry>(&named);
  return key ? entry && is_same(entry->key.reference(), reference_at(key)) : !entry;
}

// What the name means on the token now must be what was read: `key`, or with 0 no key that can be used. Where
// there is nothing of that name, it ends the deletion that left what there is.
void JNICALL native_remove(JNIEnv* env, jclass, jlong store, jbyteArray alias, jlong key) {
  jni_entry(env, [&] {
    keys::KeyStore& aliases = store_at(store).keys();
    const std::string name = to_text(env, alias);
    const std::optional<keys::Named> named = aliases.resolve_to_change(name);
    if (!named && !key) {
      aliases.destroy_leftovers(name);
      return;
    }
    if (!named || !is_as_read(*named, key)) {
      throw Error(ErrorClass::client, keys::quoted_alias(name) + " is not on " + aliases.source().name() +
                                          " as it was read; load the key store again");
    }
    std::visit([&](const auto& object) { aliases.destroy(object); }, *named);
  });
}

}  // namespace

std::span<const NativeMethod> native_store_methods() noexcept {
  static const NativeMethod methods[] = {
      {"open", "([B[B)J", reinterpret_cast<void*>(native_open)},
      {"reference", "(J)[B", reinterpret_cast<void*>(native_reference)},
      {"isLocked", "(J)Z", reinterpret_cast<void*>(native_is_locked)},
      {"unlock", "(J[B)V", reinterpret_cast<void*>(native_unlock)},
      {"list", "(J)Lorg/keystay/jca/NativeListing;", reinterpret_cast<void*>(native_list)},
      {"resolve", "(J[B)Lorg/keystay/jca/NativeNamed;", reinterpret_cast<void*>(native_resolve)},
      {"random", "(JI)[B", reinterpret_cast<void*>(native_random)},
      {"generate", "(J[BI[BI)Lorg/keystay/jca/NativeEntry;", reinterpret_cast<void*>(native_generate)},
      {"takesKeys", "(J)Z", reinterpret_cast<void*>(native_takes_keys)},
      {"importKey", "(JI[[B[[BI)Lorg/keystay/jca/NativeEntry;", reinterpret_cast<void*>(native_import)},
      {"replaceChain", "(JJ[[B)Lorg/keystay/jca/NativeEntry;", reinterpret_cast<void*>(native_replace_chain)},
      {"rename", "(JJ[B)Lorg/keystay/jca/NativeEntry;", reinterpret_cast<void*>(native_rename)},
      {"withdraw", "(JJ)V", reinterpret_cast<void*>(native_withdraw)},
      {"destroy", "(JJ)V", reinterpret_cast<void*>(native_destroy)},
      {"addCertificate", "(J[B[B)V", reinterpret_cast<void*>(native_add_certificate)},
      {"remove", "(J[BJ)V", reinterpret_cast<void*>(native_remove)},
  };
  return methods;
}

}  // namespace keystay::jni
