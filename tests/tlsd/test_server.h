// tlsd in the test's own process, on ports that the kernel chooses, with certificates of a test CA in PEM
// files.
#pragma once

#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "native/config/tlsd_settings.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/test_ca.h"
#include "tlsd/server.h"

namespace keystay::test {

// One CA for a whole test program: keys take their time.
[[nodiscard]] const TestCa& test_ca();

// Writes key and chain of a fresh leaf, whose common name is the first of the names.
[[nodiscard]] std::string write_certificate(const TemporaryDirectory& directory, const std::string& file,
                                            KeyKind kind, std::vector<std::string> dns_names);

// One listener "https" with an EC certificate for "localhost", one backend "app" on this port.
[[nodiscard]] config::TlsdSettings simple_settings(const TemporaryDirectory& directory,
                                                   std::uint16_t backend_port);

class TestServer final {
 public:
  explicit TestServer(config::TlsdSettings settings, tlsd::Server::ReadSettings read_settings = {});
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;
  ~TestServer();  // stops, if the test did not

  [[nodiscard]] std::uint16_t port(std::size_t address = 0) const {
    return server_.endpoints().at(address).port();
  }
  [[nodiscard]] std::uint16_t admin_port() const { return server_.admin_endpoint().value().port(); }
  [[nodiscard]] tlsd::Server& server() noexcept { return server_; }

  void stop() { server_.stop(); }
  // Waits until it has ended, after stop().
  [[nodiscard]] tlsd::Server::End end();

  // The value of a metric, by its name and labels as /metrics writes them; -1 if there is none.
  [[nodiscard]] double metric(const std::string& name);
  // Waits until it has this value, at most 30 s.
  [[nodiscard]] bool wait_for_metric(const std::string& name, double value);

 private:
  tlsd::LibraryContext library_;
  tlsd::Server server_;
  std::future<tlsd::Server::End> end_;
};

}  // namespace keystay::test
