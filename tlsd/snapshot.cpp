#include "tlsd/snapshot.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <map>
#include <stdexcept>
#include <utility>

#include <spdlog/spdlog.h>

#include "tlsd/ocsp/ocsp_updates.h"
#include "tlsd/tls/test_signature.h"

namespace keystay::tlsd {
namespace {

class CertificateLoader final {
 public:
  CertificateLoader(OSSL_LIB_CTX* library, config::Start policy) : library_(library), policy_(policy) {}

  void take(const Certificates& certificates) {
    for (const auto& certificate : certificates) loaded_[certificate->name] = certificate;
  }

  Certificates load(const std::vector<std::string>& names) {
    Certificates result;
    for (const std::string& name : names) {
      if (auto certificate = load(name)) result.push_back(std::move(certificate));
    }
    return result;
  }

  [[nodiscard]] Certificates all() const {
    Certificates result;
    for (const auto& [_, certificate] : loaded_) {
      if (certificate) result.push_back(certificate);
    }
    return result;
  }
  [[nodiscard]] std::vector<MissingCertificate> missing() const { return missing_; }

 private:
  // Null for one that is missing.
  std::shared_ptr<const Certificate> load(const std::string& name) {
    const auto known = loaded_.find(name);
    if (known != loaded_.end()) return known->second;
    try {
      auto fresh = std::make_shared<const Certificate>(load_certificate(library_, name));
      make_test_signature(library_, *fresh);
      return loaded_[name] = std::move(fresh);
    } catch (const std::exception& error) {
      if (policy_ == config::Start::complete) throw;
      missing_.push_back({name, error.what()});
      return loaded_[name] = nullptr;
    }
  }

  OSSL_LIB_CTX* library_;
  config::Start policy_;
  std::map<std::string, std::shared_ptr<const Certificate>> loaded_;
  std::vector<MissingCertificate> missing_;
};

class BackendLoader final {
 public:
  BackendLoader(OSSL_LIB_CTX* library, const config::TlsdSettings& settings, config::Start policy,
                Metrics& metrics)
      : library_(library), settings_(settings), policy_(policy), metrics_(metrics) {}

  // What is known about their servers goes on being known where nothing about a backend has changed.
  void take(const std::vector<std::shared_ptr<BackendServers>>& backends) { before_ = backends; }

  // Each backend once, whatever leads to it.
  std::shared_ptr<BackendServers> load(const std::string& name) {
    auto& servers = loaded_[name];
    if (servers) return servers;
    servers = known(name);
    if (!servers) servers = make(name);
    try {
      servers->resolve();
    } catch (const std::runtime_error& error) {
      if (policy_ == config::Start::complete) throw;
      spdlog::error("{}; it is tried again", error.what());
    }
    return servers;
  }

  [[nodiscard]] std::vector<std::shared_ptr<BackendServers>> all() const {
    std::vector<std::shared_ptr<BackendServers>> result;
    for (const auto& [_, servers] : loaded_) result.push_back(servers);
    return result;
  }

 private:
  [[nodiscard]] std::shared_ptr<BackendServers> make(const std::string& name) const {
    const config::BackendSettings& settings = settings_.backends.at(name);
    std::unique_ptr<const BackendTls> tls;
    if (settings.tls) tls = std::make_unique<const BackendTls>(library_, name, *settings.tls);
    return std::make_shared<BackendServers>(name, settings, metrics_, std::move(tls));
  }
  // Not with TLS, whose files may be others now.
  [[nodiscard]] std::shared_ptr<BackendServers> known(const std::string& name) const {
    for (const auto& servers : before_) {
      if (servers->tls() == nullptr && servers->name() == name &&
          servers->settings() == settings_.backends.at(name))
        return servers;
    }
    return nullptr;
  }

  OSSL_LIB_CTX* library_;
  const config::TlsdSettings& settings_;
  config::Start policy_;
  Metrics& metrics_;
  std::vector<std::shared_ptr<BackendServers>> before_;
  std::map<std::string, std::shared_ptr<BackendServers>> loaded_;
};

std::vector<std::string> protocols_of(const config::ListenerSettings& listener) {
  if (listener.mode == config::ListenerMode::http) {
    if (listener.http2) return {"h2", "http/1.1"};
    return {"http/1.1"};
  }
  return listener.alpn;
}

bool same_chain(const Certificate& left, const Certificate& right) {
  const int size = sk_X509_num(left.chain.get());
  if (X509_cmp(left.leaf.get(), right.leaf.get()) != 0 || size != sk_X509_num(right.chain.get()))
    return false;
  for (int i = 0; i < size; ++i) {
    if (X509_cmp(sk_X509_value(left.chain.get(), i), sk_X509_value(right.chain.get(), i)) != 0) return false;
  }
  return true;
}

enum class Fetch {
  anew,       // what a token or a file says now
  if_absent,  // what is there stays
};

// Keys of this process stay what they are: nobody has others.
std::shared_ptr<TicketKeys> ticket_keys(const LibraryContext& library, const config::TlsdSettings& settings,
                                        const Snapshot* before, Fetch fetch) {
  using Source = config::TicketSettings::Source;
  const config::TicketSettings& wanted = settings.tickets;
  if (wanted.source == Source::off) return nullptr;
  if (before != nullptr && before->tickets && before->tickets->settings().same_keys(wanted) &&
      (fetch == Fetch::if_absent || wanted.source == Source::random)) {
    return before->tickets;
  }
  auto keys = std::make_shared<TicketKeys>(library.get(), wanted);
  try {
    static_cast<void>(keys->refresh(std::chrono::system_clock::now()));
  } catch (const std::exception& error) {
    if (settings.start == config::Start::complete || fetch == Fetch::anew) throw;
    spdlog::error("started without tickets (start = \"degraded\"), they are tried again: {}", error.what());
  }
  return keys;
}

// Each file once, also across reloads.
class AccessLogOpener final {
 public:
  void take(const std::vector<std::shared_ptr<const ListenerSnapshot>>& listeners) {
    for (const auto& listener : listeners) {
      if (listener->access_log) files_[listener->access_log->target()] = listener->access_log;
    }
  }

  [[nodiscard]] std::shared_ptr<AccessLogFile> open(const config::AccessLogSettings& settings) {
    if (settings.target.empty()) return nullptr;
    auto& file = files_[settings.target];
    if (!file) file = std::make_shared<AccessLogFile>(settings.target);
    return file;
  }

 private:
  std::map<std::string, std::shared_ptr<AccessLogFile>> files_;
};

// Each directory once.
class ErrorPagesReader final {
 public:
  [[nodiscard]] std::shared_ptr<const ErrorPages> read(const std::string& directory) {
    if (directory.empty()) return nullptr;
    auto& pages = pages_[directory];
    if (!pages) pages = std::make_shared<const ErrorPages>(directory);
    return pages;
  }

 private:
  std::map<std::string, std::shared_ptr<const ErrorPages>> pages_;
};

// Where the parts of a snapshot come from.
struct Loaders {
  CertificateLoader certificates;
  BackendLoader backends;
  AccessLogOpener access_logs;
  ErrorPagesReader error_pages;
  std::shared_ptr<TicketKeys> tickets;

  Loaders(const LibraryContext& library, const config::TlsdSettings& settings, config::Start policy,
          Metrics& metrics)
      : certificates(library.get(), policy), backends(library.get(), settings, policy, metrics) {}
};

std::shared_ptr<const TlsContext> make_tls(const LibraryContext& library,
                                           const config::ListenerSettings& listener,
                                           CertificateLoader& loader, std::shared_ptr<TicketKeys> tickets) {
  const Certificates certificates = loader.load(listener.certificates);
  use_ocsp_files(library.get(), listener.ocsp, certificates);
  return std::make_shared<TlsContext>(
      library.get(), listener.name, certificates,
      TlsTerms{protocols_of(listener), listener.clients, listener.tls, std::move(tickets)});
}

std::shared_ptr<const Snapshot> build(const LibraryContext& library, const config::TlsdSettings& settings,
                                      Loaders loaders) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->tickets = loaders.tickets;
  for (const config::ListenerSettings& listener : settings.listeners) {
    ListenerSnapshot one{.settings = listener,
                         .servers = nullptr,
                         .routes = RouteTable(listener.routes),
                         .route_servers = {},
                         .tls = make_tls(library, listener, loaders.certificates, loaders.tickets),
                         .access_log = loaders.access_logs.open(listener.access_log),
                         .error_pages = loaders.error_pages.read(listener.error_pages)};
    if (!listener.backend.empty()) one.servers = loaders.backends.load(listener.backend);
    for (const config::Route& route : listener.routes)
      one.route_servers.push_back(loaders.backends.load(route.backend));
    snapshot->listeners.push_back(std::make_shared<const ListenerSnapshot>(std::move(one)));
  }
  snapshot->backends = loaders.backends.all();
  snapshot->certificates = loaders.certificates.all();
  snapshot->missing = loaders.certificates.missing();
  return snapshot;
}

// The same listeners, which serve the certificates of the loader.
std::shared_ptr<const Snapshot> with_certificates(const LibraryContext& library, const Snapshot& before,
                                                  CertificateLoader loader) {
  auto snapshot = std::make_shared<Snapshot>(before);
  for (auto& listener : snapshot->listeners) {
    ListenerSnapshot one = *listener;
    one.tls = make_tls(library, one.settings, loader, snapshot->tickets);
    listener = std::make_shared<const ListenerSnapshot>(std::move(one));
  }
  snapshot->certificates = loader.all();
  snapshot->missing = loader.missing();
  return snapshot;
}

}  // namespace

std::shared_ptr<const Snapshot> build_snapshot(const LibraryContext& library,
                                               const config::TlsdSettings& settings, const Snapshot* before,
                                               Metrics& metrics) {
  Loaders loaders(library, settings, config::Start::complete, metrics);
  loaders.tickets = ticket_keys(library, settings, before, Fetch::anew);
  if (before != nullptr) {
    loaders.backends.take(before->backends);
    loaders.access_logs.take(before->listeners);
  }
  return build(library, settings, std::move(loaders));
}

std::shared_ptr<const Snapshot> build_degraded_snapshot(const LibraryContext& library,
                                                        const config::TlsdSettings& settings,
                                                        const Snapshot* before, Metrics& metrics) {
  Loaders loaders(library, settings, config::Start::degraded, metrics);
  loaders.tickets = ticket_keys(library, settings, before, Fetch::if_absent);
  if (before != nullptr) {
    loaders.certificates.take(before->certificates);
    loaders.backends.take(before->backends);
    loaders.access_logs.take(before->listeners);
  }
  return build(library, settings, std::move(loaders));
}

Renewal build_renewed_snapshot(const LibraryContext& library, const Snapshot& before) {
  Renewal renewal;
  Certificates certificates = before.certificates;
  for (auto& certificate : certificates) {
    if (names_file(certificate->name)) continue;
    try {
      auto fresh = std::make_shared<const Certificate>(load_certificate(library.get(), certificate->name));
      if (same_chain(*fresh, *certificate)) continue;
      make_test_signature(library.get(), *fresh);
      certificate = std::move(fresh);
      renewal.renewed.push_back(certificate->name);
    } catch (const std::exception& error) {
      renewal.failures.push_back({certificate->name, error.what()});
    }
  }
  if (renewal.renewed.empty()) return renewal;
  CertificateLoader loader(library.get(), config::Start::degraded);
  loader.take(certificates);
  renewal.snapshot = with_certificates(library, before, std::move(loader));
  return renewal;
}

std::string needs_restart(const config::TlsdSettings& current, const config::TlsdSettings& next) {
  if (current.threads != next.threads) return "tlsd.threads";
  if (current.user != next.user || current.group != next.group) return "tlsd.user or tlsd.group";
  if (current.admin != next.admin) return "tlsd.admin";
  if (current.listeners.size() != next.listeners.size()) return "the number of listeners";
  for (std::size_t i = 0; i < current.listeners.size(); ++i) {
    const auto& old = current.listeners[i];
    const auto& fresh = next.listeners[i];
    if (old.name != fresh.name) return "the names or the order of the listeners";
    if (old.bind != fresh.bind || old.sockets != fresh.sockets)
      return "bind of listener \"" + old.name + "\"";
    if (old.max_connections != fresh.max_connections)
      return "max-connections of listener \"" + old.name + "\"";
  }
  return {};
}

}  // namespace keystay::tlsd
