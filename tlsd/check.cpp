#include "tlsd/check.h"

#include <chrono>
#include <exception>
#include <functional>
#include <ostream>
#include <set>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "native/config/endpoint.h"
#include "tlsd/accept/listening_socket.h"
#include "tlsd/access_log/access_log_file.h"
#include "tlsd/backend_servers.h"
#include "tlsd/http/error_pages.h"
#include "tlsd/ocsp/ocsp_updates.h"
#include "tlsd/tls/test_signature.h"
#include "tlsd/tls/tls_context.h"

namespace keystay::tlsd {
namespace {

class Report final {
 public:
  Report(std::ostream& out, std::ostream& err) : out_(out), err_(err) {}

  // What `step` returns goes to `out`; the message of what it throws to `err`.
  template <typename Step>
  void add(Step step) {
    try {
      out_ << step() << '\n';
    } catch (const std::exception& error) {
      err_ << error.what() << '\n';
      good_ = false;
    }
  }

  [[nodiscard]] bool good() const noexcept { return good_; }

 private:
  std::ostream& out_;
  std::ostream& err_;
  bool good_ = true;
};

std::string check_certificate(OSSL_LIB_CTX* library, const std::string& name) {
  using namespace std::chrono;
  Certificate certificate = load_certificate(library, name);
  const auto begin = steady_clock::now();
  make_test_signature(library, certificate);
  const auto taken = duration_cast<microseconds>(steady_clock::now() - begin);
  const auto* type = EVP_PKEY_get0_type_name(certificate.key.get());
  const auto place = certificate.on_token() ? "on a token" : "in a file";
  const auto until = system_clock::to_time_t(certificate.not_after);
  auto line =
      fmt::format("certificate \"{}\": {}-{} key {}, signed in {} us, valid until {:%Y-%m-%d}, for {}", name,
                  type != nullptr ? type : "?", EVP_PKEY_get_bits(certificate.key.get()), place,
                  taken.count(), fmt::gmtime(until), fmt::join(certificate.dns_names, " "));
  // libssl may refuse a key that can sign: one that is too short, for instance.
  const TlsContext usable(library, "check", {std::make_shared<const Certificate>(std::move(certificate))});
  return line;
}

// Without its certificates, of which there are lines already.
std::string check_listener(OSSL_LIB_CTX* library, const config::ListenerSettings& listener) {
  const TlsContext usable(library, listener.name, {}, TlsTerms{{}, listener.clients, listener.tls});
  const bool only_12 = listener.tls.max_version == config::TlsVersion::tls12;
  const bool only_13 = listener.tls.min_version == config::TlsVersion::tls13;
  return fmt::format("listener \"{}\": {}", listener.name,
                     only_12   ? "TLS 1.2"
                     : only_13 ? "TLS 1.3"
                               : "TLS 1.2 and 1.3");
}

std::string check_error_pages(const config::ListenerSettings& listener) {
  std::vector<unsigned> statuses;
  const ErrorPages pages(listener.error_pages);
  for (const auto& [status, _] : pages.all()) statuses.push_back(status);
  return fmt::format("listener \"{}\": error pages for {}", listener.name, fmt::join(statuses, ", "));
}

// By the files that the listener names; what a responder says shows when the server runs.
std::string check_ocsp(OSSL_LIB_CTX* library, const config::ListenerSettings& listener) {
  Certificates certificates;
  for (const std::string& name : listener.certificates)
    certificates.push_back(std::make_shared<const Certificate>(load_certificate(library, name)));
  use_ocsp_files(library, listener.ocsp, certificates);
  return fmt::format("listener \"{}\": the OCSP responses fit", listener.name);
}

std::string check_tickets(OSSL_LIB_CTX* library, const config::TicketSettings& settings) {
  using namespace std::chrono;
  TicketKeys keys(library, settings);
  const auto begin = steady_clock::now();
  const std::size_t made = keys.refresh(system_clock::now());
  const auto taken = duration_cast<microseconds>(steady_clock::now() - begin);
  return fmt::format("session tickets: {} keys from \"{}\" in {} us", made, settings.name, taken.count());
}

// Whether names are known and what TLS needs is there; that a server cannot be reached now is no fault of the
// configuration.
std::string check_backend(OSSL_LIB_CTX* library, const std::string& name,
                          const config::BackendSettings& settings) {
  if (settings.tls) {
    const BackendTls usable(library, name, *settings.tls);
    if (!settings.tls->certificate.empty() && settings.tls->key.empty())
      make_test_signature(library, load_certificate(library, settings.tls->certificate));
  }
  Metrics metrics;
  BackendServers servers(name, settings, metrics);
  servers.resolve();
  std::vector<std::string> places;
  for (const ServerPlace& place : servers.places()) places.push_back(place.name);
  return fmt::format("backend {}: {}", name, fmt::join(places, ", "));
}

}  // namespace

bool check(const LibraryContext& library, const config::TlsdSettings& settings, std::ostream& out,
           std::ostream& err) {
  Report report(out, err);
  std::set<std::string> names;
  std::set<std::string> access_logs;
  std::vector<config::Endpoint> addresses;
  std::vector<std::string> sockets;
  for (const auto& listener : settings.listeners) {
    names.insert(listener.certificates.begin(), listener.certificates.end());
    addresses.insert(addresses.end(), listener.bind.begin(), listener.bind.end());
    if (!listener.access_log.target.empty()) access_logs.insert(listener.access_log.target);
    sockets.insert(sockets.end(), listener.sockets.begin(), listener.sockets.end());
  }
  if (settings.admin) addresses.push_back(*settings.admin);
  for (const std::string& name : names) {
    report.add([&] { return check_certificate(library.get(), name); });
  }
  if (!settings.tickets.name.empty())
    report.add([&] { return check_tickets(library.get(), settings.tickets); });
  for (const auto& listener : settings.listeners) {
    report.add([&] { return check_listener(library.get(), listener); });
    if (!listener.error_pages.empty()) report.add([&] { return check_error_pages(listener); });
    if (listener.ocsp.source == config::OcspSettings::Source::files)
      report.add([&] { return check_ocsp(library.get(), listener); });
  }
  for (const config::Endpoint& address : addresses) {
    report.add([&] {
      expect_free(address);
      return fmt::format("address {}: free", config::format_endpoint(address));
    });
  }
  for (const std::string& target : access_logs) {
    report.add([&] {
      expect_writable(target);
      return fmt::format("access log {}: can be written", target);
    });
  }
  for (const std::string& path : sockets) {
    report.add([&] {
      expect_free_socket(path);
      return fmt::format("address unix:{}: free", path);
    });
  }
  for (const auto& [name, backend] : settings.backends) {
    report.add([&, name = name, backend = backend] { return check_backend(library.get(), name, backend); });
  }
  return report.good();
}

}  // namespace keystay::tlsd
