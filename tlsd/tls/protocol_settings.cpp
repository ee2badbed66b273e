#include "tlsd/tls/protocol_settings.h"

#include <algorithm>
#include <string_view>

#include <openssl/err.h>

#include "tlsd/tls/openssl_error.h"

namespace keystay::tlsd {
namespace {

using config::PlacedText;

// TLS 1.2 with forward secrecy and AEAD only. RSA key exchange would need decryption by the token, too.
constexpr char kTls12Ciphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

// TLS 1.3: OpenSSL's suites, but SHA-256 first. A key schedule of SHA-384, which processors do not compute by
// themselves, takes a tenth of a handshake; both have the strength of P-256 and X25519.
constexpr char kTls13Suites[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

// libssl reads groups in tuples, and with marks in front of them, from 3.5 on (SSL_CTX_set1_groups_list(3)).
constexpr unsigned long kTuplesOfGroups = 0x30500000UL;

// A list of names as libssl takes it; these are macros there, or functions.
struct Kind {
  int (*set)(SSL_CTX*, const char*);
  std::string_view separators;
};

int set_ciphers(SSL_CTX* context, const char* list) { return SSL_CTX_set_cipher_list(context, list); }
int set_cipher_suites(SSL_CTX* context, const char* list) { return SSL_CTX_set_ciphersuites(context, list); }
int set_groups(SSL_CTX* context, const char* list) {
  return static_cast<int>(SSL_CTX_set1_groups_list(context, list));
}
int set_signature_algorithms(SSL_CTX* context, const char* list) {
  return static_cast<int>(SSL_CTX_set1_sigalgs_list(context, list));
}

constexpr Kind kCiphers{&set_ciphers, ":, "};
constexpr Kind kCipherSuites{&set_cipher_suites, ":"};
constexpr Kind kGroups{&set_groups, ":/"};
constexpr Kind kSignatureAlgorithms{&set_signature_algorithms, ":"};

int version_number(config::TlsVersion version) {
  return version == config::TlsVersion::tls12 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

SslContextHandle new_context(OSSL_LIB_CTX* library) {
  SslContextHandle context(SSL_CTX_new_ex(library, nullptr, TLS_server_method()));
  if (!context) throw openssl_error("SSL_CTX_new");
  return context;
}

// Words of ciphers(1) that take away, move or set a level, which may match nothing.
bool is_command(std::string_view word) { return word.find_first_of("!-+@") == 0; }

[[noreturn]] void refuse(const PlacedText& list, std::string_view name) {
  throw openssl_error(list.place + ": libssl cannot use \"" + std::string(name) + "\"");
}

// libssl by itself passes over names in lists of ciphers that it does not know: each is tried alone.
class NameFilter final {
 public:
  NameFilter(OSSL_LIB_CTX* library, const Kind& kind, const PlacedText& list)
      : context_(new_context(library)), kind_(kind), list_(list) {}

  [[nodiscard]] PlacedText known() {
    ERR_clear_error();
    std::string_view rest = list_.text;
    for (;;) {
      const auto end = rest.find_first_of(kind_.separators);
      take(rest.substr(0, end));
      if (end == std::string_view::npos) break;
      rest.remove_prefix(end + 1);
    }
    if (known_.empty()) {
      throw CryptoError(list_.place + ": libssl (" + OpenSSL_version(OPENSSL_VERSION_STRING) +
                        ") knows none of \"" + list_.text + "\"");
    }
    return {known_, list_.place};
  }

 private:
  void take(std::string_view word) {
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    bool optional = false;
    // The star of a group is for clients.
    for (; word.starts_with('?') || word.starts_with('*'); word.remove_prefix(1))
      optional = optional || word.front() == '?';
    if (word.empty()) return;
    const std::string name(word);
    if (!is_command(word) && kind_.set(context_.get(), name.c_str()) != 1) {
      if (!optional) refuse(list_, name);
      ERR_clear_error();
      return;
    }
    known_ += (known_.empty() ? "" : ":") + name;
  }

  SslContextHandle context_;  // on which names are tried
  const Kind& kind_;
  const PlacedText& list_;
  std::string known_;
};

std::optional<PlacedText> known(OSSL_LIB_CTX* library, const Kind& kind,
                                const std::optional<PlacedText>& list) {
  if (!list) return std::nullopt;
  return NameFilter(library, kind, *list).known();
}

std::optional<PlacedText> known_groups(OSSL_LIB_CTX* library, const std::optional<PlacedText>& list) {
  return OpenSSL_version_num() >= kTuplesOfGroups ? list : known(library, kGroups, list);
}

void apply_list(SSL_CTX* context, const Kind& kind, const std::optional<PlacedText>& list) {
  if (list && kind.set(context, list->text.c_str()) != 1) refuse(*list, list->text);
}

}  // namespace

ProtocolSettings::ProtocolSettings(OSSL_LIB_CTX* library, const config::TlsSettings& settings)
    : min_version_(version_number(settings.min_version)),
      max_version_(version_number(settings.max_version)),
      ciphers_(known(library, kCiphers, settings.ciphers)),
      cipher_suites_(known(library, kCipherSuites, settings.cipher_suites)),
      groups_(known_groups(library, settings.groups)),
      signature_algorithms_(known(library, kSignatureAlgorithms, settings.signature_algorithms)) {}

void ProtocolSettings::apply(SSL_CTX* context) const {
  if (SSL_CTX_set_min_proto_version(context, min_version_) != 1 ||
      SSL_CTX_set_max_proto_version(context, max_version_) != 1 ||
      SSL_CTX_set_cipher_list(context, kTls12Ciphers) != 1 ||
      SSL_CTX_set_ciphersuites(context, kTls13Suites) != 1) {
    throw openssl_error("SSL_CTX_set_cipher_list");
  }
  apply_list(context, kCiphers, ciphers_);
  apply_list(context, kCipherSuites, cipher_suites_);
  apply_list(context, kGroups, groups_);
  apply_list(context, kSignatureAlgorithms, signature_algorithms_);
}

}  // namespace keystay::tlsd
