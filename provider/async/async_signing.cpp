#include "provider/async/async_signing.h"

#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include <openssl/err.h>

namespace keystay::provider {
namespace {

using pkcs11::ByteView;

// Set while this thread resumes a job only to end it.
thread_local bool abandoning = false;

// An application that polls resumes a job often before it is ready, and ASYNC_block_pause(3) makes pausing
// return at once. Neither should cost a whole processor.
constexpr int kPatience = 100;
constexpr std::chrono::microseconds kNap{50};

// The state of a paused job. It may never be resumed, so nothing here has a destructor.
struct Pause {
  AsyncRequest* request;
  WakeDescriptor* descriptor;  // null with a callback
};

using Result = std::variant<std::size_t, Failure>;

Result abandoned() { return Failure{Reason::abandoned, "the application gave up the operation"}; }

// A descriptor that was put into the wait context must reach the application by a pause: HAProxy removes all
// of the context's descriptors from its poller when it closes the connection, and aborts on one that
// was never added. So a signature that is ready already pauses once; the descriptor is readable then.
[[nodiscard]] bool may_go_on(const Pause& paused) noexcept {
  return paused.request->finished() && (!paused.descriptor || paused.descriptor->announced());
}

// The error queue belongs to the thread, thus to all its jobs: what lies there would make libssl report a
// failure instead of a pause, and what other jobs leave there must not be taken for ours.
void pause(const Pause& paused) noexcept {
  for (int resumptions = 0; !may_go_on(paused); ++resumptions) {
    if (resumptions > kPatience) std::this_thread::sleep_for(kNap);
    ERR_clear_error();
    if (paused.descriptor) paused.descriptor->announce();
    if (ASYNC_pause_job() != 1) {
      paused.request->wait();
      return;
    }
    ERR_clear_error();
    if (abandoning) {
      paused.request->abandon();
      return;
    }
    if (paused.descriptor) paused.descriptor->drain();
  }
  // Nor may the wake of a request that ended before its first pause be left over.
  if (paused.descriptor) paused.descriptor->drain();
}

struct WaitContext {
  std::optional<WakeCallback> callback;
  WakeDescriptorPtr descriptor;

  [[nodiscard]] bool can_wake() const noexcept { return callback || descriptor; }
  [[nodiscard]] Wake wake() const {
    if (callback) return Wake(*callback);
    return descriptor ? Wake(descriptor) : Wake();
  }
};

WaitContext wait_context_of(ASYNC_JOB* job) {
  ASYNC_WAIT_CTX* context = ASYNC_get_wait_ctx(job);
  if (!context) return {};
  WakeCallback callback{};
  if (ASYNC_WAIT_CTX_get_callback(context, &callback.function, &callback.argument) == 1 &&
      callback.function) {
    return {callback, {}};
  }
  return {std::nullopt, WakeDescriptor::of(context)};
}

// Nothing if the job cannot be woken, or the queue is full. Whoever resumes the job owns one share of the
// request.
std::optional<Pause> submit(ASYNC_JOB* job, SignerThreads& signers, const JobOperation& wanted) {
  const WaitContext context = wait_context_of(job);
  if (!context.can_wake()) return std::nullopt;
  AsyncRequestPtr request(new AsyncRequest(wanted, context.wake()));
  if (!signers.submit(request, Admission::bounded)) {
    if (context.descriptor) context.descriptor->withdraw(ASYNC_get_wait_ctx(job));
    return std::nullopt;
  }
  const Pause paused{request.get(), context.descriptor.get()};
  if (context.descriptor) {
    context.descriptor->hold(std::move(request));
  } else {
    request.detach();
  }
  return paused;
}

}  // namespace

Result perform_and_wait(SignerThreads& signers, const JobOperation& wanted) {
  const AsyncRequestPtr request(new AsyncRequest(wanted, Wake()));
  static_cast<void>(signers.submit(request, Admission::always));
  request->wait();
  return request->take(wanted.result);
}

Result perform_in_job(ASYNC_JOB* job, SignerThreads& signers, const JobOperation& wanted) {
  if (abandoning) return abandoned();
  const std::optional<Pause> paused = submit(job, signers, wanted);
  if (!paused) return perform_and_wait(signers, wanted);  // still not on the job's stack
  pause(*paused);
  const AsyncRequestPtr request =
      paused->descriptor ? paused->descriptor->take_request() : AsyncRequestPtr(paused->request, false);
  if (abandoning) return abandoned();
  return request->take(wanted.result);
}

extern "C" int keystay_abandon(async::ResumeFunction resume, void* argument) noexcept {
  const bool outer = std::exchange(abandoning, true);
  const int result = resume(argument);
  abandoning = outer;
  return result;
}

}  // namespace keystay::provider
