// The threads that call the PKCS #11 module for jobs: a module must never run on a job's stack of 32 KiB, and
// a job that waits must not keep its thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "native/pkcs11/per_process.h"
#include "provider/async/async_request.h"

namespace keystay::provider {

enum class Admission {
  bounded,  // for jobs: at most kQueue requests wait
  always,   // for a thread that waits for its one request
};

// The threads of one token or group: none before the first request of a process, at most as many as its
// `capacity` says when one is wanted, since members of a group come and go. One more thread ends requests at
// their deadline, whatever the module does. A forked child has its own. Thread-safe.
class SignerThreads final {
 public:
  static constexpr std::size_t kQueue = 16 * 1024;  // a few seconds' work of any HSM

  explicit SignerThreads(std::function<std::size_t()> capacity, std::size_t queue = kQueue);
  ~SignerThreads();

  // False if the queue is full. Throws Error if no thread can be started.
  [[nodiscard]] bool submit(const AsyncRequestPtr& request, Admission admission);

  // How much they have to do now.
  struct Load {
    std::size_t waiting;
    std::size_t running;
  };
  [[nodiscard]] Load load();

  // Ends the threads, but waits only a moment for one that is in the module; such a thread ends by itself
  // later. Returns whether all have ended.
  bool stop() noexcept;

 private:
  class Workers;
  struct Share {
    std::shared_ptr<Workers> workers;
  };

  pkcs11::PerProcess<Share> workers_;
};

}  // namespace keystay::provider
