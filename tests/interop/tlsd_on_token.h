// keystay-tlsd as a process of its own, with a key on a token behind the fault module.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tests/support/process.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/test_ca.h"

namespace keystay::test {

// Two I/O threads, and a listener for each of two certificates for localhost: of the alias "httpd" (EC
// P-256), and of a key in a file. There is no backend: what is served is 502.
class TlsdOnToken final {
 public:
  // `token_settings` are lines for [token.web].
  explicit TlsdOnToken(std::string_view token_settings = {});
  TlsdOnToken(const TlsdOnToken&) = delete;
  TlsdOnToken& operator=(const TlsdOnToken&) = delete;

  [[nodiscard]] FaultControl& faults() { return token_.faults(); }
  [[nodiscard]] Process& process() { return *process_; }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }            // of the alias
  [[nodiscard]] std::uint16_t file_port() const noexcept { return file_port_; }  // of the file

  // GET of the administrator's listener.
  [[nodiscard]] std::string get(const std::string& path) const;
  // The value of a metric, by its name and labels as /metrics writes them; "" if there is none.
  [[nodiscard]] std::string metric(std::string_view name) const;
  // curl's words for a GET over TLS: "502", or why there is none.
  [[nodiscard]] Outcome fetch(std::uint16_t port) const;

 private:
  [[nodiscard]] std::filesystem::path configure(std::string_view token_settings) const;
  void make_alias();

  SoftHsmToken token_{"web", {.front = Front::fault_module}};
  TestCa ca_;
  std::filesystem::path root_ = ca_.write_root(token_.directory());  // once: clients may be reading it
  std::uint16_t port_ = free_port();
  std::uint16_t file_port_ = free_port();
  std::uint16_t admin_ = free_port();
  Environment environment_;
  std::unique_ptr<Process> process_;
};

}  // namespace keystay::test
