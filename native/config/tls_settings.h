// What a listener agrees to in TLS. Names of ciphers and groups are text here: libssl knows which it has.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace keystay::config {

// A value that another room judges, and where the file has it: "keystay.toml:8: tlsd.listener.ciphers".
struct PlacedText {
  std::string text;
  std::string place;
};

enum class TlsVersion { tls12, tls13 };

// What a client gets whose server name (SNI) no certificate has.
enum class UnknownName {
  serve_default,  // the first certificate
  refuse,         // the alert unrecognized_name (RFC 6066, section 3)
};

// Absent texts: tlsd's choice for ciphers, libssl's for the others.
struct TlsSettings {
  TlsVersion min_version = TlsVersion::tls12;
  TlsVersion max_version = TlsVersion::tls13;
  std::optional<PlacedText> ciphers;               // of TLS 1.2, as ciphers(1) writes them
  std::optional<PlacedText> cipher_suites;         // of TLS 1.3
  std::optional<PlacedText> groups;                // for the key exchange
  std::optional<PlacedText> signature_algorithms;  // of our signatures, and of the clients'
  UnknownName unknown_name = UnknownName::serve_default;
};

// Where the responses come from that say that a certificate is not revoked (RFC 6066, section 8).
struct OcspSettings {
  enum class Source {
    off,
    fetch,  // from the responder that each certificate names
    files,
  };
  Source source = Source::off;
  std::vector<std::string> files;  // DER
  std::string place;
};

}  // namespace keystay::config
