#include "tlsd/tls/tls_context.h"

#include <algorithm>

#include <openssl/err.h>

#include "tlsd/tls/openssl_error.h"

namespace keystay::tlsd {
namespace {

// TLS 1.2 with forward secrecy and AEAD only. RSA key exchange would need decryption by the token, too.
constexpr char kTls12Ciphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
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

// Both callbacks run on the fibre of a handshake: small, no allocation, no exception.
int choose_certificate(SSL* ssl, int*, void* names) noexcept {
  const char* server_name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (server_name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_CTX* context = static_cast<const SniTable*>(names)->find(server_name);
  if (context == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_set_SSL_CTX(ssl, context);
  return SSL_TLSEXT_ERR_OK;
}

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

// What SSL_CTX_set_session_id_context takes is limited to 32 bytes.
std::string session_id_context(std::string_view listener) {
  return std::string(listener.substr(0, SSL_MAX_SID_CTX_LENGTH));
}

}  // namespace

TlsContext::TlsContext(OSSL_LIB_CTX* library, std::string_view listener, const Certificates& certificates,
                       const TlsTerms& terms)
    : library_(library),
      session_id_context_(session_id_context(listener)),
      certificates_(certificates),
      protocols_(protocol_list(terms.protocols)) {
  if (terms.clients) clients_.emplace(*terms.clients);
  for (const auto& certificate : certificates_) {
    for (const std::string& name : certificate->dns_names) {
      names_.add(name, context_for(group_for(name, certificates_)));
    }
  }
  default_ = context_for(default_group());
  // SSL_CTX_set_tlsext_servername_callback, whose cast is one of C.
  SSL_CTX_callback_ctrl(default_, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                        reinterpret_cast<void (*)()>(&choose_certificate));
  SSL_CTX_set_tlsext_servername_arg(default_, &names_);
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
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(context.get(), kTls12Ciphers) != 1 ||
      SSL_CTX_set_session_id_context(context.get(),
                                     reinterpret_cast<const unsigned char*>(session_id_context_.data()),
                                     static_cast<unsigned>(session_id_context_.size())) != 1) {
    throw openssl_error("SSL_CTX_new");
  }
  set_policy(context.get());
  // Without a list of our own the client's extension is ignored (RFC 7301, section 3.2).
  if (!protocols_.empty())
    SSL_CTX_set_alpn_select_cb(context.get(), &choose_protocol, const_cast<std::string*>(&protocols_));
  if (clients_) clients_->apply(library_, context.get());
  for (const Certificate* certificate : group) use_certificate(context.get(), *certificate);
  return context;
}

SslHandle TlsContext::new_connection() const {
  SslHandle ssl(SSL_new(default_));
  if (!ssl) throw openssl_error("SSL_new");
  SSL_set_accept_state(ssl.get());
  return ssl;
}

// Tickets are sealed by the context that a connection began with: the default one, whatever name it asked
// for.
TicketKeys TlsContext::ticket_keys() const {
  TicketKeys keys(static_cast<std::size_t>(SSL_CTX_get_tlsext_ticket_keys(default_, nullptr, 0)));
  if (SSL_CTX_get_tlsext_ticket_keys(default_, keys.data(), keys.size()) != 1) {
    throw openssl_error("SSL_CTX_get_tlsext_ticket_keys");
  }
  return keys;
}

void TlsContext::use_ticket_keys(TicketKeys keys) {
  if (SSL_CTX_set_tlsext_ticket_keys(default_, keys.data(), keys.size()) != 1) {
    throw openssl_error("SSL_CTX_set_tlsext_ticket_keys");
  }
}

}  // namespace keystay::tlsd
