#include "native/x509/pkcs12_file.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <openssl/err.h>
#include <openssl/pkcs12.h>

#include "native/x509/error.h"
#include "native/x509/error_mark.h"
#include "native/x509/errors_set_aside.h"
#include "native/x509/key_file_password.h"
#include "native/x509/x509_certificate.h"

namespace keystay::x509 {
namespace {

constexpr int kDeepest = 8;  // of safes within safes
// By which the JDK tells a trusted certificate from one that came with a key.
constexpr char kTrustedKeyUsage[] = "2.16.840.1.113894.746875.1.1";

using Pkcs12 = Owned<PKCS12, PKCS12_free>;
using Pkcs8 = Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;

struct FreeStack {
  void operator()(STACK_OF(PKCS7) * safes) const noexcept { sk_PKCS7_pop_free(safes, PKCS7_free); }
  void operator()(STACK_OF(PKCS12_SAFEBAG) * bags) const noexcept {
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
  }
};
using Safes = std::unique_ptr<STACK_OF(PKCS7), FreeStack>;
using Bags = std::unique_ptr<STACK_OF(PKCS12_SAFEBAG), FreeStack>;

// `context` may be null for a look at the form only.
Pkcs12 decode(std::string_view content, OSSL_LIB_CTX* context) {
  const ErrorMark other_bytes_are_no_error;
  PKCS12* decoded = PKCS12_init_ex(NID_pkcs7_data, context, nullptr);
  const auto* in = reinterpret_cast<const unsigned char*>(content.data());
  if (decoded == nullptr || d2i_PKCS12(&decoded, &in, static_cast<long>(content.size())) == nullptr) {
    PKCS12_free(decoded);  // null if d2i_PKCS12 has freed it
    return nullptr;
  }
  return Pkcs12(decoded);
}

std::string friendly_name(PKCS12_SAFEBAG* bag) {
  const std::unique_ptr<char, OpensslFree> name(PKCS12_get_friendlyname(bag));
  return name ? name.get() : "";
}

bool is_trust_anchor(const PKCS12_SAFEBAG* bag) {
  const STACK_OF(X509_ATTRIBUTE)* attributes = PKCS12_SAFEBAG_get0_attrs(bag);
  const Asn1Object wanted(OBJ_txt2obj(kTrustedKeyUsage, 1));
  for (int i = 0; wanted && i < sk_X509_ATTRIBUTE_num(attributes); ++i) {
    X509_ATTRIBUTE* attribute = sk_X509_ATTRIBUTE_value(attributes, i);
    if (OBJ_cmp(X509_ATTRIBUTE_get0_object(attribute), wanted.get()) == 0) return true;
  }
  return false;
}

class Pkcs12Reader final {
 public:
  Pkcs12Reader(std::string_view content, const KeyFilePasswords& passwords)
      : passwords_(passwords), decoded_(decode(content, ciphers_.context())) {
    if (!decoded_) throw Error("it is no file of PKCS #12");
  }

  KeyFile read() {
    verify();
    const Safes safes(PKCS12_unpack_authsafes(decoded_.get()));
    if (!safes) throw openssl_error("it is damaged");
    for (int i = 0; i < sk_PKCS7_num(safes.get()); ++i) take_safe(sk_PKCS7_value(safes.get(), i));
    return std::move(result_);
  }

 private:
  // RFC 7292, section 5.1. Files without a password are made with an empty one, or with none.
  void verify() {
    if (PKCS12_mac_present(decoded_.get()) != 1 || verifies(nullptr, 0) || verifies("", 0)) return;
    const PasswordText& password = file_password();
    if (verifies(password.text(), password.size())) return;
    throw Error("the password is not that of the file, or the file is damaged");
  }

  bool verifies(const char* password, int size) {
    ERR_clear_error();
    const bool right = PKCS12_verify_mac(decoded_.get(), password, size) == 1;
    if (!right) ciphers_.require_known();
    if (right && password != nullptr && size > 0) return true;
    if (right) has_no_password_ = true;
    ERR_clear_error();
    return right;
  }

  const PasswordText& file_password() {
    if (!file_password_) {
      if (has_no_password_)
        file_password_.emplace(pkcs11::Pin(""));
      else
        file_password_.emplace(passwords_.file());
    }
    return *file_password_;
  }

  const PasswordText& key_password() {
    if (!passwords_.key) return file_password();
    if (!key_password_) key_password_.emplace(passwords_.key());
    return *key_password_;
  }

  void take_safe(PKCS7* safe) {
    ERR_clear_error();
    const int type = OBJ_obj2nid(safe->type);
    if (type != NID_pkcs7_data && type != NID_pkcs7_encrypted)
      throw Error("part of it is encrypted for a public key, which only its owner can read");
    Bags bags;
    if (type == NID_pkcs7_data) {
      bags.reset(PKCS12_unpack_p7data(safe));
    } else {
      const PasswordText& password = file_password();
      bags.reset(PKCS12_unpack_p7encdata(safe, password.text(), password.size()));
    }
    if (!bags) fail_to_decrypt();
    take_bags(bags.get(), 0);
  }

  void take_bags(const STACK_OF(PKCS12_SAFEBAG) * bags, int depth) {
    if (depth > kDeepest) throw Error("it has safes within safes without end");
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); ++i) take_bag(sk_PKCS12_SAFEBAG_value(bags, i), depth);
  }

  void take_bag(PKCS12_SAFEBAG* bag, int depth) {
    switch (PKCS12_SAFEBAG_get_nid(bag)) {
      case NID_keyBag:
        return add_key(bag, PKCS12_SAFEBAG_get0_p8inf(bag));
      case NID_pkcs8ShroudedKeyBag:
        return add_key(bag, decrypted(bag).get());
      case NID_certBag:
        return add_certificate(bag);
      case NID_safeContentsBag:
        return take_bags(PKCS12_SAFEBAG_get0_safes(bag), depth + 1);
      default:
        ++result_.others;
    }
  }

  Pkcs8 decrypted(const PKCS12_SAFEBAG* bag) {
    const PasswordText& password = key_password();
    ERR_clear_error();
    Pkcs8 key(PKCS12_decrypt_skey_ex(bag, password.text(), password.size(), ciphers_.context(), nullptr));
    if (!key) fail_to_decrypt();
    return key;
  }

  void add_key(PKCS12_SAFEBAG* bag, const PKCS8_PRIV_KEY_INFO* info) {
    EvpPkey key(EVP_PKCS82PKEY(info));
    if (!key) throw openssl_error("it has a private key that libcrypto cannot use");
    result_.keys.push_back({friendly_name(bag), std::move(key)});
  }

  void add_certificate(PKCS12_SAFEBAG* bag) {
    if (PKCS12_SAFEBAG_get_bag_nid(bag) != NID_x509Certificate) {
      ++result_.others;
      return;
    }
    const X509Certificate x509(PKCS12_SAFEBAG_get1_cert(bag));
    if (!x509) throw openssl_error("it has a damaged certificate");
    keys::Certificate certificate = to_certificate(x509.get());
    if (is_trust_anchor(bag)) result_.trusted.push_back({friendly_name(bag), certificate});
    const auto same = std::ranges::find(result_.certificates, certificate.der, &keys::Certificate::der);
    if (same == result_.certificates.end()) result_.certificates.push_back(std::move(certificate));
  }

  [[noreturn]] void fail_to_decrypt() {
    ciphers_.require_known();
    ERR_clear_error();
    throw Error(passwords_.key
                    ? "part of it cannot be decrypted: -srckeypass is not the password of the key, or "
                      "the file is damaged"
                    : "part of it cannot be decrypted with the password of the file; if a key has "
                      "another one, give it with -srckeypass:file");
  }

  const KeyFilePasswords& passwords_;
  FileCiphers ciphers_;
  Pkcs12 decoded_;
  bool has_no_password_ = false;
  std::optional<PasswordText> file_password_;
  std::optional<PasswordText> key_password_;
  KeyFile result_;
};

}  // namespace

bool is_pkcs12(std::string_view content) { return decode(content, nullptr) != nullptr; }

KeyFile read_pkcs12(std::string_view content, const KeyFilePasswords& passwords) {
  const ErrorsSetAside others;
  return Pkcs12Reader(content, passwords).read();
}

}  // namespace keystay::x509
