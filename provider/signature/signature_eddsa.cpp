#include "provider/signature/signature_eddsa.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "provider/dispatch.h"
#include "provider/key/key.h"
#include "provider/signature/signature_callbacks.h"

namespace keystay::provider {
namespace {

using namespace std::string_view_literals;
using pkcs11::ByteView;

// The DER AlgorithmIdentifier (RFC 8410, section 3).
std::string_view algorithm_id(const KeyType& type) noexcept {
  return &type == &kEd25519 ? "\x30\x05\x06\x03\x2b\x65\x70"sv : "\x30\x05\x06\x03\x2b\x65\x71"sv;
}

// One EVP_MD_CTX. The message comes whole, in the call that signs or verifies it.
class EdDsaSignature final {
 public:
  EdDsaSignature(Context& context, const KeyType& type) noexcept : context_(context), type_(type) {}

  [[nodiscard]] Context& context() const noexcept { return context_; }

  // A null key means the one that the context already has.
  void begin(Key* key, std::string_view digest, int needed) {
    if (!digest.empty()) {
      throw Error(Reason::unsupported, std::string(type_.algorithm) + " with the digest \"" +
                                           std::string(digest) +
                                           "\"; it signs the message itself: name no digest");
    }
    if (key) key_ = key;
    if (!key_ || !key_->software()) throw Error(Reason::internal, "a signature without a key");
    if ((key_->parts() & needed) == 0) throw Error(Reason::unsupported, "this half of the key is missing");
  }

  [[nodiscard]] bool set_params(const OSSL_PARAM params[]) const {
    if (!params) return true;
    for (; params->key; ++params) {
      throw Error(Reason::unsupported, std::string(type_.algorithm) + " with the parameter \"" + params->key +
                                           "\"; only pure " + type_.algorithm + " is made on tokens");
    }
    return true;
  }

  [[nodiscard]] bool params(OSSL_PARAM params[]) const {
    OSSL_PARAM* id = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_ALGORITHM_ID);
    const std::string_view der = algorithm_id(type_);
    return !id || OSSL_PARAM_set_octet_string(id, der.data(), der.size()) == 1;
  }

  [[nodiscard]] std::size_t signature_size() const {
    return static_cast<std::size_t>(EVP_PKEY_get_size(key_->software()));
  }

  [[nodiscard]] std::optional<std::size_t> sign(ByteView message, std::span<std::uint8_t> signature) const {
    if (signature.size() < signature_size())
      throw Error(Reason::internal, "the place for the signature is too small");
    if (key_->on_token())
      return key_->perform(pkcs11::Sign{pkcs11::EdDsa{}}, message, signature.first(signature_size()));
    std::size_t size = signature.size();
    const x509::EvpMdContext operation = software_operation(EVP_DigestSignInit_ex, "EVP_DigestSignInit_ex");
    if (EVP_DigestSign(operation.get(), signature.data(), &size, message.data(), message.size()) != 1)
      throw SoftwareFailure("EVP_DigestSign");
    return size;
  }

  [[nodiscard]] bool verify(ByteView message, ByteView signature) const {
    const x509::EvpMdContext operation =
        software_operation(EVP_DigestVerifyInit_ex, "EVP_DigestVerifyInit_ex");
    return EVP_DigestVerify(operation.get(), signature.data(), signature.size(), message.data(),
                            message.size()) == 1;
  }

 private:
  using Initialise = decltype(EVP_DigestSignInit_ex);

  [[nodiscard]] x509::EvpMdContext software_operation(Initialise& initialise, const char* name) const {
    x509::EvpMdContext operation(EVP_MD_CTX_new());
    if (!operation || initialise(operation.get(), nullptr, nullptr, context_.software().libctx(), nullptr,
                                 key_->software(), nullptr) != 1) {
      throw SoftwareFailure(name);
    }
    return operation;
  }

  Context& context_;
  const KeyType& type_;
  KeyPtr key_;
};

using Callbacks = SignatureCallbacks<EdDsaSignature>;

template <const KeyType& type>
void* new_context(void* provctx, const char* /*property_query*/) noexcept {
  return Callbacks::create(provctx,
                           [](Context& context) { return std::make_unique<EdDsaSignature>(context, type); });
}

template <int needed>
int begin(void* ctx, const char* digest, void* key, const OSSL_PARAM params[]) noexcept {
  return Callbacks::with(ctx, [&](EdDsaSignature& signature) {
    signature.begin(static_cast<Key*>(key), digest ? digest : "", needed);
    return signature.set_params(params);
  });
}

const OSSL_PARAM* gettable_params(void* /*ctx*/, void* /*provctx*/) noexcept {
  static const OSSL_PARAM params[] = {OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, nullptr, 0),
                                      OSSL_PARAM_END};
  return params;
}

const OSSL_PARAM* settable_params(void* /*ctx*/, void* /*provctx*/) noexcept {
  static const OSSL_PARAM none[] = {OSSL_PARAM_END};
  return none;
}

}  // namespace

template <const KeyType& type>
const OSSL_DISPATCH* eddsa_functions() noexcept {
  static const OSSL_DISPATCH table[] = {
      entry<OSSL_FUNC_signature_newctx_fn>(OSSL_FUNC_SIGNATURE_NEWCTX, new_context<type>),
      entry<OSSL_FUNC_signature_freectx_fn>(OSSL_FUNC_SIGNATURE_FREECTX, Callbacks::free),
      entry<OSSL_FUNC_signature_dupctx_fn>(OSSL_FUNC_SIGNATURE_DUPCTX, Callbacks::duplicate),
      entry<OSSL_FUNC_signature_digest_sign_init_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT,
                                                     begin<OSSL_KEYMGMT_SELECT_PRIVATE_KEY>),
      entry<OSSL_FUNC_signature_digest_sign_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, Callbacks::sign),
      entry<OSSL_FUNC_signature_digest_verify_init_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT,
                                                       begin<OSSL_KEYMGMT_SELECT_PUBLIC_KEY>),
      entry<OSSL_FUNC_signature_digest_verify_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY, Callbacks::verify),
      entry<OSSL_FUNC_signature_get_ctx_params_fn>(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, Callbacks::get_params),
      entry<OSSL_FUNC_signature_gettable_ctx_params_fn>(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS,
                                                        gettable_params),
      entry<OSSL_FUNC_signature_set_ctx_params_fn>(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, Callbacks::set_params),
      entry<OSSL_FUNC_signature_settable_ctx_params_fn>(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS,
                                                        settable_params),
      kEndOfDispatch,
  };
  return table;
}

template const OSSL_DISPATCH* eddsa_functions<kEd25519>() noexcept;
template const OSSL_DISPATCH* eddsa_functions<kEd448>() noexcept;

}  // namespace keystay::provider
