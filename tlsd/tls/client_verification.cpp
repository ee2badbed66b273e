#include "tlsd/tls/client_verification.h"

#include <algorithm>
#include <string_view>

#include <openssl/err.h>
#include <strings.h>

#include "tlsd/admin/printable.h"
#include "tlsd/tls/openssl_error.h"

namespace keystay::tlsd {
namespace {

constexpr std::string_view kUri = "URI:";
constexpr std::string_view kCommonName = "CN=";

void free_certificate(void*, void* certificate, CRYPTO_EX_DATA*, int, long, void*) {
  X509_free(static_cast<X509*>(certificate));
}

// Where an SSL keeps the certificate that was refused: libssl forgets it.
int refused_certificate() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, &free_certificate);
  return index;
}

std::string_view view(const ASN1_STRING* text) noexcept {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

bool same_host(std::string_view left, std::string_view right) noexcept {
  return left.size() == right.size() && ::strncasecmp(left.data(), right.data(), left.size()) == 0;
}

// Of RFC 5280, section 4.2.1.6: those by which a client may be listed.
bool is_named(const GENERAL_NAME* name, std::string_view wanted) noexcept {
  if (name->type == GEN_DNS) return same_host(view(name->d.dNSName), wanted);
  if (name->type != GEN_URI || !wanted.starts_with(kUri)) return false;
  return view(name->d.uniformResourceIdentifier) == wanted.substr(kUri.size());
}

GeneralNamesHandle alternative_names(const X509* certificate) noexcept {
  return GeneralNamesHandle(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
}

std::string_view common_name(const X509* certificate) noexcept {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  return view(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

std::string names_of(const X509* certificate) {
  constexpr std::size_t kMost = 500;
  std::string result = std::string(kCommonName) + printable(common_name(certificate));
  const GeneralNamesHandle names = alternative_names(certificate);
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()) && result.size() < kMost; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) result += ", " + printable(view(name->d.dNSName));
    if (name->type == GEN_URI)
      result += ", " + std::string(kUri) + printable(view(name->d.uniformResourceIdentifier));
  }
  return result;
}

// As nginx and HAProxy do: every certificate of the chain is looked up, and needs a CRL of its issuer.
void use_crl(SSL_CTX* context, const std::string& file) {
  ERR_clear_error();
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  X509_LOOKUP* lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
  if (lookup == nullptr || X509_load_crl_file(lookup, file.c_str(), X509_FILETYPE_PEM) < 1 ||
      X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL) != 1) {
    throw openssl_error("client-crl: cannot read CRLs from " + file);
  }
}

}  // namespace

ClientVerification::ClientVerification(config::ClientCertificates settings)
    : settings_(std::move(settings)) {}

void ClientVerification::apply(OSSL_LIB_CTX* library, SSL_CTX* context) const {
  ERR_clear_error();
  STACK_OF(X509_NAME)* authorities = SSL_load_client_CA_file_ex(settings_.ca.c_str(), library, nullptr);
  if (authorities == nullptr || SSL_CTX_load_verify_file(context, settings_.ca.c_str()) != 1) {
    sk_X509_NAME_pop_free(authorities, X509_NAME_free);
    throw openssl_error("client-ca: cannot read certificates of authorities from " + settings_.ca);
  }
  SSL_CTX_set_client_CA_list(context, authorities);
  if (!settings_.crl.empty()) use_crl(context, settings_.crl);
  const int without_one = settings_.required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | without_one, nullptr);
  SSL_CTX_set_cert_verify_callback(context, &ClientVerification::verify,
                                   const_cast<ClientVerification*>(this));
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context, 0);
}

// Runs on the fibre of a handshake.
int ClientVerification::verify(X509_STORE_CTX* chain, void* verification) noexcept {
  X509* certificate = X509_STORE_CTX_get0_cert(chain);
  bool accepted = X509_verify_cert(chain) == 1;
  if (accepted && !static_cast<const ClientVerification*>(verification)->names(certificate)) {
    X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
    accepted = false;
  }
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  if (!accepted && ssl != nullptr && X509_up_ref(certificate) == 1 &&
      SSL_set_ex_data(ssl, refused_certificate(), certificate) != 1)
    X509_free(certificate);
  return accepted ? 1 : 0;
}

bool ClientVerification::names(X509* certificate) const noexcept {
  if (settings_.names.empty()) return true;
  const GeneralNamesHandle names = alternative_names(certificate);
  return std::ranges::any_of(settings_.names, [&](std::string_view wanted) {
    if (wanted.starts_with(kCommonName)) return common_name(certificate) == wanted.substr(kCommonName.size());
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i)
      if (is_named(sk_GENERAL_NAME_value(names.get(), i), wanted)) return true;
    return false;
  });
}

std::string ClientVerification::refusal(const SSL* ssl, int library_reason) {
  if (library_reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) return "the client shows no certificate";
  const long result = SSL_get_verify_result(ssl);
  const auto* certificate = static_cast<const X509*>(SSL_get_ex_data(ssl, refused_certificate()));
  if (result == X509_V_OK || certificate == nullptr) return {};
  return "the client's certificate (" + names_of(certificate) + ") is refused: " +
         (result == X509_V_ERR_APPLICATION_VERIFICATION ? "none of its names is among client-names"
                                                        : X509_verify_cert_error_string(result));
}

}  // namespace keystay::tlsd
