#include "native/keys/key_protection.h"

#include <array>
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
                                                 {CKA_DERIVE, "derive"}});

constexpr std::array<CK_ATTRIBUTE_TYPE, 12> kRead{CKA_ID,
                                                  CKA_LABEL,
                                                  CKA_LOCAL,
                                                  CKA_SENSITIVE,
                                                  CKA_ALWAYS_SENSITIVE,
                                                  CKA_EXTRACTABLE,
                                                  CKA_NEVER_EXTRACTABLE,
                                                  CKA_SIGN,
                                                  CKA_SIGN_RECOVER,
                                                  CKA_DECRYPT,
                                                  CKA_UNWRAP,
                                                  CKA_DERIVE};

KeyProtection protection(const Attributes& attributes) {
  KeyProtection key{attributes.bytes(CKA_ID),
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

}  // namespace

std::vector<KeyProtection> read_key_protection(KeySource& source) {
  std::vector<KeyProtection> keys;
  source.with_session([&](Session& session) {
    source.require_login(session);
    keys.clear();  // of an earlier try
    for (const CK_OBJECT_HANDLE handle : session.find_token_objects(objects_of(CKO_PRIVATE_KEY))) {
      try {
        keys.push_back(protection(session.attributes(handle, kRead)));
      } catch (const pkcs11::Error& error) {
        if (error.code() != CKR_OBJECT_HANDLE_INVALID) throw;  // else destroyed since it was found
      }
    }
  });
  return keys;
}

}  // namespace keystay::keys
