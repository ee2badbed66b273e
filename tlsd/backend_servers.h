// The servers of one backend as all threads see them: the addresses that they have now, and the state of
// each. One object per backend, which a reload takes over where nothing about the backend has changed.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "native/config/tlsd_settings.h"
#include "tlsd/admin/metrics.h"
#include "tlsd/execution.h"
#include "tlsd/tls/backend_tls.h"

namespace keystay::tlsd {

// One address of one server.
struct ServerPlace {
  asio::generic::stream_protocol::endpoint endpoint;
  std::string host;  // as the configuration names the server: "127.0.0.1:8080", "app.example:8080"
  std::string name;  // for messages: the same, and the address where a name has been looked up
  std::shared_ptr<BackendServer> state;
};

// Thread-safe.
class BackendServers final {
 public:
  // `tls` is there if the settings have it.
  BackendServers(std::string name, config::BackendSettings settings, Metrics& metrics,
                 std::unique_ptr<const BackendTls> tls = nullptr);
  BackendServers(const BackendServers&) = delete;
  BackendServers& operator=(const BackendServers&) = delete;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const config::BackendSettings& settings() const noexcept { return settings_; }
  [[nodiscard]] const BackendTls* tls() const noexcept { return tls_.get(); }
  // Of the requests for this backend.
  [[nodiscard]] BackendMetrics& metrics() const noexcept { return *requests_; }
  [[nodiscard]] bool has_names() const noexcept;

  // Looks names up; that may take long. A name that has an address no more keeps those that it had, and a
  // line of the log says so; one that never had any is an error, after all others were looked up. Throws
  // std::runtime_error.
  void resolve();

  // What resolve() found last, in the order of the configuration.
  [[nodiscard]] std::vector<ServerPlace> places() const;
  // Another number when places() has changed.
  [[nodiscard]] std::uint64_t version() const noexcept { return version_.load(std::memory_order_acquire); }

  // Where the next thread begins with its turns, so that not all begin with the first server.
  [[nodiscard]] std::size_t next_offset() noexcept { return offset_++; }

 private:
  using Addresses = std::vector<asio::ip::address>;

  struct LookUp {
    Addresses addresses;
    bool failing = false;  // the last one
  };

  [[nodiscard]] const Addresses& look_up(const std::string& host);
  [[nodiscard]] ServerPlace place(asio::generic::stream_protocol::endpoint endpoint, std::string host,
                                  std::string name);

  const std::string name_;
  const config::BackendSettings settings_;
  Metrics& metrics_;
  const std::shared_ptr<BackendMetrics> requests_;
  const std::unique_ptr<const BackendTls> tls_;
  std::mutex resolving_;                 // one resolve() at a time; guards found_
  std::map<std::string, LookUp> found_;  // by host
  mutable std::mutex mutex_;             // guards places_
  std::vector<ServerPlace> places_;
  std::atomic<std::uint64_t> version_{0};
  std::atomic<std::size_t> offset_{0};
};

}  // namespace keystay::tlsd
