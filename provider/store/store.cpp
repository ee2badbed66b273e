#include <string_view>
#include <utility>

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/params.h>

#include "native/pkcs11/wiped_text.h"
#include "provider/async/outside_of_jobs.h"
#include "provider/dispatch.h"
#include "provider/guard.h"
#include "provider/key/software_key.h"
#include "provider/operations.h"
#include "provider/store/store_objects.h"

namespace keystay::provider {
namespace {

// One OSSL_STORE_CTX. The token is read at the first load, when it is known what is expected.
class Loader final {
 public:
  Loader(Context& context, std::string_view uri) : context_(context), uri_(uri) {}

  [[nodiscard]] Context& context() const noexcept { return context_; }

  [[nodiscard]] bool set_params(const OSSL_PARAM params[]) {
    if (!params) return true;
    if (const OSSL_PARAM* expect = OSSL_PARAM_locate_const(params, OSSL_STORE_PARAM_EXPECT)) {
      if (OSSL_PARAM_get_int(expect, &request_.expect) != 1) return false;
    }
    return take_search(params);
  }

  // The end is also reached by an error: a caller that loads until the end must not load for ever.
  [[nodiscard]] bool at_end() const noexcept { return failed_ || (found_ && next_ == objects_.size()); }

  [[nodiscard]] int load(OSSL_CALLBACK* callback, void* argument) {
    if (at_end()) return 0;
    try {
      if (!std::exchange(found_, true))
        objects_ = outside_of_jobs([&] { return find_store_objects(context_, uri_.view(), request_); });
    } catch (...) {
      failed_ = true;
      throw;
    }
    if (at_end()) return 0;  // what is searched for is not there
    StoreObject& object = objects_[next_++];
    if (auto* certificate = std::get_if<StoredCertificate>(&object))
      return pass_on(*certificate, callback, argument);
    return provider::pass_on(std::get<KeyPtr>(object), callback, argument);
  }

 private:
  // OSSL_STORE_find (OSSL_STORE_expect(3)). A search that is not done must fail: the caller would take the
  // first object of a whole listing for what it searched.
  bool take_search(const OSSL_PARAM params[]) {
    if (OSSL_PARAM_locate_const(params, OSSL_STORE_PARAM_FINGERPRINT) ||
        OSSL_PARAM_locate_const(params, OSSL_STORE_PARAM_DIGEST)) {
      throw Error(Reason::unsupported,
                  "a search by fingerprint; search by alias, by subject, or by issuer and serial number");
    }
    if (const OSSL_PARAM* alias = OSSL_PARAM_locate_const(params, OSSL_STORE_PARAM_ALIAS)) {
      const char* text = nullptr;
      if (OSSL_PARAM_get_utf8_string_ptr(alias, &text) != 1 || !text || alias->data_size == 0) return false;
      request_.alias.emplace(text, alias->data_size);
    }
    return take_name(params, OSSL_STORE_PARAM_SUBJECT, request_.subject) &&
           take_name(params, OSSL_STORE_PARAM_ISSUER, request_.issuer) && take_serial(params);
  }

  static bool take_name(const OSSL_PARAM params[], const char* key, pkcs11::Bytes& name) {
    const OSSL_PARAM* param = OSSL_PARAM_locate_const(params, key);
    if (!param) return true;
    const void* der = nullptr;
    std::size_t size = 0;
    if (OSSL_PARAM_get_octet_string_ptr(param, &der, &size) != 1) return false;
    const auto* bytes = static_cast<const std::uint8_t*>(der);
    name.assign(bytes, bytes + size);
    return true;
  }

  bool take_serial(const OSSL_PARAM params[]) {
    const OSSL_PARAM* param = OSSL_PARAM_locate_const(params, OSSL_STORE_PARAM_SERIAL);
    if (!param) return true;
    BIGNUM* parsed = nullptr;
    if (OSSL_PARAM_get_BN(param, &parsed) != 1) return false;
    const x509::Owned<BIGNUM, BN_free> number(parsed);
    const x509::Owned<ASN1_INTEGER, ASN1_INTEGER_free> integer(BN_to_ASN1_INTEGER(parsed, nullptr));
    const int size = i2d_ASN1_INTEGER(integer.get(), nullptr);
    if (!integer || size <= 0) return false;
    request_.serial.resize(static_cast<std::size_t>(size));
    unsigned char* out = request_.serial.data();
    return i2d_ASN1_INTEGER(integer.get(), &out) == size;
  }

  static int pass_on(StoredCertificate& certificate, OSSL_CALLBACK* callback, void* argument) {
    int type = OSSL_OBJECT_CERT;
    const OSSL_PARAM result[] = {OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
                                 OSSL_PARAM_construct_octet_string(
                                     OSSL_OBJECT_PARAM_DATA, certificate.der.data(), certificate.der.size()),
                                 OSSL_PARAM_construct_end()};
    return callback(result, argument);
  }

  Context& context_;
  pkcs11::WipedText uri_;
  StoreRequest request_;
  bool found_ = false;
  bool failed_ = false;
  std::vector<StoreObject> objects_;
  std::size_t next_ = 0;
};

Loader& loader_of(void* ctx) noexcept { return *static_cast<Loader*>(ctx); }

void* open(void* provctx, const char* uri) noexcept {
  auto& context = *static_cast<Context*>(provctx);
  return guard(context.core(), [&]() -> void* { return new Loader(context, uri); });
}

const OSSL_PARAM* settable_params(void* /*provctx*/) noexcept {
  static const OSSL_PARAM params[] = {
      OSSL_PARAM_utf8_string(OSSL_STORE_PARAM_PROPERTIES, nullptr, 0),
      OSSL_PARAM_int(OSSL_STORE_PARAM_EXPECT, nullptr),
      OSSL_PARAM_octet_string(OSSL_STORE_PARAM_SUBJECT, nullptr, 0),
      OSSL_PARAM_octet_string(OSSL_STORE_PARAM_ISSUER, nullptr, 0),
      OSSL_PARAM_BN(OSSL_STORE_PARAM_SERIAL, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_STORE_PARAM_ALIAS, nullptr, 0),
      OSSL_PARAM_END,
  };
  return params;
}

int set_params(void* ctx, const OSSL_PARAM params[]) noexcept {
  return guard(loader_of(ctx).context().core(), [&] { return loader_of(ctx).set_params(params) ? 1 : 0; });
}

int load(void* ctx, OSSL_CALLBACK* callback, void* argument, OSSL_PASSPHRASE_CALLBACK* passphrase,
         void* passphrase_argument) noexcept {
  return guard(loader_of(ctx).context().core(), [&] {
    const PassphraseScope prompt({passphrase, passphrase_argument});
    return loader_of(ctx).load(callback, argument);
  });
}

int at_end(void* ctx) noexcept { return loader_of(ctx).at_end() ? 1 : 0; }

int close(void* ctx) noexcept {
  delete static_cast<Loader*>(ctx);
  return 1;
}

// For a keymgmt of another provider: public keys only.
int export_object(void* ctx, const void* reference, std::size_t reference_size, OSSL_CALLBACK* callback,
                  void* argument) noexcept {
  if (reference_size != sizeof(Key*)) return 0;
  const Key& key = **static_cast<Key* const*>(reference);
  if (key.on_token()) return 0;
  return guard(loader_of(ctx).context().core(),
               [&] { return export_key(key, key.parts(), callback, argument) ? 1 : 0; });
}

const OSSL_DISPATCH* functions() {
  static const OSSL_DISPATCH table[] = {
      entry<OSSL_FUNC_store_open_fn>(OSSL_FUNC_STORE_OPEN, open),
      entry<OSSL_FUNC_store_settable_ctx_params_fn>(OSSL_FUNC_STORE_SETTABLE_CTX_PARAMS, settable_params),
      entry<OSSL_FUNC_store_set_ctx_params_fn>(OSSL_FUNC_STORE_SET_CTX_PARAMS, set_params),
      entry<OSSL_FUNC_store_load_fn>(OSSL_FUNC_STORE_LOAD, load),
      entry<OSSL_FUNC_store_eof_fn>(OSSL_FUNC_STORE_EOF, at_end),
      entry<OSSL_FUNC_store_close_fn>(OSSL_FUNC_STORE_CLOSE, close),
      entry<OSSL_FUNC_store_export_object_fn>(OSSL_FUNC_STORE_EXPORT_OBJECT, export_object),
      kEndOfDispatch,
  };
  return table;
}

}  // namespace

const OSSL_ALGORITHM* store_algorithms() noexcept {
  static const OSSL_ALGORITHM algorithms[] = {
      {"keystay", kProperties, functions(), "Aliases of keystay.toml"},
      {"pkcs11", kProperties, functions(), "PKCS#11 URIs (RFC 7512)"},
      {nullptr, nullptr, nullptr, nullptr},
  };
  return algorithms;
}

}  // namespace keystay::provider
