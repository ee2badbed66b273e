#include "provider/key/token_key_generation.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include "native/keys/key_store.h"
#include "native/pkcs11/error.h"
#include "native/x509/error_mark.h"
#include "native/x509/pem_reference.h"
#include "provider/async/outside_of_jobs.h"
#include "provider/key/key_lookup.h"

namespace keystay::provider {
namespace {

constexpr char kTarget[] = "pkcs11_uri";
constexpr char kUsage[] = "pkcs11_key_usage";

template <typename Text>
void take_text(const OSSL_PARAM params[], const char* name, Text& value) {
  const OSSL_PARAM* param = OSSL_PARAM_locate_const(params, name);
  if (!param) return;
  const char* text = nullptr;
  if (OSSL_PARAM_get_utf8_string_ptr(param, &text) != 1) {
    throw Error(Reason::unsupported, std::string("key generation: ") + name + " is no text");
  }
  value = Text(std::string_view(text ? text : ""));
}

void require_private(std::string_view uri) {
  if (!uri.starts_with("pkcs11:")) return;
  const pkcs11::Uri parsed = pkcs11::parse_uri(uri);
  if (parsed.type && *parsed.type != CKO_PRIVATE_KEY) {
    throw Error(Reason::reference, "key generation: pkcs11_uri names no private key; leave type= out");
  }
}

void require_alias(const keys::KeyLocation& target) {
  if (target.label.empty()) {
    throw Error(
        Reason::reference,
        "key generation: pkcs11_uri names no alias for the new key; add object=, or write keystay:ALIAS");
  }
}

bool can_sign(const KeyType& type) { return &type != &kX25519; }
bool can_decrypt(const KeyType& type) { return &type == &kRsa; }
bool can_agree(const KeyType& type) { return &type == &kEc || &type == &kX25519; }

struct KeyUsage {
  std::string_view word;
  bool signs;  // else it is an exchange
  bool (*fits)(const KeyType&);
};
constexpr std::array kUsages = std::to_array<KeyUsage>({
    {"digitalSignature", true, can_sign},
    {"nonRepudiation", true, can_sign},
    {"keyCertSign", true, can_sign},
    {"cRLSign", true, can_sign},
    {"dataEncipherment", false, can_decrypt},
    {"keyEncipherment", false, can_decrypt},
    {"keyAgreement", false, can_agree},
});

const KeyUsage* find_usage(std::string_view word) {
  const auto* usage = std::ranges::find(kUsages, word, &KeyUsage::word);
  return usage == kUsages.end() ? nullptr : usage;
}

[[noreturn]] void refuse_usage(std::string_view word, const KeyType& type) {
  std::string fitting;
  for (const KeyUsage& usage : kUsages) {
    if (usage.fits(type)) fitting.append(fitting.empty() ? "" : ", ").append(usage.word);
  }
  throw Error(Reason::unsupported, "key generation: pkcs11_key_usage \"" + std::string(word) +
                                       "\" for a key of type " + type.algorithm + "; use one or more of " +
                                       fitting);
}

// As keystay -exportref writes it.
std::string reference(keys::KeySource& source, const keys::PrivateKey& key) {
  const pkcs11::TokenInfo info = source.info();
  pkcs11::Uri uri;
  uri.token = info.label;
  uri.serial = info.serial;
  uri.object = key.reference().label();
  uri.id = key.reference().id();
  uri.type = CKO_PRIVATE_KEY;
  uri.spki = x509::encode_spki_attribute(key.public_key());
  return x509::encode_pem_reference(uri);
}

}  // namespace

void TokenKeyRequest::take(const OSSL_PARAM params[]) {
  if (!params) return;
  take_text(params, kTarget, uri_);
  if (OSSL_PARAM_locate_const(params, kUsage)) take_text(params, kUsage, usage_.emplace());
  take_text(params, OSSL_PKEY_PARAM_GROUP_NAME, group_);
  if (const OSSL_PARAM* bits = OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_RSA_BITS)) {
    std::size_t value = 0;
    if (OSSL_PARAM_get_size_t(bits, &value) != 1)
      throw Error(Reason::unsupported, "key generation: bits is no number");
    bits_ = static_cast<unsigned>(value);
  }
  if (const OSSL_PARAM* exponent = OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_RSA_E)) {
    std::uint64_t value = 0;
    unusual_exponent_ = OSSL_PARAM_get_uint64(exponent, &value) != 1 || value != RSA_F4;
  }
}

// The words of pkcs11-provider, which are those of X.509's key usage (RFC 5280, section 4.2.1.3). A key gets
// what is asked for and nothing else; what its kind cannot do is refused.
keys::KeyUse TokenKeyRequest::use(const KeyType& type) const {
  if (!usage_) return keys::KeyUse::sign;
  bool signs = false;
  bool exchanges = false;
  std::istringstream words(*usage_);
  for (std::string word; words >> word;) {
    const KeyUsage* usage = find_usage(word);
    if (!usage || !usage->fits(type)) refuse_usage(word, type);
    (usage->signs ? signs : exchanges) = true;
  }
  if (!signs && !exchanges) refuse_usage({}, type);
  if (!exchanges) return keys::KeyUse::sign;
  return signs ? keys::KeyUse::sign_and_exchange : keys::KeyUse::exchange;
}

KeyPtr TokenKeyRequest::generate(Context& context, const KeyType& type) const {
  const x509::ErrorMark errors_of_the_module;
  if (&type == &kRsaPss) {
    throw Error(Reason::unsupported,
                "key generation: a key on a token becomes one for RSA-PSS by its certificate or its "
                "CKA_ALLOWED_MECHANISMS; generate an RSA key");
  }
  if (unusual_exponent_)
    throw Error(Reason::unsupported, "key generation: RSA keys on tokens have the exponent 65537");
  require_private(uri_.view());
  return outside_of_jobs([&] { return generate_on_token(context, type); });
}

KeyPtr TokenKeyRequest::generate_on_token(Context& context, const KeyType& type) const {
  const keys::KeyLocation target = context.tokens().locate(uri_.view());
  require_alias(target);
  const keys::KeyRequest request(keys::key_spec(type.algorithm, bits_, group_), use(type), target.id);
  const x509::OpenSslPkix pkix(context.software().libctx());
  const keys::Entry entry = keys::KeyStore(target.source, pkix).generate(target.label, request);
  std::string written = reference(*target.source, entry.key);
  KeyPtr key = key_on_token(context, *target.source, entry);
  key->set_written_form(std::move(written));
  return key;
}

std::span<const OSSL_PARAM> TokenKeyRequest::settable_params() noexcept {
  static const OSSL_PARAM params[] = {OSSL_PARAM_utf8_string(kTarget, nullptr, 0),
                                      OSSL_PARAM_utf8_string(kUsage, nullptr, 0), OSSL_PARAM_END};
  return params;
}

}  // namespace keystay::provider
