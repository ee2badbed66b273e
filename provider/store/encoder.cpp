#include <array>
#include <string>

#include <openssl/core_names.h>
#include <openssl/encoder.h>
#include <openssl/params.h>

#include "provider/dispatch.h"
#include "provider/guard.h"
#include "provider/key/key.h"
#include "provider/operations.h"

namespace keystay::provider {
namespace {

// What an encoder writes.
struct Form {
  const char* output;
  const char* structure;  // null: text, which has none
  const char* properties;
};

constexpr Form kText{"text", nullptr, "provider=keystay,output=text"};
constexpr Form kPem{"pem", "PrivateKeyInfo", "provider=keystay,output=pem,structure=PrivateKeyInfo"};
constexpr Form kDer{"der", "PrivateKeyInfo", "provider=keystay,output=der,structure=PrivateKeyInfo"};
constexpr Form kEncryptedPem{"pem", "EncryptedPrivateKeyInfo",
                             "provider=keystay,output=pem,structure=EncryptedPrivateKeyInfo"};
constexpr Form kEncryptedDer{"der", "EncryptedPrivateKeyInfo",
                             "provider=keystay,output=der,structure=EncryptedPrivateKeyInfo"};
constexpr Form kTraditionalPem{"pem", "type-specific", "provider=keystay,output=pem,structure=type-specific"};
constexpr Form kTraditionalDer{"der", "type-specific", "provider=keystay,output=der,structure=type-specific"};

struct Passphrase {
  OSSL_PASSPHRASE_CALLBACK* callback;
  void* argument;
};

using EncoderContext = x509::Owned<OSSL_ENCODER_CTX, OSSL_ENCODER_CTX_free>;

// One encoding. Keys in software are written by the default provider's encoder of the same form.
class Encoder final {
 public:
  Encoder(Context& context, const Form& form) noexcept : context_(context), form_(form) {}

  [[nodiscard]] Context& context() const noexcept { return context_; }
  void set_cipher(const char* cipher) { cipher_ = cipher; }

  [[nodiscard]] bool encode(const Key& key, int selection, OSSL_CORE_BIO* output,
                            const Passphrase& passphrase) {
    const x509::InputOutput bio(BIO_new_from_core_bio(context_.software().libctx(), output));
    if (!bio) throw SoftwareFailure("BIO_new_from_core_bio");
    if (key.on_token() && (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0) {
      if (&form_ == &kPem && !key.written_form().empty())
        return BIO_puts(bio.get(), key.written_form().c_str()) > 0;
      if (form_.structure) refuse(*key.on_token());
      describe(*key.on_token(), bio.get());
      selection = (selection & ~OSSL_KEYMGMT_SELECT_PRIVATE_KEY) | OSSL_KEYMGMT_SELECT_PUBLIC_KEY;
    }
    return write(key, selection, bio.get(), passphrase);
  }

 private:
  [[noreturn]] static void refuse(const keys::PrivateKey& key) {
    throw Error(Reason::not_exportable,
                "the private key of " + key.name() + " cannot be written; for its public half use -pubout");
  }

  static void describe(const keys::PrivateKey& key, BIO* bio) {
    if (BIO_printf(bio, "Private-Key: %s, not shown\n", key.name().c_str()) <= 0)
      throw SoftwareFailure("BIO_printf");
  }

  bool write(const Key& key, int selection, BIO* bio, const Passphrase& passphrase) {
    const EncoderContext encoder(
        OSSL_ENCODER_CTX_new_for_pkey(key.software(), selection, form_.output, form_.structure, nullptr));
    if (!encoder) throw SoftwareFailure("OSSL_ENCODER_CTX_new_for_pkey");
    if (!cipher_.empty() && OSSL_ENCODER_CTX_set_cipher(encoder.get(), cipher_.c_str(), nullptr) != 1)
      return false;
    return OSSL_ENCODER_CTX_set_passphrase_cb(encoder.get(), passphrase.callback, passphrase.argument) == 1 &&
           OSSL_ENCODER_to_bio(encoder.get(), bio) == 1;
  }

  Context& context_;
  const Form& form_;
  std::string cipher_;
};

Encoder& encoder_of(void* ctx) noexcept { return *static_cast<Encoder*>(ctx); }

template <const Form& form>
void* new_context(void* provctx) noexcept {
  auto& context = *static_cast<Context*>(provctx);
  return guard(context.core(), [&]() -> void* { return new Encoder(context, form); });
}

void free_context(void* ctx) noexcept { delete static_cast<Encoder*>(ctx); }

template <const Form& form>
int does_selection(void* /*provctx*/, int selection) noexcept {
  return !form.structure || (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 ? 1 : 0;
}

const OSSL_PARAM* settable_params(void* /*provctx*/) noexcept {
  static const OSSL_PARAM params[] = {
      OSSL_PARAM_utf8_string(OSSL_ENCODER_PARAM_CIPHER, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_ENCODER_PARAM_PROPERTIES, nullptr, 0),
      OSSL_PARAM_END,
  };
  return params;
}

int set_params(void* ctx, const OSSL_PARAM params[]) noexcept {
  const OSSL_PARAM* cipher = OSSL_PARAM_locate_const(params, OSSL_ENCODER_PARAM_CIPHER);
  if (!cipher) return 1;
  return guard(encoder_of(ctx).context().core(), [&] {
    const char* name = nullptr;
    if (OSSL_PARAM_get_utf8_string_ptr(cipher, &name) != 1) return 0;
    encoder_of(ctx).set_cipher(name ? name : "");
    return 1;
  });
}

int encode(void* ctx, OSSL_CORE_BIO* output, const void* key, const OSSL_PARAM abstract[], int selection,
           OSSL_PASSPHRASE_CALLBACK* callback, void* argument) noexcept {
  if (!key || abstract) return 0;
  return guard(encoder_of(ctx).context().core(), [&] {
    return encoder_of(ctx).encode(*static_cast<const Key*>(key), selection, output, {callback, argument}) ? 1
                                                                                                          : 0;
  });
}

template <const Form& form>
OSSL_ALGORITHM algorithm(const KeyType& type) {
  static const OSSL_DISPATCH table[] = {
      entry<OSSL_FUNC_encoder_newctx_fn>(OSSL_FUNC_ENCODER_NEWCTX, new_context<form>),
      entry<OSSL_FUNC_encoder_freectx_fn>(OSSL_FUNC_ENCODER_FREECTX, free_context),
      entry<OSSL_FUNC_encoder_does_selection_fn>(OSSL_FUNC_ENCODER_DOES_SELECTION, does_selection<form>),
      entry<OSSL_FUNC_encoder_set_ctx_params_fn>(OSSL_FUNC_ENCODER_SET_CTX_PARAMS, set_params),
      entry<OSSL_FUNC_encoder_settable_ctx_params_fn>(OSSL_FUNC_ENCODER_SETTABLE_CTX_PARAMS, settable_params),
      entry<OSSL_FUNC_encoder_encode_fn>(OSSL_FUNC_ENCODER_ENCODE, encode),
      kEndOfDispatch,
  };
  return {type.algorithm, form.properties, table, "Keys on PKCS#11 tokens"};
}

template <const Form&... forms>
OSSL_ALGORITHM* add(OSSL_ALGORITHM* next, const KeyType& type) {
  ((*next++ = algorithm<forms>(type)), ...);
  return next;
}

// Ends with an empty entry. The forms of RFC 8017 and RFC 5915 are not for keys of RFC 8410.
using Algorithms = std::array<OSSL_ALGORITHM, 6 * 5 + 2 * 2 + 1>;

Algorithms all_algorithms() {
  Algorithms algorithms{};
  OSSL_ALGORITHM* next = algorithms.data();
  for (const KeyType* type : {&kRsa, &kRsaPss, &kEc, &kEd25519, &kEd448, &kX25519}) {
    next = add<kText, kPem, kDer, kEncryptedPem, kEncryptedDer>(next, *type);
  }
  for (const KeyType* type : {&kRsa, &kEc}) next = add<kTraditionalPem, kTraditionalDer>(next, *type);
  return algorithms;
}

}  // namespace

const OSSL_ALGORITHM* encoder_algorithms() noexcept {
  static const Algorithms algorithms = all_algorithms();
  return algorithms.data();
}

}  // namespace keystay::provider
