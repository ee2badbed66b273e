#include "tlsd/tls/certificate.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>

#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <unistd.h>

#include "tlsd/ocsp/ocsp_staple.h"
#include "tlsd/tls/asn1_time.h"
#include "tlsd/tls/chain.h"
#include "tlsd/tls/openssl_error.h"

namespace keystay::tlsd {
namespace {

using TimePoint = std::chrono::system_clock::time_point;

// What one store holds, in its order.
struct Contents {
  KeyHandle key;              // the first one
  std::size_t keys_size = 0;  // how many private keys there are
  std::vector<X509Handle> certificates;
};

std::string titled(std::string_view name, std::string_view what = "certificate") {
  return std::string(what) + " \"" + std::string(name) + "\"";
}

std::string subject(const X509* certificate) {
  char text[256];
  X509_NAME_oneline(X509_get_subject_name(certificate), text, sizeof text);
  return text;
}

void take(Contents& contents, const OSSL_STORE_INFO& info) {
  switch (OSSL_STORE_INFO_get_type(&info)) {
    case OSSL_STORE_INFO_PKEY:
      if (++contents.keys_size == 1) contents.key.reset(OSSL_STORE_INFO_get1_PKEY(&info));
      break;
    case OSSL_STORE_INFO_CERT:
      contents.certificates.emplace_back(OSSL_STORE_INFO_get1_CERT(&info));
      break;
    default:
      break;
  }
}

// Ends at the first error: a store that reports one need not ever report its end. The store of files reports
// an error without a reason at its end, which is none.
Contents read_store(OSSL_LIB_CTX* library, const std::string& name, std::string_view what = "certificate") {
  const std::string uri = store_uri(name);
  if (uri.starts_with('/') && ::access(uri.c_str(), R_OK) != 0) {
    throw CryptoError(titled(name, what) +
                      ": cannot read the file: " + std::generic_category().message(errno));
  }
  ERR_clear_error();
  const StoreHandle store(
      OSSL_STORE_open_ex(uri.c_str(), library, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr));
  if (!store) throw openssl_error(titled(name, what) + ": cannot open " + uri);
  Contents contents;
  while (OSSL_STORE_eof(store.get()) == 0) {
    const StoreInfoHandle info(OSSL_STORE_load(store.get()));
    if (info) {
      take(contents, *info);
    } else if (ERR_peek_error() != 0 || OSSL_STORE_eof(store.get()) == 0) {
      throw openssl_error(titled(name, what) + ": cannot read " + uri);
    }
  }
  return contents;
}

// The order of a listing is no way to choose: a token's changes with every key that comes or goes.
void require_one_key(const Contents& contents, const std::string& name,
                     std::string_view what = "certificate") {
  const std::string uri = store_uri(name);
  if (contents.keys_size == 0) {
    throw CryptoError(titled(name, what) + ": there is no private key in " + uri +
                      (names_file(uri) ? ""
                                       : "; most tokens show one only after a login: see its `pin`, and what "
                                         "keystay -list shows"));
  }
  if (contents.keys_size == 1) return;
  throw CryptoError(titled(name, what) + ": there are " + std::to_string(contents.keys_size) +
                    " private keys in " + uri +
                    (names_file(uri) ? "; leave only the key of the certificate in the file"
                     : uri.starts_with("pkcs11:")
                         ? ", and it names none of them; add object= or id= to the URI"
                         : ", and it names none of them; write an alias, as keystay -list shows it"));
}

X509Handle take_leaf(Contents& contents, const std::string& name) {
  const auto leaf = std::ranges::find_if(contents.certificates, [&](const X509Handle& candidate) {
    return X509_check_private_key(candidate.get(), contents.key.get()) == 1;
  });
  ERR_clear_error();
  if (leaf == contents.certificates.end()) {
    throw CryptoError(titled(name) + ": the key does not fit the certificate (" +
                      subject(contents.certificates.front().get()) +
                      "); import the certificate that was issued for this key");
  }
  X509Handle result = std::move(*leaf);
  contents.certificates.erase(leaf);
  return result;
}

std::vector<std::string> dns_names(const X509* leaf) {
  std::vector<std::string> result;
  const GeneralNamesHandle names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    const auto* text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
    std::string dns_name(text, static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    if (dns_name.find('\0') != std::string::npos) continue;
    std::ranges::transform(dns_name, dns_name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    result.push_back(std::move(dns_name));
  }
  return result;
}

// By whom the leaf is signed; of several certificates of one key any will do.
X509Handle issuer_of(X509* leaf, const std::vector<X509Handle>& others) {
  ERR_set_mark();
  const auto issuer = std::ranges::find_if(others, [&](const X509Handle& candidate) {
    return X509_check_issued(candidate.get(), leaf) == X509_V_OK &&
           X509_verify(leaf, X509_get0_pubkey(candidate.get())) == 1;
  });
  ERR_pop_to_mark();
  if (issuer == others.end() || X509_up_ref(issuer->get()) != 1) return nullptr;
  return X509Handle(issuer->get());
}

void check_validity(Certificate& certificate, const X509* part) {
  const auto now = std::chrono::system_clock::now();
  if (time_point(X509_get0_notBefore(part)) > now) {
    throw CryptoError(titled(certificate.name) + ": " + subject(part) +
                      " is not valid yet; check the clock of this machine");
  }
  const TimePoint end = time_point(X509_get0_notAfter(part));
  if (end < now) {
    throw CryptoError(titled(certificate.name) + ": " + subject(part) +
                      " has expired; renew it and import the new certificate");
  }
  if (certificate.expires_first.empty() || end < certificate.not_after) {
    certificate.not_after = end;
    certificate.expires_first = subject(part);
  }
}

}  // namespace

bool Certificate::on_token() const {
  const OSSL_PROVIDER* provider = EVP_PKEY_get0_provider(key.get());
  return provider != nullptr && std::string_view(OSSL_PROVIDER_get0_name(provider)) != "default";
}

bool names_file(std::string_view name) { return name.starts_with('/') || name.starts_with("file:"); }

bool needs_keystay(std::string_view name) {
  if (!names_file(name)) return true;
  constexpr std::string_view kReference = "-----BEGIN PKCS#11 PROVIDER URI-----";
  if (name.starts_with("file:")) name.remove_prefix(5);
  if (name.starts_with("//")) name.remove_prefix(std::min(name.find('/', 2), name.size()));
  std::ifstream file{std::string(name)};
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(kReference)) return true;
  }
  return false;
}

std::string store_uri(std::string_view name) {
  if (names_file(name) || name.starts_with("keystay:") || name.starts_with("pkcs11:"))
    return std::string(name);
  // The slash that parts a token from an alias stays one (RFC 3986, section 2.2).
  return "keystay:" + boost::urls::encode(name, boost::urls::unreserved_chars + '/');
}

KeyHandle load_private_key(OSSL_LIB_CTX* library, const std::string& name) {
  Contents contents = read_store(library, name, "key");
  require_one_key(contents, name, "key");
  return std::move(contents.key);
}

Certificate load_certificate(OSSL_LIB_CTX* library, const std::string& name) {
  Contents contents = read_store(library, name);
  require_one_key(contents, name);
  if (contents.certificates.empty()) {
    throw CryptoError(
        titled(name) + ": the key has no certificate; import one for it" +
        (name.find("type=private") == std::string::npos
             ? ""
             : ", or leave \"type=private\" out of the URI so that it finds the certificate too"));
  }
  Certificate certificate;
  certificate.name = name;
  certificate.leaf = take_leaf(contents, name);
  certificate.key = std::move(contents.key);
  certificate.chain = build_chain(certificate.leaf.get(), contents.certificates);
  certificate.issuer = issuer_of(certificate.leaf.get(), contents.certificates);
  certificate.dns_names = dns_names(certificate.leaf.get());
  if (certificate.issuer) certificate.staple = std::make_shared<OcspStaple>(certificate.leaf.get());
  check_validity(certificate, certificate.leaf.get());
  for (int i = 0; i < sk_X509_num(certificate.chain.get()); ++i) {
    check_validity(certificate, sk_X509_value(certificate.chain.get(), i));
  }
  return certificate;
}

}  // namespace keystay::tlsd
