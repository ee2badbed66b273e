// Whether every key that lives on a token can sign now: a real signature with each, on a thread of its own.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "tlsd/async_wait.h"
#include "tlsd/blocking_thread.h"
#include "tlsd/snapshot.h"

namespace keystay::tlsd {

// Belongs to one thread, except for its probe.
class Health final {
 public:
  Health(Executor executor, OSSL_LIB_CTX* library);

  // The certificates in use, and those that are to be but could not be loaded; now and after a reload.
  void use(const Certificates& certificates, const std::vector<MissingCertificate>& missing);

  // Empty if all is well; otherwise a line for each certificate that cannot be used. Those who ask at the
  // same time, or within a second, share one probe. Takes no longer than kLimit, whatever the token does.
  [[nodiscard]] awaitable<std::string> check();

  // A token does not answer: the thread that asked it cannot be ended in order.
  [[nodiscard]] bool stuck() const noexcept { return blocking_thread_.busy(); }

  static constexpr std::chrono::seconds kLimit{5};
  static constexpr std::chrono::seconds kFresh{1};

 private:
  void start_probe();
  void finish_probe(std::string report);
  [[nodiscard]] std::string probe(const Certificates& certificates);
  [[nodiscard]] std::string overdue();

  Executor executor_;
  OSSL_LIB_CTX* library_;
  Certificates on_token_;
  std::string missing_;  // lines
  std::string report_;
  Clock::time_point reported_{};  // when report_ was made
  bool probing_ = false;
  Clock::time_point probe_began_{};
  std::vector<std::shared_ptr<AsyncWait>> waiting_;

  std::mutex mutex_;
  std::string probed_;  // the certificate that the probe is at
  BlockingThread blocking_thread_;
};

}  // namespace keystay::tlsd
