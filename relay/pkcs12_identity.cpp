#include "relay/pkcs12_identity.h"

#include <array>
#include <cstring>
#include <stdexcept>
#include <string>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include "relay/client_context.h"

namespace keystay::relay {
namespace {

constexpr int kDeepest = 8;  // of safes within safes, and of a chain

struct FreePkcs12 {
  void operator()(BIO* source) const noexcept { BIO_free_all(source); }
  void operator()(PKCS12* file) const noexcept { PKCS12_free(file); }
  void operator()(STACK_OF(PKCS7) * safes) const noexcept { sk_PKCS7_pop_free(safes, PKCS7_free); }
  void operator()(STACK_OF(PKCS12_SAFEBAG) * bags) const noexcept {
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
  }
};
template <typename T>
using Handle = std::unique_ptr<T, FreePkcs12>;

// A password as libcrypto wants one: ended by a zero byte. Wiped.
class Password final {
 public:
  explicit Password(const pkcs11::Pin& password) : size_(static_cast<int>(password.size())) {
    if (password.size() >= text_.size()) throw std::runtime_error("pkcs12-password: it is too long");
    std::memcpy(text_.data(), password.bytes().data(), password.size());
  }
  Password(const Password&) = delete;
  Password& operator=(const Password&) = delete;
  ~Password() { OPENSSL_cleanse(text_.data(), text_.size()); }

  [[nodiscard]] const char* text() const noexcept { return text_.data(); }
  [[nodiscard]] int size() const noexcept { return size_; }

 private:
  std::array<char, 512> text_{};
  int size_;
};

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& what) {
  ERR_clear_error();
  throw std::runtime_error("pkcs12: " + file.string() + " " + what);
}

Handle<PKCS12> decode(const std::filesystem::path& file) {
  const Handle<BIO> source(BIO_new_file(file.c_str(), "rb"));
  if (!source) throw std::runtime_error("pkcs12: cannot use " + file.string() + ": " + openssl_reasons());
  Handle<PKCS12> decoded(d2i_PKCS12_bio(source.get(), nullptr));
  if (!decoded) fail(file, "is no file of PKCS #12; files of PEM are what `certificate` and `key` are for");
  return decoded;
}

// What its cipher is called, where a provider has to be loaded for it. libcrypto's reason says no more.
void require_known_ciphers(const std::filesystem::path& file) {
  const unsigned long code = ERR_peek_last_error();
  bool is_unknown = ERR_GET_REASON(code) == ERR_R_UNSUPPORTED;
  const unsigned long first = ERR_peek_error();
  is_unknown = is_unknown || ERR_GET_REASON(first) == ERR_R_UNSUPPORTED ||
               ERR_GET_REASON(first) == EVP_R_UNSUPPORTED_ALGORITHM;
  if (!is_unknown) return;
  fail(file,
       "is encrypted by a cipher that OpenSSL has in its provider `legacy` alone, as old programs write it "
       "(RC2); convert it: openssl pkcs12 -legacy -nodes -in OLD.p12 -out key.pem && openssl pkcs12 -export "
       "-in key.pem -out NEW.p12, and remove key.pem");
}

void require_password(const std::filesystem::path& file, PKCS12* decoded, const Password& password) {
  if (PKCS12_mac_present(decoded) != 1) return;  // then decryption tells
  ERR_clear_error();
  if (PKCS12_verify_mac(decoded, password.text(), password.size()) == 1) return;
  if (password.size() == 0 && PKCS12_verify_mac(decoded, nullptr, 0) == 1) return;
  require_known_ciphers(file);
  ERR_clear_error();
  throw std::runtime_error("pkcs12-password: " +
                           (password.size() == 0 ? file.string() + " has a password, and none is configured"
                                                 : "it is not that of " + file.string()) +
                           ", or the file is damaged; try it: openssl pkcs12 -info -noout -in " +
                           file.string());
}

int keys_in(const STACK_OF(PKCS12_SAFEBAG) * bags, int depth) {
  int count = 0;
  for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); ++i) {
    const PKCS12_SAFEBAG* bag = sk_PKCS12_SAFEBAG_value(bags, i);
    const int kind = PKCS12_SAFEBAG_get_nid(bag);
    if (kind == NID_keyBag || kind == NID_pkcs8ShroudedKeyBag) ++count;
    if (kind == NID_safeContentsBag && depth < kDeepest)
      count += keys_in(PKCS12_SAFEBAG_get0_safes(bag), depth + 1);
  }
  return count;
}

// PKCS12_parse takes the first one of several.
int keys_in(const std::filesystem::path& file, PKCS12* decoded, const Password& password) {
  const Handle<STACK_OF(PKCS7)> safes(PKCS12_unpack_authsafes(decoded));
  if (!safes) fail(file, "is damaged: " + openssl_reasons());
  int count = 0;
  for (int i = 0; i < sk_PKCS7_num(safes.get()); ++i) {
    PKCS7* safe = sk_PKCS7_value(safes.get(), i);
    ERR_clear_error();
    const bool is_encrypted = OBJ_obj2nid(safe->type) == NID_pkcs7_encrypted;
    const Handle<STACK_OF(PKCS12_SAFEBAG)> bags(
        is_encrypted ? PKCS12_unpack_p7encdata(safe, password.text(), password.size())
                     : PKCS12_unpack_p7data(safe));
    if (!bags) {
      require_known_ciphers(file);
      fail(file, "cannot be decrypted: " + openssl_reasons());
    }
    count += keys_in(bags.get(), 0);
  }
  return count;
}

// In the order in which TLS wants them (RFC 5246, section 7.4.2), from all that are there. Who verifies has
// the self-signed one.
std::unique_ptr<STACK_OF(X509), FreeIdentity> issuers_of(X509* certificate, const STACK_OF(X509) * others) {
  std::unique_ptr<STACK_OF(X509), FreeIdentity> chain(sk_X509_new_null());
  if (!chain) throw std::bad_alloc();
  X509* last = certificate;
  while (last != nullptr && sk_X509_num(chain.get()) < kDeepest) {
    X509* next = nullptr;
    for (int i = 0; i < sk_X509_num(others); ++i) {
      X509* other = sk_X509_value(others, i);
      if (X509_check_issued(other, last) == X509_V_OK && X509_self_signed(other, 0) != 1) next = other;
    }
    if (next != nullptr && (X509_up_ref(next) != 1 || sk_X509_push(chain.get(), next) == 0))
      throw std::bad_alloc();
    last = next;
  }
  ERR_clear_error();
  return chain;
}

}  // namespace

Pkcs12Identity read_pkcs12(const std::filesystem::path& file, const pkcs11::Pin& pin) {
  const Password password(pin);
  const Handle<PKCS12> decoded = decode(file);
  require_password(file, decoded.get(), password);
  const int keys = keys_in(file, decoded.get(), password);
  if (keys == 0) fail(file, "has no private key in it; export the key together with its certificate");
  if (keys > 1)
    fail(file,
         "has " + std::to_string(keys) + " private keys in it, and either could be meant; export one alone");
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
  STACK_OF(X509)* others = nullptr;
  ERR_clear_error();
  const bool parsed = PKCS12_parse(decoded.get(), password.text(), &key, &certificate, &others) == 1;
  Pkcs12Identity identity{std::unique_ptr<EVP_PKEY, FreeIdentity>(key),
                          std::unique_ptr<X509, FreeIdentity>(certificate), nullptr};
  const std::unique_ptr<STACK_OF(X509), FreeIdentity> rest(others);
  if (!parsed || !identity.key) {
    require_known_ciphers(file);
    fail(file, "cannot be used: " + openssl_reasons());
  }
  if (!identity.certificate) {
    fail(file,
         sk_X509_num(rest.get()) > 0
             ? "has certificates, of which none is for its private key; export the one that was issued for it"
             : "has no certificate in it; export the key together with its certificate");
  }
  identity.issuers = issuers_of(identity.certificate.get(), rest.get());
  return identity;
}

}  // namespace keystay::relay
