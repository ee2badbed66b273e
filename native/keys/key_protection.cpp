#include "native/keys/key_protection.h"

#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "native/keys/token_objects.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/session.h"

namespace keystay::keys {
namespace {

using pkcs11::Attributes;
using pkcs11::Session;

struct Use {
  CK_ATTRIBUTE_TYPE attribute;
  std::string_view name;
};

constexpr std::array kUses = std::to_array<Use>({{CKA_SIGN, "sign"},
                                                 {CKA_SIGN_RECOVER, "sign-recover"},
                                                 {CKA_DECRYPT, "decrypt"},
                                                 {CKA_UNWRAP, "unwrap"},
                                                 {CKA_DERIVE, "derive"},
                                                 {CKA_ENCRYPT, "encrypt"},
                                                 {CKA_WRAP, "wrap"}});

constexpr std::array<CK_ATTRIBUTE_TYPE, 14> kRead{
    CKA_ID, CKA_LABEL, CKA_LOCAL, CKA_SENSITIVE, CKA_ALWAYS_SENSITIVE, CKA_EXTRACTABLE, CKA_NEVER_EXTRACTABLE,
    CKA_SIGN, CKA_SIGN_RECOVER, CKA_DECRYPT, CKA_UNWRAP, CKA_DERIVE,
    // Of secret keys alone:
    CKA_ENCRYPT, CKA_WRAP};
constexpr std::size_t kOfPrivateKeys = 12;

KeyProtection protection(CK_OBJECT_CLASS object_class, const Attributes& attributes) {
  KeyProtection key{object_class,
                    attributes.bytes(CKA_ID),
                    attributes.text(CKA_LABEL),
                    attributes.flag(CKA_LOCAL),
                    attributes.flag(CKA_SENSITIVE),
                    attributes.flag(CKA_ALWAYS_SENSITIVE),
                    attributes.flag(CKA_EXTRACTABLE),
                    attributes.flag(CKA_NEVER_EXTRACTABLE),
                    {}};
  for (const Use& use : kUses)
    if (attributes.flag(use.attribute).value_or(false)) key.uses.emplace_back(use.name);
  return key;
}

void read_class(Session& session, CK_OBJECT_CLASS object_class, std::span<const CK_ATTRIBUTE_TYPE> types,
                std::vector<KeyProtection>& keys) {
  for (const CK_OBJECT_HANDLE handle : session.find_token_objects(objects_of(object_class))) {
    try {
      keys.push_back(protection(object_class, session.attributes(handle, types)));
    } catch (const pkcs11::Error& error) {
      if (error.code() != CKR_OBJECT_HANDLE_INVALID) throw;  // else destroyed since it was found
    }
  }
}

}  // namespace

std::vector<KeyProtection> read_key_protection(KeySource& source) {
  std::vector<KeyProtection> keys;
  source.with_session([&](Session& session) {
    source.require_login(session);
    keys.clear();  // of an earlier try
    read_class(session, CKO_PRIVATE_KEY, std::span(kRead).first<kOfPrivateKeys>(), keys);
    read_class(session, CKO_SECRET_KEY, kRead, keys);
  });
  return keys;
}

}  // namespace keystay::keys
