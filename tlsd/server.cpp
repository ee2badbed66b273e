#include "tlsd/server.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <exception>
#include <map>
#include <thread>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "tlsd/accept/listening_socket.h"
#include "tlsd/event_loop.h"
#include "tlsd/sd_notify.h"

namespace keystay::tlsd {
namespace {

using namespace std::chrono_literals;

// After a cut, for handshakes that wait for a call of the token's module.
constexpr std::chrono::seconds kCutLimit{5};
constexpr std::chrono::seconds kLastLinesLimit{2};  // for access logs to be written, at the end

std::size_t thread_count(const config::TlsdSettings& settings) {
  return settings.threads != 0 ? settings.threads : std::max(1U, std::thread::hardware_concurrency());
}

// Health checks of servers to which a certificate is shown whose key is on a token; others wait for their
// turn.
constexpr std::size_t kMostChecksThatSign = 64;

// Between two tries to load what is missing; the last one repeats.
constexpr std::array kLoadPauses{1s, 1s, 2s, 5s, 10s};

std::shared_ptr<const Snapshot> first_snapshot(const LibraryContext& library,
                                               const config::TlsdSettings& settings, Metrics& metrics) {
  if (settings.start == config::Start::complete) return build_snapshot(library, settings, nullptr, metrics);
  auto snapshot = build_degraded_snapshot(library, settings, nullptr, metrics);
  for (const MissingCertificate& missing : snapshot->missing)
    spdlog::error("started without it (start = \"degraded\"), it is tried again: {}", missing.reason);
  return snapshot;
}

std::vector<Acceptor> open(const config::Endpoint& endpoint, PassedSockets& passed,
                           const std::vector<asio::io_context*>& contexts) {
  const auto socket = passed.take(to_tcp(endpoint));
  return socket ? adopt(*socket, contexts) : listen(endpoint, contexts);
}

// The certificates of listeners with `ocsp`, each once; of several listeners the first one says how.
std::vector<OcspSubject> ocsp_subjects(const Snapshot& snapshot) {
  std::map<std::string_view, const config::OcspSettings*> wanted;
  for (const auto& listener : snapshot.listeners) {
    if (listener->settings.ocsp.source == config::OcspSettings::Source::off) continue;
    for (const std::string& name : listener->settings.certificates)
      wanted.emplace(name, &listener->settings.ocsp);
  }
  std::vector<OcspSubject> subjects;
  for (const auto& certificate : snapshot.certificates) {
    const auto found = wanted.find(certificate->name);
    if (found != wanted.end()) subjects.push_back({certificate, *found->second});
  }
  return subjects;
}

double seconds_since_epoch(std::chrono::system_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

}  // namespace

Server::Server(const LibraryContext& library, config::TlsdSettings settings, ReadSettings read_settings,
               PassedSockets passed)
    : library_(library),
      settings_(std::move(settings)),
      read_settings_(std::move(read_settings)),
      signals_(control_),
      drain_limit_(control_.get_executor()),
      load_pause_(control_.get_executor()),
      snapshot_(first_snapshot(library_, settings_, metrics_)),
      health_(control_.get_executor(), library_.get()),
      tickets_(control_.get_executor(), reloader_, metrics_),
      certificates_(control_.get_executor(), reloader_, library_,
                    [this](std::shared_ptr<const Snapshot> snapshot) { use(std::move(snapshot)); }),
      ocsp_(control_.get_executor(), library_.get()) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets with write(2)
  for (std::size_t i = 0; i < thread_count(settings_); ++i) {
    workers_.push_back(std::make_unique<Worker>(metrics_, remote_health_, library_.abandon()));
  }
  for (const auto& worker : workers_) worker->share_with(workers_);
  metrics_.show(group_metrics_);
  metrics_.show(token_metrics_);
  metrics_.show(access_log_metrics_);
  metrics_.show(certificates_.metrics());
  metrics_.show(ocsp_.metrics());
  open_listeners(passed);
  open_admin(passed);
  passed.expect_none_left();
  watch_threads();
  use(snapshot_);
}

Server::~Server() = default;

void Server::open_listeners(PassedSockets& passed) {
  std::vector<asio::io_context*> contexts;
  for (const auto& worker : workers_) contexts.push_back(&worker->context());
  for (const auto& listener : snapshot_->listeners) {
    const auto limit = std::make_shared<ConnectionLimit>(
        listener->settings.max_connections,
        [&metrics = metrics_.listener(listener->settings.name), name = listener->settings.name,
         most = listener->settings.max_connections] {
          metrics.connection_limit_reached().Increment();
          spdlog::warn("listener {}: max-connections = {} is reached; clients wait until others leave", name,
                       most);
        });
    std::vector<std::vector<Acceptor>> by_worker(workers_.size());
    const auto spread = [&by_worker](std::vector<Acceptor> acceptors) {
      for (std::size_t i = 0; i < acceptors.size(); ++i) by_worker[i].push_back(std::move(acceptors[i]));
    };
    for (const config::Endpoint& bound : listener->settings.bind) {
      std::vector<Acceptor> acceptors = open(bound, passed, contexts);
      endpoints_.push_back(to_tcp(acceptors.front().local_endpoint()));
      spread(std::move(acceptors));
      spdlog::info("listener {}: listening on {}", listener->settings.name, to_text(endpoints_.back()));
    }
    for (const std::string& path : listener->settings.sockets) {
      spread(listen_on_socket(path, contexts));
      spdlog::info("listener {}: listening on unix:{}", listener->settings.name, path);
    }
    const auto addresses = std::make_shared<AddressLimits>();
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      workers_[i]->add_listener(listener, std::move(by_worker[i]), limit, addresses);
    }
  }
}

void Server::watch_threads() {
  const auto period = Watchdog::period_of_environment();
  if (!period) return;
  std::vector<asio::io_context*> contexts;
  for (const auto& worker : workers_) contexts.push_back(&worker->context());
  watchdog_.emplace(control_, std::move(contexts), *period, &notify_alive);
}

void Server::open_admin(PassedSockets& passed) {
  if (!settings_.admin) return;
  std::vector<Acceptor> acceptors = open(*settings_.admin, passed, {&control_});
  admin_endpoint_ = to_tcp(acceptors.front().local_endpoint());
  admin_.emplace(std::move(acceptors.front()), library_, health_, metrics_, status_);
  spdlog::info("admin: listening on {}", to_text(*admin_endpoint_));
}

// As /health of the admin listener, which says why not.
awaitable<bool> Server::is_healthy() {
  if (draining_) co_return false;
  co_return (co_await health_.check()).empty();
}

void Server::handle_signals() {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) signals_.add(signal);
  wait_for_signal();
}

void Server::wait_for_signal() {
  signals_.async_wait([this](error_code error, int signal) {
    if (error) return;
    if (signal == SIGHUP || signal == SIGUSR1) reopen_access_logs();
    if (signal == SIGHUP) {
      begin_reload();
    } else if (signal != SIGUSR1) {
      drain();
    }
    wait_for_signal();
  });
}

Server::End Server::run() {
  running_ = workers_.size();
  for (const auto& worker : workers_) {
    worker->start([this] { asio::post(control_, [this] { worker_ended(); }); });
  }
  if (admin_) admin_->start();
  notify_ready();
  if (watchdog_) watchdog_->start();
  load_missing_later();
  control_jobs_.emplace(kMostChecksThatSign, metrics_);
  control_tls_.emplace(TlsThread{*control_jobs_, metrics_, library_.abandon()});
  const auto work = asio::make_work_guard(control_);
  run_event_loop(control_, "control", metrics_.exceptions());
  // What connections had to say at their end, unless a pipe does not take it.
  for (const auto& file : access_logs()) file->flush(kLastLinesLimit);
  return end_;
}

void Server::stop() {
  asio::post(control_, [this] { drain(); });
}

void Server::reload() {
  asio::post(control_, [this] { begin_reload(); });
}

bool Server::stuck() const noexcept {
  return running_ > 0 || health_.stuck() || reloader_.busy() || resolver_.busy();
}

void Server::drain() {
  if (draining_) return cut();
  draining_ = true;
  load_pause_.cancel();
  tickets_.stop();
  certificates_.stop();
  ocsp_.stop();
  notify_stopping();
  if (watchdog_) watchdog_->ignore_threads();
  spdlog::info("stopping: requests in flight have {} ms to finish", settings_.drain_timeout.count());
  status_.stop();
  if (admin_) admin_->drain();
  for (const auto& worker : workers_) worker->drain();
  drain_limit_.expires_after(settings_.drain_timeout);
  drain_limit_.async_wait([this](error_code error) {
    if (!error) cut();
  });
}

void Server::cut() {
  if (end_ == End::cut) return;
  end_ = End::cut;
  spdlog::warn("stopping: connections that are left are cut");
  for (const auto& worker : workers_) worker->cut();
  drain_limit_.expires_after(kCutLimit);
  drain_limit_.async_wait([this](error_code error) {
    if (error) return;
    spdlog::error("stopping: a token holds on to handshakes; they are abandoned with the process");
    control_.stop();
  });
}

void Server::worker_ended() {
  if (--running_ > 0) return;
  spdlog::info("stopped");
  control_.stop();
}

void Server::begin_reload() {
  if (draining_) return;
  reload_again_ = reloading_;
  if (std::exchange(reloading_, true)) return;
  spdlog::info("reload: loading the configuration and a test signature of every key");
  notify_reloading();
  reloader_.post([this, before = snapshot_, current = settings_] {
    config::TlsdSettings settings;
    std::shared_ptr<const Snapshot> snapshot;
    std::string failure;
    try {
      settings = read_settings_();
      failure = needs_restart(current, settings);
      if (failure.empty()) {
        TokenReload tokens(library_);
        auto built = build_snapshot(library_, settings, before.get(), metrics_);
        tokens.commit();
        snapshot = std::move(built);
      } else {
        failure += " has changed, which needs a restart";
      }
    } catch (const std::exception& error) {
      failure = error.what();
    }
    asio::post(control_, [this, settings = std::move(settings), snapshot, failure] {
      end_reload(settings, snapshot, failure);
    });
  });
}

void Server::end_reload(config::TlsdSettings settings, std::shared_ptr<const Snapshot> snapshot,
                        std::string failure) {
  reloading_ = false;
  if (snapshot) {
    settings_ = std::move(settings);
    use(std::move(snapshot));
    metrics_.reload_succeeded();
    spdlog::info("reload: done; new connections use the new configuration");
  } else {
    metrics_.reload_failed();
    spdlog::error("reload: nothing was changed: {}", failure);
  }
  notify_ready();
  if (std::exchange(reload_again_, false)) begin_reload();
}

void Server::load_missing_later() {
  if (snapshot_->missing.empty()) return;
  load_pause_.expires_after(kLoadPauses.at(std::min(loads_, kLoadPauses.size() - 1)));
  load_pause_.async_wait([this](error_code error) {
    if (!error) load_missing();
  });
}

// By the settings of the start or of the last reload: what the file says by now is a reload's business.
void Server::load_missing() {
  if (draining_ || snapshot_->missing.empty()) return;
  if (reloading_) return load_missing_later();
  reloading_ = true;
  ++loads_;
  reloader_.post([this, before = snapshot_, settings = settings_] {
    std::shared_ptr<const Snapshot> snapshot;
    std::string failure;
    try {
      snapshot = build_degraded_snapshot(library_, settings, before.get(), metrics_);
    } catch (const std::exception& error) {
      failure = error.what();
    }
    asio::post(control_, [this, snapshot, failure] { end_loading(snapshot, failure); });
  });
}

void Server::end_loading(const std::shared_ptr<const Snapshot>& snapshot, const std::string& failure) {
  reloading_ = false;
  if (!failure.empty()) spdlog::error("certificates are still missing: {}", failure);
  if (snapshot && snapshot->missing.size() < snapshot_->missing.size()) {
    spdlog::info("certificates are loaded that were missing; {} are still", snapshot->missing.size());
    use(snapshot);
  }
  if (std::exchange(reload_again_, false)) return begin_reload();
  load_missing_later();
}

std::set<std::shared_ptr<AccessLogFile>> Server::access_logs() const {
  std::set<std::shared_ptr<AccessLogFile>> files;
  for (const auto& listener : snapshot_->listeners) {
    if (listener->access_log) files.insert(listener->access_log);
  }
  return files;
}

void Server::reopen_access_logs() {
  asio::post(control_, [this] {
    for (const auto& file : access_logs()) file->reopen();
  });
}

void Server::use(std::shared_ptr<const Snapshot> snapshot) {
  snapshot_ = std::move(snapshot);
  health_.use(snapshot_->certificates, snapshot_->missing);
  status_.use(snapshot_);
  std::map<std::string, double> ends;
  for (const auto& certificate : snapshot_->certificates)
    ends.emplace(certificate->name, seconds_since_epoch(certificate->not_after));
  metrics_.certificates(ends);
  access_log_metrics_.use(access_logs());
  tickets_.use(snapshot_->tickets);
  ocsp_.use(ocsp_subjects(*snapshot_));
  certificates_.use(snapshot_, settings_.certificate_check);
  watch_backends();
  for (const auto& worker : workers_) worker->use(snapshot_);
}

// Those that are no longer used first: a backend with other settings may have servers of theirs.
void Server::watch_backends() {
  const auto& used = snapshot_->backends;
  std::erase_if(watches_, [&](const auto& watch) {
    if (std::ranges::find(used, watch->servers()) != used.end()) return false;
    watch->stop();
    return true;
  });
  for (const auto& servers : used) {
    const bool watched =
        std::ranges::any_of(watches_, [&](const auto& watch) { return watch->servers() == servers; });
    if (watched) continue;
    watches_.push_back(
        std::make_shared<BackendWatch>(control_.get_executor(), resolver_, control_tls_, servers));
    watches_.back()->start();
  }
}

}  // namespace keystay::tlsd
