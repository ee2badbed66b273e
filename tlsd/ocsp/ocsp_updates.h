// Keeps the OCSP responses of the certificates in use fresh, in the background.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include "native/config/tls_settings.h"
#include "tlsd/execution.h"
#include "tlsd/ocsp/ocsp_staple.h"
#include "tlsd/tls/tls_context.h"

namespace keystay::tlsd {

// A certificate, and where its response comes from.
struct OcspSubject {
  std::shared_ptr<const Certificate> certificate;
  config::OcspSettings settings;
};

// Reads the files of a listener, and gives each certificate its response if there is one. A response that has
// expired is not used; a file that cannot be read or is for none of the certificates is an error. Throws
// CryptoError, which begins with the place of the setting.
void use_ocsp_files(OSSL_LIB_CTX* library, const config::OcspSettings& settings,
                    const Certificates& certificates);

// Belongs to the control thread, and waits for nothing there.
class OcspUpdates final {
 public:
  OcspUpdates(Executor executor, OSSL_LIB_CTX* library);
  OcspUpdates(const OcspUpdates&) = delete;
  OcspUpdates& operator=(const OcspUpdates&) = delete;

  // From now on these. A certificate that was among those before keeps its response.
  void use(std::vector<OcspSubject> subjects);
  void stop();

  // What GET /metrics shows of it.
  [[nodiscard]] const prometheus::Collectable& metrics() const noexcept { return registry_; }

 private:
  class Task;

  [[nodiscard]] awaitable<void> run(std::shared_ptr<Task> task);
  [[nodiscard]] awaitable<std::vector<unsigned char>> answer(Task& task);
  void take(Task& task, const std::vector<unsigned char>& der);
  void succeed(Task& task, std::shared_ptr<const OcspResponse> response);
  void fail(Task& task, const std::string& reason);
  void show(const Task& task);
  void hide(const std::string& name);
  void inherit(const OcspSubject& subject);

  Executor executor_;
  OSSL_LIB_CTX* library_;
  std::list<std::shared_ptr<Task>> tasks_;
  std::size_t in_flight_ = 0;
  prometheus::Registry registry_;
  prometheus::Family<prometheus::Gauge>& this_update_;
  prometheus::Family<prometheus::Gauge>& next_update_;
  prometheus::Family<prometheus::Counter>& updates_;
};

}  // namespace keystay::tlsd
