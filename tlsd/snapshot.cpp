#include "tlsd/snapshot.h"

#include <algorithm>
#include <exception>
#include <map>
#include <utility>

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

TicketKeys ticket_keys_of(const Snapshot* before, const std::string& listener) {
  if (before == nullptr) return {};
  for (const auto& old : before->listeners) {
    if (old->settings.name == listener) return old->tls->ticket_keys();
  }
  return {};
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
                                      const Snapshot* before, CertificateLoader& loader) {
  auto snapshot = std::make_shared<Snapshot>();
  AccessLogOpener access_logs(before);
  for (const config::ListenerSettings& listener : settings.listeners) {
    auto tls = std::make_shared<TlsContext>(library.get(), listener.name, loader.load(listener.certificates),
                                            TlsTerms{protocols_of(listener), listener.clients});
    if (auto keys = ticket_keys_of(before, listener.name); !keys.empty())
      tls->use_ticket_keys(std::move(keys));
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
  return build(library, settings, before, loader);
}

std::shared_ptr<const Snapshot> build_degraded_snapshot(const LibraryContext& library,
                                                        const config::TlsdSettings& settings,
                                                        const Snapshot* before) {
  CertificateLoader loader(library.get(), config::Start::degraded);
  if (before != nullptr) loader.take(before->certificates);
  return build(library, settings, before, loader);
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
