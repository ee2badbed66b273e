#include "native/keys/secret_key_objects.h"

#include <algorithm>
#include <array>
#include <span>
#include <system_error>
#include <utility>

#include <sys/random.h>

#include "native/keys/alias_name.h"
#include "native/keys/name_holders.h"
#include "native/keys/stored_object.h"
#include "native/keys/token_objects.h"
#include "native/pkcs11/allowed_mechanisms.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/key_object.h"
#include "native/pkcs11/key_search.h"
#include "native/pkcs11/text.h"
#include "native/pkcs11/unicode.h"

namespace keystay::keys {
namespace {

using pkcs11::Attributes;
using pkcs11::Bytes;
using pkcs11::ByteView;
using pkcs11::Error;
using pkcs11::ErrorClass;
using pkcs11::Session;
using pkcs11::Template;

constexpr std::size_t kIdSize = 20;  // bytes, as that of key pairs

constexpr CK_ATTRIBUTE_TYPE kAttributes[] = {
    CKA_TOKEN,   CKA_KEY_TYPE, CKA_ID,     CKA_LABEL, CKA_VALUE_LEN, CKA_ENCRYPT,
    CKA_DECRYPT, CKA_SIGN,     CKA_VERIFY, CKA_WRAP,  CKA_UNWRAP,    CKA_ALLOWED_MECHANISMS};
// Some tokens answer nothing where the last of these is among them.
constexpr std::span kPlainAttributes = std::span(kAttributes).first<11>();

Attributes read_attributes(Session& session, CK_OBJECT_HANDLE handle) {
  try {
    return session.attributes(handle, kAttributes);
  } catch (const Error& error) {
    const bool may_reject_one = error.error_class() == ErrorClass::client ||
                                error.code() == CKR_GENERAL_ERROR || error.code() == CKR_FUNCTION_FAILED;
    if (!may_reject_one) throw;
  }
  return session.attributes(handle, kPlainAttributes);
}

// What was not asked for some tokens allow by default: of an AES key that only wraps, also MACs.
bool is_alias(CK_KEY_TYPE type, const Attributes& attributes) {
  const auto may = [&](CK_ATTRIBUTE_TYPE use) { return attributes.flag(use).value_or(false); };
  const bool ciphers = may(CKA_ENCRYPT) || may(CKA_DECRYPT);
  return type == CKK_AES ? ciphers : ciphers || may(CKA_SIGN) || may(CKA_VERIFY);
}

// Nothing if it is gone, no token object, or a copy in the making.
std::optional<SecretKeyObject> read_secret_key(Session& session, CK_OBJECT_HANDLE handle) {
  try {
    const Attributes attributes = read_attributes(session, handle);
    const std::optional<CK_ULONG> type = attributes.number(CKA_KEY_TYPE);
    if (!attributes.flag(CKA_TOKEN).value_or(true) || !type) return std::nullopt;
    const std::optional<CK_ULONG> size = attributes.number(CKA_VALUE_LEN);
    std::string label = attributes.text(CKA_LABEL);
    Bytes id = attributes.bytes(CKA_ID);
    std::string alias = label.empty() ? id_alias(id) : label;
    return SecretKeyObject{
        handle,
        {std::move(alias),
         {std::move(id), std::move(label), *type, std::nullopt},
         size && *size > 0 ? std::optional(static_cast<unsigned>(*size * 8)) : std::nullopt,
         pkcs11::allowed_mechanisms(attributes)},
        is_alias(*type, attributes)};
  } catch (const Error& error) {
    if (error.code() == CKR_OBJECT_HANDLE_INVALID) return std::nullopt;
    throw;
  }
}

Template secret_keys(std::string_view label) {
  Template search = objects_of(CKO_SECRET_KEY);
  search.text(CKA_LABEL, label);
  return search;
}

// What a session is copying looks like a second key for a moment (key_object.h).
void drop_unfinished_copies(Session& session, std::vector<SecretKeyObject>& keys) {
  if (keys.size() < 2) return;
  std::vector<pkcs11::KeyObject> objects;
  for (const SecretKeyObject& object : keys) {
    const pkcs11::KeyReference& key = object.key.reference;
    objects.push_back({object.handle, key.id(), key.label(), key.type(), std::nullopt});
  }
  pkcs11::drop_unfinished_copies(session, objects);
  std::erase_if(keys, [&](const SecretKeyObject& object) {
    return std::ranges::find(objects, object.handle, &pkcs11::KeyObject::handle) == objects.end();
  });
}

std::vector<SecretKeyObject> read_matching_keys(Session& session, Template search) {
  std::vector<SecretKeyObject> keys;
  for (const CK_OBJECT_HANDLE handle : session.find_token_objects(std::move(search))) {
    if (auto key = read_secret_key(session, handle)) keys.push_back(*std::move(key));
  }
  drop_unfinished_copies(session, keys);
  return keys;
}

// What is not asked for is refused by name: tokens differ in what they allow by default.
struct Uses {
  Template& key;

  // One key for contents and for the keys of files: who has the PIN could bring any key that can be extracted
  // to the token's outside, under a key of his own, so that to part these two uses would keep nothing back.
  void operator()(AesSpec) const { allow(true, false); }
  void operator()(const HmacSpec&) const { allow(false, true); }

  void allow(bool ciphers, bool macs) const {
    key.flag(CKA_ENCRYPT, ciphers)
        .flag(CKA_DECRYPT, ciphers)
        .flag(CKA_WRAP, ciphers)
        .flag(CKA_UNWRAP, ciphers)
        .flag(CKA_SIGN, macs)
        .flag(CKA_VERIFY, macs)
        .flag(CKA_DERIVE, false);
  }
};

CK_KEY_TYPE type_of(const SecretKeySpec& spec) {
  return std::holds_alternative<AesSpec>(spec) ? CKK_AES : CKK_GENERIC_SECRET;
}

std::size_t size_of(const SecretKeySpec& spec) {
  return std::visit([](const auto& of) { return of.size / 8; }, spec);
}

enum class MacRestriction { by_attribute, none };

Template secret_key_template(const SecretKeySpec& spec, Extraction extraction, std::string_view label,
                             ByteView id, MacRestriction restriction) {
  Template key;
  key.flag(CKA_TOKEN, true)
      .flag(CKA_PRIVATE, true)
      .flag(CKA_SENSITIVE, true)
      .flag(CKA_EXTRACTABLE, extraction == Extraction::until_sealed)
      .text(CKA_LABEL, label)
      .bytes(CKA_ID, id);
  std::visit(Uses{key}, spec);
  // A key for MACs is of no type of its own that all tokens have: this tells for which hash it is.
  const auto* hmac = std::get_if<HmacSpec>(&spec);
  if (hmac && restriction == MacRestriction::by_attribute) {
    const CK_MECHANISM_TYPE mechanism = pkcs11::type(pkcs11::Mac{hmac->hash});
    key.bytes(CKA_ALLOWED_MECHANISMS, {reinterpret_cast<const std::uint8_t*>(&mechanism), sizeof mechanism});
  }
  return key;
}

void require_sealed(Session& session, CK_OBJECT_HANDLE key) {
  constexpr CK_ATTRIBUTE_TYPE kProtection[] = {CKA_SENSITIVE, CKA_EXTRACTABLE};
  const Attributes told = session.attributes(key, kProtection);
  if (told.flag(CKA_SENSITIVE) == true && told.flag(CKA_EXTRACTABLE) == false) return;
  throw Error(ErrorClass::server,
              "the token does not say that the secret key is sensitive and not extractable");
}

// `make` stores a key by a template. A token that does not know CKA_ALLOWED_MECHANISMS gets none.
template <typename Make>
void make_key(Session& session, const SecretKeySpec& spec, std::string_view unfinished, const char* function,
              const Make& make) {
  destroy_secret_keys(session, unfinished);
  MadeObjects made(session);
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  try {
    key = make(MacRestriction::by_attribute);
  } catch (const Error& error) {
    const bool may_lack_it = error.code() == CKR_ATTRIBUTE_TYPE_INVALID ||
                             error.code() == CKR_ATTRIBUTE_VALUE_INVALID ||
                             error.code() == CKR_TEMPLATE_INCONSISTENT;
    if (!may_lack_it || !std::holds_alternative<HmacSpec>(spec)) throw;
    key = make(MacRestriction::none);
  }
  made.add(key);
  require_stored(session, key, secret_keys(unfinished), function);
  made.keep();
}

[[noreturn]] void refuse_taken(std::string_view alias) {
  throw Error(ErrorClass::client, quoted_alias(alias) +
                                      " was taken by somebody else at the same moment; look with keystay "
                                      "-list, and take another name if it is not what you want");
}

std::string label_of(Session& session, CK_OBJECT_HANDLE key) {
  constexpr CK_ATTRIBUTE_TYPE kLabel[] = {CKA_LABEL};
  return session.attributes(key, kLabel).text(CKA_LABEL);
}

}  // namespace

std::vector<SecretKeyObject> read_secret_keys(Session& session) {
  return read_matching_keys(session, objects_of(CKO_SECRET_KEY));
}

std::vector<SecretKeyObject> read_secret_keys(Session& session, std::string_view label) {
  return read_matching_keys(session, secret_keys(label));
}

void destroy_secret_keys(Session& session, std::string_view label) {
  for (const CK_OBJECT_HANDLE key : session.find_token_objects(secret_keys(label)))
    destroy_if_there(session, key);
}

void destroy_secret_key(Session& session, const SecretKey& key) {
  Template search = objects_of(CKO_SECRET_KEY);
  search.bytes(CKA_ID, key.reference.id());
  for (const CK_OBJECT_HANDLE object : session.find_token_objects(std::move(search)))
    destroy_if_there(session, object);
}

Bytes random_id() {
  Bytes id(kIdSize);
  if (::getrandom(id.data(), id.size(), 0) != static_cast<ssize_t>(id.size()))
    throw std::system_error(errno, std::generic_category(), "getrandom");
  return id;
}

void generate_secret_key(Session& session, const SecretKeySpec& spec, Extraction extraction,
                         std::string_view unfinished, ByteView id) {
  const bool is_aes = std::holds_alternative<AesSpec>(spec);
  make_key(session, spec, unfinished, "C_GenerateKey", [&](MacRestriction restriction) {
    Template key = secret_key_template(spec, extraction, unfinished, id, restriction);
    key.number(CKA_VALUE_LEN, size_of(spec));
    return session.generate_key(is_aes ? CKM_AES_KEY_GEN : CKM_GENERIC_SECRET_KEY_GEN, std::move(key));
  });
}

void import_secret_key(Session& session, const SoftwareSecretKey& key, std::string_view unfinished,
                       ByteView id) {
  if (key.value.size() != size_of(key.spec))
    throw Error(ErrorClass::client, "the secret key has " + std::to_string(key.value.size()) +
                                        " bytes, and its algorithm wants " +
                                        std::to_string(size_of(key.spec)));
  make_key(session, key.spec, unfinished, "C_CreateObject", [&](MacRestriction restriction) {
    Template object = secret_key_template(key.spec, Extraction::never, unfinished, id, restriction);
    object.number(CKA_CLASS, CKO_SECRET_KEY)
        .number(CKA_KEY_TYPE, type_of(key.spec))
        .bytes(CKA_VALUE, key.value);
    const CK_OBJECT_HANDLE handle = session.create_object(std::move(object));
    MadeObjects made(session);
    made.add(handle);
    require_sealed(session, handle);
    made.keep();
    return handle;
  });
}

void unwrap_secret_key(Session& session, CK_MECHANISM_TYPE mechanism, CK_OBJECT_HANDLE unwrapping_key,
                       const WrappedSecretKey& key, std::string_view unfinished) {
  make_key(session, key.spec, unfinished, "C_UnwrapKey", [&](MacRestriction restriction) {
    Template object = secret_key_template(key.spec, Extraction::never, unfinished, key.id, restriction);
    object.number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, type_of(key.spec));
    MadeObjects made(session);
    const CK_OBJECT_HANDLE handle =
        made.add(session.unwrap_key({mechanism, nullptr, 0}, unwrapping_key, key.wrapped, std::move(object)));
    require_sealed(session, handle);
    made.keep();
    return handle;
  });
}

void seal_secret_key(Session& session, std::string_view unfinished) {
  const auto keys = session.find_token_objects(secret_keys(unfinished));
  if (keys.size() != 1) throw Error(ErrorClass::server, "the secret key is not there any more");
  session.set_attributes(keys.front(), std::move(Template().flag(CKA_EXTRACTABLE, false)));
  require_sealed(session, keys.front());
}

CK_OBJECT_HANDLE find_unchanged(Session& session, const SecretKey& key) {
  const CK_OBJECT_HANDLE handle = pkcs11::find_private_key(session, key.reference);
  const std::string label = label_of(session, handle);
  if (label == key.reference.label()) return handle;
  throw Error(ErrorClass::client, quoted_alias(key.alias) + " was given the name \"" +
                                      pkcs11::printable(label) + "\" at the same moment; nothing was done");
}

void name_secret_key(Session& session, const Pkix& pkix, const SecretKey& key, std::string_view alias) {
  const CK_OBJECT_HANDLE handle = pkcs11::find_private_key(session, key.reference);
  if (label_of(session, handle) != alias) {  // in a repetition it may have it
    static_cast<void>(find_unchanged(session, key));
    require_unused(session, pkix, alias, {.secret_key = handle});
    store_label(session, handle, alias);
  }
  if (!is_taken(session, pkix, alias, handle)) return;
  store_label(session, handle, key.reference.label());
  refuse_taken(alias);
}

}  // namespace keystay::keys
