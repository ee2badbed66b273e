#include "provider/key/software_key.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "native/x509/error_mark.h"

namespace keystay::provider {
namespace {

// What an import consists of. The private key of RSA is "d", that of the others "priv".
int parts_in(const OSSL_PARAM params[], int selection) {
  const auto given = [&](const char* name) { return OSSL_PARAM_locate_const(params, name) != nullptr; };
  int parts = selection & OSSL_KEYMGMT_SELECT_ALL_PARAMETERS;
  if (given(OSSL_PKEY_PARAM_PUB_KEY) || given(OSSL_PKEY_PARAM_RSA_N)) {
    parts |= selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY;
  }
  if (given(OSSL_PKEY_PARAM_PRIV_KEY) || given(OSSL_PKEY_PARAM_RSA_D)) {
    parts |= selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY;
  }
  return parts;
}

x509::EvpPkey from_params(Context& context, const KeyType& type, int selection, const OSSL_PARAM params[]) {
  const auto builder = context.software().context_for(type.algorithm);
  EVP_PKEY* key = nullptr;
  // EVP_PKEY_fromdata is not const-correct; it only reads.
  if (EVP_PKEY_fromdata_init(builder.get()) <= 0 ||
      EVP_PKEY_fromdata(builder.get(), &key, selection, const_cast<OSSL_PARAM*>(params)) <= 0) {
    return nullptr;
  }
  return x509::EvpPkey(key);
}

// What EVP_PKEY_copy_parameters makes. X25519 keys have no parameters: libcrypto exports nothing where they
// are asked for.
x509::EvpPkey without_key_pair(EVP_PKEY* key) {
  x509::EvpPkey copy(EVP_PKEY_new());
  if (!copy || EVP_PKEY_copy_parameters(copy.get(), key) != 1)
    throw SoftwareFailure("EVP_PKEY_copy_parameters");
  return copy;
}

bool same_parts(const EVP_PKEY* left, const EVP_PKEY* right, int selection) {
  if ((selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0) return EVP_PKEY_eq(left, right) == 1;
  if ((selection & OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS) != 0)
    return EVP_PKEY_parameters_eq(left, right) == 1;
  return true;
}

}  // namespace

bool import_key(Key& key, int selection, const OSSL_PARAM params[]) {
  if (key.software()) return false;
  x509::EvpPkey software = from_params(key.context(), key.type(), selection, params);
  if (!software) return false;
  key.set_software(std::move(software), parts_in(params, selection));
  return true;
}

bool export_key(const Key& key, int selection, OSSL_CALLBACK* callback, void* argument) {
  if (!key.software()) return false;
  if (key.on_token() && (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0) return false;
  return EVP_PKEY_export(key.software(), selection, callback, argument) == 1;
}

bool match_keys(const Key& left, const Key& right, int selection) {
  if (&left == &right) return true;
  if (!left.software() || !right.software()) return false;
  const x509::ErrorMark a_difference_is_no_error;
  return same_parts(left.software(), right.software(), selection);
}

KeyPtr duplicate_key(const Key& key, int selection) {
  KeyPtr empty(new Key(key.context(), key.type()));
  if (!key.software()) return empty;
  if ((selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0) {
    x509::EvpPkey copy(EVP_PKEY_dup(key.software()));
    if (!copy) throw SoftwareFailure("EVP_PKEY_dup");
    return KeyPtr(new Key(key, std::move(copy)));
  }
  // libssl puts a peer's public key into what it has copied so.
  if (key.type().token_type == pkcs11::kMontgomeryKey)
    return KeyPtr(new Key(key.context(), key.type(), without_key_pair(key.software()), selection));
  if ((selection & key.type().required) == 0) return empty;  // such keys have no parameters
  OSSL_PARAM* params = nullptr;
  if (EVP_PKEY_todata(key.software(), selection, &params) != 1) throw SoftwareFailure("EVP_PKEY_todata");
  const x509::OsslParams owner(params);
  if (!import_key(*empty, selection, params)) throw SoftwareFailure("EVP_PKEY_fromdata");
  return empty;
}

bool validate_key(const Key& key, int selection, int check_type) {
  if (!key.software()) return false;
  const auto context = key.context().software().context_of(key.software());
  const bool quick = check_type == OSSL_KEYMGMT_VALIDATE_QUICK_CHECK;
  const bool whole = (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == OSSL_KEYMGMT_SELECT_KEYPAIR;
  if (whole && !key.on_token()) return EVP_PKEY_pairwise_check(context.get()) == 1;
  if ((selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0) {
    return (quick ? EVP_PKEY_public_check_quick(context.get()) : EVP_PKEY_public_check(context.get())) == 1;
  }
  if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 && !key.on_token()) {
    return EVP_PKEY_private_check(context.get()) == 1;
  }
  if ((selection & OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS) != 0 && key.type().token_type == CKK_EC) {
    return (quick ? EVP_PKEY_param_check_quick(context.get()) : EVP_PKEY_param_check(context.get())) == 1;
  }
  return true;
}

}  // namespace keystay::provider
