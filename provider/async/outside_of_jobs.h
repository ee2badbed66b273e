// What must not run on the stack of a job (ASYNC_start_job(3)), nor be paused with it.
#pragma once

#include <exception>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include <openssl/async.h>

#include "provider/configuration/passphrase.h"

namespace keystay::provider {

// What `body` returns. In a job it runs on a thread of its own, for which the job waits: modules need more
// stack than a job's 32 KiB, and what a paused job has on its stack may never be cleaned up. Whom the job may
// ask for a PIN, the thread may. Throws what `body` throws; std::system_error if no thread can be started.
template <typename Body>
auto outside_of_jobs(const Body& body) -> decltype(body()) {
  if (!ASYNC_get_current_job()) return body();
  std::optional<decltype(body())> result;
  std::exception_ptr error;
  std::thread([&, callback = passphrase_callback()] {
    const PassphraseScope prompt(callback);
    try {
      result.emplace(body());
    } catch (...) {
      error = std::current_exception();
    }
  }).join();
  if (error) std::rethrow_exception(error);
  return std::move(*result);
}

// The same for what must be done and throws nothing: where no thread can be started, here.
template <typename Body>
void end_outside_of_jobs(const Body& body) noexcept {
  static_assert(noexcept(body()));
  try {
    outside_of_jobs([&] {
      body();
      return true;
    });
  } catch (const std::system_error&) {
    body();
  }
}

}  // namespace keystay::provider
