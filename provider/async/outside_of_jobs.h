// What must not run on the stack of a job (ASYNC_start_job(3)), nor be paused with it.
#pragma once

#include <exception>
#include <optional>
#include <thread>

#include <openssl/async.h>

namespace keystay::provider {

// What `body` returns. In a job it runs on a thread of its own, for which the job waits: modules need more
// stack than a job's 32 KiB, and what a paused job has on its stack may never be cleaned up. Throws what
// `body` throws; std::system_error if no thread can be started.
template <typename Body>
auto outside_of_jobs(const Body& body) -> decltype(body()) {
  if (!ASYNC_get_current_job()) return body();
  std::optional<decltype(body())> result;
  std::exception_ptr error;
  std::thread([&] {
    try {
      result.emplace(body());
    } catch (...) {
      error = std::current_exception();
    }
  }).join();
  if (error) std::rethrow_exception(error);
  return std::move(*result);
}

}  // namespace keystay::provider
