// Keys that are in software: imported, copied or generated there. The default provider does the work, in the
// library context of Software.
#pragma once

#include <openssl/core.h>

#include "provider/key/key.h"

namespace keystay::provider {

// Fills an empty key from the parameters of an export. Returns false, with the reason on the error queue, if
// they are no such key.
[[nodiscard]] bool import_key(Key& key, int selection, const OSSL_PARAM params[]);

// Hands the selected parts to `callback`. A private key on a token is refused at once and without an error:
// libcrypto tries the export of every key and goes on without.
[[nodiscard]] bool export_key(const Key& key, int selection, OSSL_CALLBACK* callback, void* argument);

// True if the selected parts are the same. Public keys stand for key pairs.
[[nodiscard]] bool match_keys(const Key& left, const Key& right, int selection);

// A copy of the selected parts.
[[nodiscard]] KeyPtr duplicate_key(const Key& key, int selection);

// EVP_PKEY_public_check and its kin. The private half of a key on a token cannot be checked and passes.
[[nodiscard]] bool validate_key(const Key& key, int selection, int check_type);

}  // namespace keystay::provider
