// The objects that a key URI names, as an OSSL_STORE hands them out: the key, its certificate, the chain.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <openssl/core.h>

#include "provider/key/key.h"

namespace keystay::provider {

struct StoredCertificate {
  pkcs11::Bytes der;
};
using StoreObject = std::variant<KeyPtr, StoredCertificate>;

// What the application asked for before it began to load.
struct StoreRequest {
  int expect = 0;                    // OSSL_STORE_INFO_…; 0: anything
  pkcs11::Bytes subject;             // DER Name of wanted certificates; empty: any
  pkcs11::Bytes issuer;              // the same of their issuer
  pkcs11::Bytes serial;              // DER INTEGER, beside the issuer
  std::optional<std::string> alias;  // of wanted keys and of what belongs to them

  // OSSL_STORE_find: what is searched may not be there. Without it, the URI names what must be.
  [[nodiscard]] bool is_search() const noexcept { return of_certificates() || alias; }
  // Only certificates have names.
  [[nodiscard]] bool of_certificates() const noexcept { return !subject.empty() || !issuer.empty(); }
};

// Reads the token. A key that is asked for must be one: several are an error, as is none. What is searched
// for may not be there. Throws Error, pkcs11::Error, config::Error.
[[nodiscard]] std::vector<StoreObject> find_store_objects(Context& context, std::string_view uri,
                                                          const StoreRequest& request);

// Hands libcrypto a key by reference (provider-object(7)): keymgmt's load() takes it. Returns what `callback`
// does.
[[nodiscard]] int pass_on(const KeyPtr& key, OSSL_CALLBACK* callback, void* argument);

}  // namespace keystay::provider
