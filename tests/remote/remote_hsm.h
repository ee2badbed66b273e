// An HSM on "another machine": SoftHSM with its own `p11-kit server`, behind a keystay-tlsd that asks for
// client certificates; and the settings by which this process, or a program, uses it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/test_ca.h"

namespace keystay::test {

class RemoteHsm final {
 public:
  explicit RemoteHsm(Front front = Front::fault_module);

  // [token.web] of keystay.toml for the machine that uses the token; `more` is appended to it. Its relay is a
  // copy of keystay-relay of this test alone.
  [[nodiscard]] std::string configuration(const std::string& more = "") const;
  // The same, with these endpoints, certificate files, or host instead.
  struct Place {
    std::string endpoints;  // `"127.0.0.1:4442"`, with quotes
    std::string ca;
    std::string certificate;
    std::string key;
    std::string host;
  };
  [[nodiscard]] Place place() const;
  [[nodiscard]] std::string configuration(const Place& place, const std::string& more = "") const;

  // The same token by the socket itself, as a process of the HSM's machine has it.
  [[nodiscard]] std::string local_configuration(const std::string& more = "") const;

  // A certificate and its key, as files NAME.pem and NAME-key.pem.
  void write_identity(const TestCa& ca, const std::string& name, const LeafOptions& options) const;
  [[nodiscard]] std::string file(const std::string& name) const {
    return (directory().path() / name).string();
  }

  void start_server();  // p11-kit's
  void stop_server() { server_.reset(); }
  void start_tlsd();
  void stop_tlsd() { tlsd_.reset(); }
  [[nodiscard]] std::string tlsd_log() const { return tlsd_->error() + tlsd_->output(); }

  // The processes of p11-kit that serve one connection each.
  [[nodiscard]] std::vector<pid_t> connections() const;
  void signal_connections(int signal) const;
  // Those of keystay-relay.
  [[nodiscard]] std::vector<pid_t> relays() const;

  [[nodiscard]] SoftHsmToken& token() noexcept { return token_; }
  [[nodiscard]] const TemporaryDirectory& directory() const noexcept { return token_.directory(); }
  [[nodiscard]] const TestCa& ca() const noexcept { return ca_; }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  SoftHsmToken token_;
  TestCa ca_;
  std::uint16_t port_ = free_port();
  std::string relay_;
  std::optional<Process> server_;
  std::optional<Process> tlsd_;
};

// Waits until it is so, at most 30 s.
[[nodiscard]] bool eventually(const std::function<bool()>& so);

}  // namespace keystay::test
