// Looks after the servers of one backend while a snapshot has it: checks their health, and looks their names
// up again. On the control thread; a look-up blocks a thread of its own.
#pragma once

#include <memory>
#include <optional>

#include "tlsd/backend_servers.h"
#include "tlsd/blocking_thread.h"
#include "tlsd/execution.h"
#include "tlsd/tls/tls_stream.h"

namespace keystay::tlsd {

class BackendWatch final : public std::enable_shared_from_this<BackendWatch> {
 public:
  // `resolver` must outlive the executor's last handler; `thread` is there when the first one runs.
  BackendWatch(Executor executor, BlockingThread& resolver, std::optional<TlsThread>& thread,
               std::shared_ptr<BackendServers> servers);
  BackendWatch(const BackendWatch&) = delete;
  BackendWatch& operator=(const BackendWatch&) = delete;

  [[nodiscard]] const std::shared_ptr<BackendServers>& servers() const noexcept { return servers_; }

  // Begins with a check at once, so that the first clients do not go to servers that are down.
  void start();
  // Nothing begins any more; what is under way ends without a consequence. Servers that were checked are in
  // service.
  void stop();

 private:
  void check_all();
  [[nodiscard]] static awaitable<void> check_one(std::shared_ptr<BackendWatch> watch, ServerPlace place);
  void resolve_later();
  void resolve();

  Executor executor_;
  BlockingThread& resolver_;
  std::optional<TlsThread>& thread_;  // the control thread's
  std::shared_ptr<BackendServers> servers_;
  Timer check_pause_;
  Timer resolve_pause_;
  bool stopped_ = false;
};

}  // namespace keystay::tlsd
