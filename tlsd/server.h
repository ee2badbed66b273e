// The whole: I/O threads with their listeners, and a control thread with signals, reload, drain and the admin
// listener.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include <boost/asio/signal_set.hpp>

#include "native/config/tlsd_settings.h"
#include "tlsd/accept/passed_sockets.h"
#include "tlsd/admin/access_log_metrics.h"
#include "tlsd/admin/admin.h"
#include "tlsd/admin/group_metrics.h"
#include "tlsd/admin/health.h"
#include "tlsd/admin/metrics.h"
#include "tlsd/admin/remote_health.h"
#include "tlsd/admin/status.h"
#include "tlsd/admin/token_metrics.h"
#include "tlsd/backend_watch.h"
#include "tlsd/blocking_thread.h"
#include "tlsd/certificate_watch.h"
#include "tlsd/ocsp/ocsp_updates.h"
#include "tlsd/snapshot.h"
#include "tlsd/ticket_rotation.h"
#include "tlsd/tls/library_context.h"
#include "tlsd/watchdog.h"
#include "tlsd/worker.h"

namespace keystay::tlsd {

class Server final {
 public:
  enum class End {
    drained,  // every request in flight was finished
    cut,      // drain-timeout passed, or a second stop came
  };
  // Reads the settings anew, for a reload. Throws if they are broken.
  using ReadSettings = std::function<config::TlsdSettings()>;

  // Loads the certificates, makes a test signature with each key, and listens, on the `passed` sockets where
  // one has the address. `library` must outlive the server. Throws CryptoError or std::runtime_error with a
  // complete message.
  Server(const LibraryContext& library, config::TlsdSettings settings, ReadSettings read_settings,
         PassedSockets passed = {});
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  // SIGTERM and SIGINT stop, SIGHUP reloads, SIGUSR1 opens the access logs again, as SIGHUP does, too.
  void handle_signals();

  // Serves on its threads, and controls them on this one, until stopped.
  [[nodiscard]] End run();

  // These from any thread. The first stop drains, the second cuts.
  void stop();
  void reload();
  void reopen_access_logs();

  // After run(): a thread still waits for a token, so that the process can end only by _Exit.
  [[nodiscard]] bool stuck() const noexcept;

  // Where it listens by TCP, in the order of the configuration.
  [[nodiscard]] const std::vector<tcp::endpoint>& endpoints() const noexcept { return endpoints_; }
  [[nodiscard]] std::optional<tcp::endpoint> admin_endpoint() const noexcept { return admin_endpoint_; }
  [[nodiscard]] Metrics& metrics() noexcept { return metrics_; }

 private:
  void open_listeners(PassedSockets& passed);
  void open_admin(PassedSockets& passed);
  void watch_threads();
  void use(std::shared_ptr<const Snapshot> snapshot);
  [[nodiscard]] std::set<std::shared_ptr<AccessLogFile>> access_logs() const;
  void watch_backends();
  [[nodiscard]] awaitable<bool> is_healthy();
  void wait_for_signal();
  void drain();
  void cut();
  void begin_reload();
  void end_reload(config::TlsdSettings settings, std::shared_ptr<const Snapshot> snapshot,
                  std::string failure);
  // Of a degraded start: tries after a pause, and again, until nothing is missing.
  void load_missing_later();
  void load_missing();
  void end_loading(const std::shared_ptr<const Snapshot>& snapshot, const std::string& failure);
  void worker_ended();

  const LibraryContext& library_;
  config::TlsdSettings settings_;
  ReadSettings read_settings_;
  GroupMetrics group_metrics_{library_};
  TokenMetrics token_metrics_{library_};
  AccessLogMetrics access_log_metrics_;
  Metrics metrics_;
  Status status_{library_, metrics_};
  std::optional<JobPool> control_jobs_;  // for health checks with TLS; from run() on
  std::optional<TlsThread> control_tls_;
  asio::io_context control_{1};
  asio::signal_set signals_;
  Timer drain_limit_;
  Timer load_pause_;
  std::shared_ptr<const Snapshot> snapshot_;
  Health health_;
  RemoteHealth remote_health_{control_.get_executor(), [this] { return is_healthy(); }};
  BlockingThread reloader_;
  TicketRotation tickets_;
  CertificateWatch certificates_;
  OcspUpdates ocsp_;
  BlockingThread resolver_;  // of names of backends
  std::vector<std::shared_ptr<BackendWatch>> watches_;
  std::optional<Admin> admin_;
  std::optional<Watchdog> watchdog_;  // before the threads that answer it
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<tcp::endpoint> endpoints_;
  std::optional<tcp::endpoint> admin_endpoint_;

  std::size_t running_ = 0;  // workers
  std::size_t loads_ = 0;    // of what was missing, that have been tried
  bool draining_ = false;
  bool reloading_ = false;
  bool reload_again_ = false;
  End end_ = End::drained;
};

}  // namespace keystay::tlsd
