#include <algorithm>
#include <string_view>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "provider/dispatch.h"
#include "provider/guard.h"
#include "provider/key/key.h"
#include "provider/key/software_key.h"
#include "provider/key/software_key_generation.h"
#include "provider/operations.h"

namespace keystay::provider {
namespace {

// EVP_PKEYs that are still empty have null keys, and libcrypto asks about those too: they have nothing.
Key& key_of(void* keydata) noexcept { return *static_cast<Key*>(keydata); }
const Key& key_of(const void* keydata) noexcept { return *static_cast<const Key*>(keydata); }

// libcrypto holds one reference of each key that it is given.
void* hand_over(KeyPtr key) noexcept { return key.detach(); }

template <const KeyType& type>
void* new_key(void* provctx) noexcept {
  auto& context = *static_cast<Context*>(provctx);
  return guard(context.core(), [&] { return hand_over(KeyPtr(new Key(context, type))); });
}

void free_key(void* keydata) noexcept {
  if (keydata) intrusive_ptr_release(&key_of(keydata));
}

// The reference is the address of a Key that the store loader or the decoder still holds.
void* load(const void* reference, std::size_t reference_size) noexcept {
  if (reference_size != sizeof(Key*)) return nullptr;
  return hand_over(KeyPtr(*static_cast<Key* const*>(reference)));
}

int has(const void* keydata, int selection) noexcept {
  if (!keydata) return 0;
  const Key& key = key_of(keydata);
  return (selection & key.type().required & ~key.parts()) == 0 ? 1 : 0;
}

// A server whose certificate does not fit says that, but not what it does not fit.
void report_mismatch(const Key& left, const Key& right) {
  const keys::PrivateKey* private_key = left.on_token() ? left.on_token() : right.on_token();
  if (!private_key) return;
  const std::string message = "the public key is not that of " + private_key->name() +
                              "; its own certificate is written by: keystay -exportcert";
  left.context().core().raise(Reason::another_key, message.c_str());
}

int match(const void* left, const void* right, int selection) noexcept {
  if (!left || !right) return 0;
  const Key& key = key_of(left);
  const Key& other = key_of(right);
  return guard(key.context().core(), [&] {
    const bool same = match_keys(key, other, selection);
    if (!same && (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0) report_mismatch(key, other);
    return same ? 1 : 0;
  });
}

int validate(const void* keydata, int selection, int check_type) noexcept {
  if (!keydata) return 0;
  const Key& key = key_of(keydata);
  return guard(key.context().core(), [&] { return validate_key(key, selection, check_type) ? 1 : 0; });
}

int import(void* keydata, int selection, const OSSL_PARAM params[]) noexcept {
  if (!keydata) return 0;
  Key& key = key_of(keydata);
  return guard(key.context().core(), [&] { return import_key(key, selection, params) ? 1 : 0; });
}

int export_parts(void* keydata, int selection, OSSL_CALLBACK* callback, void* argument) noexcept {
  if (!keydata) return 0;
  const Key& key = key_of(keydata);
  return guard(key.context().core(), [&] { return export_key(key, selection, callback, argument) ? 1 : 0; });
}

void* duplicate(const void* keydata, int selection) noexcept {
  if (!keydata) return nullptr;
  const Key& key = key_of(keydata);
  return guard(key.context().core(), [&] { return hand_over(duplicate_key(key, selection)); });
}

int get_params(void* keydata, OSSL_PARAM params[]) noexcept {
  if (!keydata) return 0;
  const Key& key = key_of(keydata);
  return key.software() ? EVP_PKEY_get_params(key.software(), params) : 0;
}

// Of what EVP_PKEY-EC(7) lets an application set, that which changes no key but how one is written; the
// openssl program sets it before it writes any. Not the form of points: libcrypto loses it on the way to the
// encoder.
bool only_of_form(const OSSL_PARAM params[]) noexcept {
  constexpr std::string_view kOfForm[] = {OSSL_PKEY_PARAM_EC_ENCODING, OSSL_PKEY_PARAM_EC_INCLUDE_PUBLIC};
  for (; params->key; ++params) {
    if (std::ranges::find(kOfForm, params->key) == std::end(kOfForm)) return false;
  }
  return true;
}

int set_params(void* keydata, const OSSL_PARAM params[]) noexcept {
  if (!keydata) return 0;
  Key& key = key_of(keydata);
  if (!params || !params->key) return 1;
  if (!key.software() || (key.on_token() && !only_of_form(params))) return 0;
  // EVP_PKEY_set_params is not const-correct; it only reads.
  if (EVP_PKEY_set_params(key.software(), const_cast<OSSL_PARAM*>(params)) != 1) return 0;
  if (OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY)) {
    key.add_parts(OSSL_KEYMGMT_SELECT_PUBLIC_KEY);
  }
  return 1;
}

template <const KeyType& type>
const char* query_operation_name(int operation) noexcept {
  switch (operation) {
    case OSSL_OP_SIGNATURE:
      return type.signature;
    case OSSL_OP_KEYEXCH:
      return type.key_exchange;
    case OSSL_OP_ASYM_CIPHER:
      return type.cipher;
    default:
      return nullptr;  // the name of the key type
  }
}

// What imports and exports consist of (provider-keymgmt(7), EVP_PKEY-RSA(7), EVP_PKEY-EC(7),
// EVP_PKEY-X25519(7), which has the Edwards keys too).
constexpr OSSL_PARAM kRsaTypes[] = {OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, nullptr, 0),
                                    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, nullptr, 0),
                                    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_D, nullptr, 0),
                                    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_FACTOR1, nullptr, 0),
                                    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_FACTOR2, nullptr, 0),
                                    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_EXPONENT1, nullptr, 0),
                                    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_EXPONENT2, nullptr, 0),
                                    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_COEFFICIENT1, nullptr, 0),
                                    OSSL_PARAM_END};
constexpr OSSL_PARAM kEcTypes[] = {
    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, nullptr, 0),
    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, nullptr, 0),
    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_FIELD_TYPE, nullptr, 0),
    OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_P, nullptr, 0),
    OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_A, nullptr, 0),
    OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_B, nullptr, 0),
    OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_EC_GENERATOR, nullptr, 0),
    OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_ORDER, nullptr, 0),
    OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_COFACTOR, nullptr, 0),
    OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_EC_SEED, nullptr, 0),
    OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
    OSSL_PARAM_BN(OSSL_PKEY_PARAM_PRIV_KEY, nullptr, 0),
    OSSL_PARAM_END};
constexpr OSSL_PARAM kRawTypes[] = {OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
                                    OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, nullptr, 0),
                                    OSSL_PARAM_END};

template <const KeyType& type>
const OSSL_PARAM* exchange_types(int selection) noexcept {
  if ((selection & type.required) == 0) return nullptr;
  switch (type.token_type) {
    case CKK_EC:
      return kEcTypes;
    case CKK_EC_EDWARDS:
    case pkcs11::kMontgomeryKey:
      return kRawTypes;
    default:
      return kRsaTypes;
  }
}

// Lists of parameters belong to libcrypto and are constant, so that a list found once is good for ever.
using Listing = const OSSL_PARAM* (*)(const EVP_KEYMGMT*);
template <const KeyType& type, Listing listing>
const OSSL_PARAM* list(void* provctx) noexcept {
  auto& context = *static_cast<Context*>(provctx);
  return guard(context.core(), [&] {
    const x509::Owned<EVP_KEYMGMT, EVP_KEYMGMT_free> keymgmt(
        EVP_KEYMGMT_fetch(context.software().libctx(), type.algorithm, nullptr));
    if (!keymgmt) throw SoftwareFailure("EVP_KEYMGMT_fetch");
    return listing(keymgmt.get());
  });
}

template <const KeyType& type>
const OSSL_DISPATCH* functions() {
  static const OSSL_DISPATCH table[] = {
      entry<OSSL_FUNC_keymgmt_new_fn>(OSSL_FUNC_KEYMGMT_NEW, new_key<type>),
      entry<OSSL_FUNC_keymgmt_free_fn>(OSSL_FUNC_KEYMGMT_FREE, free_key),
      entry<OSSL_FUNC_keymgmt_load_fn>(OSSL_FUNC_KEYMGMT_LOAD, load),
      entry<OSSL_FUNC_keymgmt_has_fn>(OSSL_FUNC_KEYMGMT_HAS, has),
      entry<OSSL_FUNC_keymgmt_match_fn>(OSSL_FUNC_KEYMGMT_MATCH, match),
      entry<OSSL_FUNC_keymgmt_validate_fn>(OSSL_FUNC_KEYMGMT_VALIDATE, validate),
      entry<OSSL_FUNC_keymgmt_import_fn>(OSSL_FUNC_KEYMGMT_IMPORT, import),
      entry<OSSL_FUNC_keymgmt_import_types_fn>(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, exchange_types<type>),
      entry<OSSL_FUNC_keymgmt_export_fn>(OSSL_FUNC_KEYMGMT_EXPORT, export_parts),
      entry<OSSL_FUNC_keymgmt_export_types_fn>(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, exchange_types<type>),
      entry<OSSL_FUNC_keymgmt_dup_fn>(OSSL_FUNC_KEYMGMT_DUP, duplicate),
      entry<OSSL_FUNC_keymgmt_get_params_fn>(OSSL_FUNC_KEYMGMT_GET_PARAMS, get_params),
      entry<OSSL_FUNC_keymgmt_gettable_params_fn>(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS,
                                                  list<type, EVP_KEYMGMT_gettable_params>),
      entry<OSSL_FUNC_keymgmt_set_params_fn>(OSSL_FUNC_KEYMGMT_SET_PARAMS, set_params),
      entry<OSSL_FUNC_keymgmt_settable_params_fn>(OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS,
                                                  list<type, EVP_KEYMGMT_settable_params>),
      entry<OSSL_FUNC_keymgmt_query_operation_name_fn>(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME,
                                                       query_operation_name<type>),
      entry<OSSL_FUNC_keymgmt_gen_init_fn>(OSSL_FUNC_KEYMGMT_GEN_INIT, gen_init<type>),
      entry<OSSL_FUNC_keymgmt_gen_set_template_fn>(OSSL_FUNC_KEYMGMT_GEN_SET_TEMPLATE, gen_set_template),
      entry<OSSL_FUNC_keymgmt_gen_set_params_fn>(OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS, gen_set_params),
      entry<OSSL_FUNC_keymgmt_gen_settable_params_fn>(OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS,
                                                      gen_settable_params<type>),
      entry<OSSL_FUNC_keymgmt_gen_fn>(OSSL_FUNC_KEYMGMT_GEN, gen),
      entry<OSSL_FUNC_keymgmt_gen_cleanup_fn>(OSSL_FUNC_KEYMGMT_GEN_CLEANUP, gen_cleanup),
      kEndOfDispatch,
  };
  return table;
}

}  // namespace

const OSSL_ALGORITHM* keymgmt_algorithms() noexcept {
  static const OSSL_ALGORITHM algorithms[] = {
      {kRsa.names, kProperties, functions<kRsa>(), "RSA keys on PKCS#11 tokens"},
      {kRsaPss.names, kProperties, functions<kRsaPss>(), "RSA-PSS keys on PKCS#11 tokens"},
      {kEc.names, kProperties, functions<kEc>(), "EC keys on PKCS#11 tokens"},
      {kEd25519.names, kProperties, functions<kEd25519>(), "Ed25519 keys on PKCS#11 tokens"},
      {kEd448.names, kProperties, functions<kEd448>(), "Ed448 keys on PKCS#11 tokens"},
      {kX25519.names, kProperties, functions<kX25519>(), "X25519 keys on PKCS#11 tokens"},
      {nullptr, nullptr, nullptr, nullptr},
  };
  return algorithms;
}

}  // namespace keystay::provider
