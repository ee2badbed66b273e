#include "tlsd/tls/tls_context.h"

#include <algorithm>
#include <tuple>

#include <boost/asio/ip/address.hpp>
#include <openssl/err.h>

#include "tlsd/admin/printable.h"
#include "tlsd/ocsp/ocsp_staple.h"
#include "tlsd/tls/client_hello.h"
#include "tlsd/tls/openssl_error.h"

namespace keystay::tlsd {
namespace {

constexpr unsigned int kSessionIdSize = std::tuple_size_v<SessionIdContext>;
constexpr int kSecurityLevel = 2;  // 112 bits: RSA from 2048 bits, no SHA-1

std::string_view key_type(const Certificate& certificate) {
  const char* name = EVP_PKEY_get0_type_name(certificate.key.get());
  return name != nullptr ? name : "";
}

bool names(const Certificate& certificate, std::string_view name) {
  return std::ranges::find(certificate.dns_names, name) != certificate.dns_names.end();
}

bool covered_by(const Certificate& certificate, std::string_view name) {
  return std::ranges::any_of(certificate.dns_names,
                             [&](const std::string& pattern) { return covers(pattern, name); });
}

// The certificates for one name, the first of each type of key; those that name it exactly before wildcards.
std::vector<const Certificate*> group_for(std::string_view name, const Certificates& certificates) {
  std::vector<const Certificate*> group;
  const auto add_those = [&](auto&& fits) {
    for (const auto& certificate : certificates) {
      const bool has_type = std::ranges::any_of(
          group, [&](const Certificate* member) { return key_type(*member) == key_type(*certificate); });
      if (!has_type && fits(*certificate, name)) group.push_back(certificate.get());
    }
  };
  add_those(names);
  add_those(covered_by);
  return group;
}

// Runs on the fibre of a handshake, as all callbacks do: small, no allocation, no exception.
// RFC 7301, section 3.2: a client that offers only other protocols gets no_application_protocol.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned int offered_size, void* protocols) noexcept {
  const auto& ours = *static_cast<const std::string*>(protocols);
  unsigned char* protocol = nullptr;
  if (SSL_select_next_proto(&protocol, size, reinterpret_cast<const unsigned char*>(ours.data()),
                            static_cast<unsigned int>(ours.size()), offered,
                            offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *chosen = protocol;
  return SSL_TLSEXT_ERR_OK;
}

// Of which there is no server name (RFC 6066, section 3).
bool is_address(std::string_view host) noexcept {
  boost::system::error_code error;
  static_cast<void>(boost::asio::ip::make_address(host, error));
  return !error;
}

void set_policy(SSL_CTX* context) {
  SSL_CTX_set_security_level(context, kSecurityLevel);
  // Renegotiation would sign again in mid-connection.
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  // Resumption is by tickets, which every thread can open; a cache would be a lock between the threads.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

void use_certificate(SSL_CTX* context, const Certificate& certificate) {
  if (SSL_CTX_use_cert_and_key(context, certificate.leaf.get(), certificate.key.get(),
                               certificate.chain.get(), 1) != 1) {
    throw openssl_error("certificate \"" + certificate.name + "\": TLS cannot use it");
  }
}

// RFC 7301, section 3.1: each behind its length.
std::string protocol_list(const std::vector<std::string>& protocols) {
  std::string list;
  for (const std::string& protocol : protocols) {
    list.push_back(static_cast<char>(protocol.size()));
    list += protocol;
  }
  return list;
}

// Sessions belong to the listener, to what it asks of clients, and to the name that was asked for (RFC 8446,
// section 4.6.1, leaves that to the client alone). The same for all who serve the same, so that instances
// resume one another's sessions.
SessionIdContext sessions_of(OSSL_LIB_CTX* library, std::string_view listener, std::string_view clients,
                             std::string_view pattern) {
  std::string input;
  for (const std::string_view part : {listener, clients, pattern}) {
    input += std::to_string(part.size()) + ':';
    input += part;
  }
  SessionIdContext result{};
  std::size_t size = 0;
  if (EVP_Q_digest(library, "SHA256", nullptr, input.data(), input.size(), result.data(), &size) != 1)
    throw openssl_error("SHA256");
  return result;
}

}  // namespace

TlsContext::TlsContext(OSSL_LIB_CTX* library, std::string_view listener, const Certificates& certificates,
                       const TlsTerms& terms)
    : library_(library),
      certificates_(certificates),
      protocols_(protocol_list(terms.protocols)),
      protocol_settings_(library, terms.protocol),
      unknown_name_(terms.protocol.unknown_name),
      tickets_(terms.tickets) {
  if (terms.clients) clients_.emplace(*terms.clients);
  const std::string_view asked = !terms.clients            ? "no certificate"
                                 : terms.clients->required ? "certificate required"
                                                           : "certificate optional";
  // Those of clients without a name, or with one that no certificate has.
  default_.sessions = sessions_of(library, listener, asked, {});
  for (const auto& certificate : certificates_) {
    for (const std::string& name : certificate->dns_names) {
      names_.add(name,
                 {context_for(group_for(name, certificates_)), sessions_of(library, listener, asked, name)});
    }
  }
  default_.context = context_for(default_group());
  // SSL_CTX_set_tlsext_servername_callback, whose cast is one of C.
  SSL_CTX_callback_ctrl(default_.context, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                        reinterpret_cast<void (*)()>(&TlsContext::answer_name));
  SSL_CTX_set_tlsext_servername_arg(default_.context, this);
}

// Before libssl looks at anything else: it opens a ticket before it calls answer_name, and a session of
// another name must not be resumed then. A second ClientHello, which may have another name, is looked at
// again.
int TlsContext::choose_context(SSL* ssl, int* alert, void* tls) noexcept {
  const auto& self = *static_cast<const TlsContext*>(tls);
  const NamedContext* named = self.names_.find(server_name_of_hello(ssl));
  const NamedContext& chosen = named != nullptr ? *named : self.default_;
  if (SSL_set_SSL_CTX(ssl, chosen.context) != nullptr &&
      SSL_set_session_id_context(ssl, chosen.sessions.data(), kSessionIdSize) == 1) {
    return SSL_CLIENT_HELLO_SUCCESS;
  }
  *alert = SSL_AD_INTERNAL_ERROR;
  return SSL_CLIENT_HELLO_ERROR;
}

int TlsContext::answer_name(SSL* ssl, int* alert, void* tls) noexcept {
  const auto& self = *static_cast<const TlsContext*>(tls);
  const char* server_name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (server_name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  if (self.names_.find(server_name) != nullptr) return SSL_TLSEXT_ERR_OK;
  if (self.unknown_name_ == config::UnknownName::serve_default) return SSL_TLSEXT_ERR_NOACK;
  *alert = SSL_AD_UNRECOGNIZED_NAME;
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool TlsContext::serves(const SSL* ssl, std::string_view host) const noexcept {
  if (host.ends_with('.')) host.remove_suffix(1);  // server names have no such dot (RFC 6066, section 3)
  const NamedContext* named = names_.find(host);
  if (named == nullptr && unknown_name_ == config::UnknownName::refuse && !is_address(host)) return false;
  return SSL_get_SSL_CTX(ssl) == (named != nullptr ? named->context : default_.context);
}

std::string TlsContext::refused_name(const SSL* ssl, int library_reason) const {
  if (unknown_name_ != config::UnknownName::refuse || library_reason != SSL_R_CALLBACK_FAILED) return {};
  const char* server_name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (server_name == nullptr || names_.find(server_name) != nullptr) return {};
  return "no certificate has the server name \"" + printable(server_name) + "\" (unknown-name)";
}

TlsContext::Group TlsContext::default_group() const {
  if (certificates_.empty()) return {};
  const Certificate& first = *certificates_.front();
  return first.dns_names.empty() ? Group{&first} : group_for(first.dns_names.front(), certificates_);
}

SSL_CTX* TlsContext::context_for(const Group& group) {
  auto& context = contexts_[group];
  if (!context) context = make_context(group);
  return context.get();
}

SslContextHandle TlsContext::make_context(const Group& group) const {
  ERR_clear_error();
  SslContextHandle context(SSL_CTX_new_ex(library_, nullptr, TLS_server_method()));
  if (!context ||
      SSL_CTX_set_session_id_context(context.get(), default_.sessions.data(), kSessionIdSize) != 1) {
    throw openssl_error("SSL_CTX_new");
  }
  set_policy(context.get());
  protocol_settings_.apply(context.get());
  SSL_CTX_set_client_hello_cb(context.get(), &TlsContext::choose_context, const_cast<TlsContext*>(this));
  if (tickets_) {
    tickets_->apply(context.get());
  } else {
    SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context.get(), 0);
  }
  // Without a list of our own the client's extension is ignored (RFC 7301, section 3.2).
  if (!protocols_.empty())
    SSL_CTX_set_alpn_select_cb(context.get(), &choose_protocol, const_cast<std::string*>(&protocols_));
  if (clients_) clients_->apply(library_, context.get());
  OcspStaple::apply(context.get());
  for (const Certificate* certificate : group) use_certificate(context.get(), *certificate);
  return context;
}

SslHandle TlsContext::new_connection() const {
  SslHandle ssl(SSL_new(default_.context));
  if (!ssl) throw openssl_error("SSL_new");
  // Rather no ticket than an empty one, which TLS 1.3 does not know.
  if (tickets_ && tickets_->empty()) {
    SSL_set_options(ssl.get(), SSL_OP_NO_TICKET);
    SSL_set_num_tickets(ssl.get(), 0);
  }
  SSL_set_accept_state(ssl.get());
  return ssl;
}

}  // namespace keystay::tlsd
