#include "tlsd/snapshot.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <map>
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

std::vector<std::string> protocols_of(const config::ListenerSettings& listener) {
  if (listener.mode == config::ListenerMode::http) {
    if (listener.http2) return {"h2", "http/1.1"};
    return {"http/1.1"};
  }
  return listener.alpn;
}

// A listener that only redirects may have none.
config::BackendSettings backend_of(const config::TlsdSettings& settings,
                                   const config::ListenerSettings& listener) {
  return listener.backend.empty() ? config::BackendSettings{} : settings.backends.at(listener.backend);
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
  explicit AccessLogOpener(const Snapshot* before) {
    if (before == nullptr) return;
    for (const auto& listener : before->listeners) {
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

std::shared_ptr<const Snapshot> build(const LibraryContext& library, const config::TlsdSettings& settings,
                                      const Snapshot* before, std::shared_ptr<TicketKeys> tickets,
                                      CertificateLoader& loader) {
  auto snapshot = std::make_shared<Snapshot>();
  AccessLogOpener access_logs(before);
  snapshot->tickets = std::move(tickets);
  for (const config::ListenerSettings& listener : settings.listeners) {
    const Certificates certificates = loader.load(listener.certificates);
    use_ocsp_files(library.get(), listener.ocsp, certificates);
    auto tls = std::make_shared<TlsContext>(
        library.get(), listener.name, certificates,
        TlsTerms{protocols_of(listener), listener.clients, listener.tls, snapshot->tickets});
    snapshot->listeners.push_back(std::make_shared<const ListenerSnapshot>(ListenerSnapshot{
        listener, backend_of(settings, listener), std::move(tls), access_logs.open(listener.access_log)}));
  }
  snapshot->certificates = loader.all();
  snapshot->missing = loader.missing();
  return snapshot;
}

}  // namespace

std::shared_ptr<const Snapshot> build_snapshot(const LibraryContext& library,
                                               const config::TlsdSettings& settings, const Snapshot* before) {
  CertificateLoader loader(library.get(), config::Start::complete);
  return build(library, settings, before, ticket_keys(library, settings, before, Fetch::anew), loader);
}

std::shared_ptr<const Snapshot> build_degraded_snapshot(const LibraryContext& library,
                                                        const config::TlsdSettings& settings,
                                                        const Snapshot* before) {
  CertificateLoader loader(library.get(), config::Start::degraded);
  if (before != nullptr) loader.take(before->certificates);
  return build(library, settings, before, ticket_keys(library, settings, before, Fetch::if_absent), loader);
}

Renewal build_renewed_snapshot(const LibraryContext& library, const config::TlsdSettings& settings,
                               const Snapshot& before) {
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
  renewal.snapshot = build(library, settings, &before, before.tickets, loader);
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
