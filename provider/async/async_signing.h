// Private operations by a signer thread. Inside a job (ASYNC_start_job(3)) the job pauses meanwhile, and its
// thread does other work.
#pragma once

#include <cstddef>

#include <openssl/async.h>

#include "native/async/abandon.h"
#include "provider/async/signer_threads.h"
#include "provider/key/scheme.h"

namespace keystay::provider {

// Pauses the job until the operation is done or its deadline is over. If the job cannot be paused - no
// descriptor is left, the queue is full - its thread waits instead. Returns the length of the result, or
// why there is none. Throws Error only if no thread can be started.
[[nodiscard]] std::variant<std::size_t, Failure> perform_in_job(ASYNC_JOB* job, SignerThreads& signers,
                                                                const JobOperation& wanted);

// Outside of jobs, or in one that cannot be paused: this thread waits until the operation is done or its
// deadline is over, though a call into the module hangs. Otherwise as perform_in_job().
[[nodiscard]] std::variant<std::size_t, Failure> perform_and_wait(SignerThreads& signers,
                                                                  const JobOperation& wanted);

// The capability "KEYSTAY-ASYNC": see native/async/abandon.h. The callback of the job's wait context must not
// wait for anything that the abandoning thread holds.
extern "C" int keystay_abandon(async::ResumeFunction resume, void* argument) noexcept;

}  // namespace keystay::provider
