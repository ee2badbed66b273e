// How a certificate is obtained: what a renewal needs again.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace keystay::tools::acme {

inline constexpr char kDefaultAccount[] = "acme-account";

struct AcmeOptions {
  std::string directory;                  // URL of the ACME server's directory
  std::string account = kDefaultAccount;  // alias of the account key
  std::filesystem::path authorities;  // whom the server's certificate is from; empty: as the system has it
  // How challenges are answered; each may be empty.
  std::string http_port;           // ChallengeServer
  std::filesystem::path webroot;   // Webroot
  std::filesystem::path dns_hook;  // DnsHook

  bool operator==(const AcmeOptions&) const = default;
};

// What the certificate is to say. What is empty is as in the certificate that the alias has.
struct WantedCertificate {
  std::string distinguished_name;
  std::vector<std::string> extensions;  // as keytool's -ext writes them; the names are those of its san=
  std::string signature_algorithm;      // of the request

  bool operator==(const WantedCertificate&) const = default;
};

}  // namespace keystay::tools::acme
