#include "native/ha/read_call.h"

#include <utility>

#include "native/pkcs11/error.h"

namespace keystay::ha {
namespace {

using pkcs11::Deadline;
using pkcs11::MutexLock;
using pkcs11::Session;
using std::chrono::steady_clock;

// Ends what was left. Nothing that a source would repair.
struct Left {};

}  // namespace

ReadCall::ReadCall(std::shared_ptr<keys::KeySource> source, std::chrono::milliseconds limit)
    : source_(std::move(source)), limit_(limit) {}

void ReadCall::run() noexcept {
  {
    const MutexLock lock(mutex_);
    if (left_) return;
    begun_ = true;
  }
  std::exception_ptr error;
  try {
    source_->with_session([this](Session& session) { serve(session); });
  } catch (...) {
    error = std::current_exception();
  }
  const MutexLock lock(mutex_);
  error_ = error;
  ended_ = true;
  changed_.notify_all();
}

void ReadCall::serve(Session& session) {
  {
    const MutexLock lock(mutex_);
    session_ = &session;
    body_ended_ = false;
    changed_.notify_all();
  }
  while (const auto call = next_call()) {
    std::exception_ptr error;
    try {
      call(session);
    } catch (...) {
      error = std::current_exception();
    }
    note_made(error);
  }
  std::exception_ptr error;
  {
    const MutexLock lock(mutex_);
    error = std::exchange(body_error_, nullptr);
  }
  // What the body failed with is for the source to judge, which may repair its session and try once more.
  if (error) std::rethrow_exception(error);
}

// Nothing at the end of the body.
std::function<void(Session&)> ReadCall::next_call() {
  MutexLock lock(mutex_);
  while (!call_ && !body_ended_ && !left_) lock.wait(changed_);
  if (left_) throw Left{};
  return std::exchange(call_, nullptr);
}

void ReadCall::note_made(std::exception_ptr error) {
  const MutexLock lock(mutex_);
  call_error_ = std::move(error);
  made_ = true;
  changed_.notify_all();
}

ReadCall::End ReadCall::read(const std::function<void(Session&)>& body, Deadline deadline) {
  while (const Session* session = next_session(deadline)) {
    run_body(body, *session);
    deadline = steady_clock::now() + limit_;
  }
  const MutexLock lock(mutex_);
  if (left_) return begun_ ? End::left : End::not_begun;
  if (error_) std::rethrow_exception(error_);
  return End::read;
}

Session* ReadCall::next_session(Deadline deadline) {
  MutexLock lock(mutex_);
  bool is_late = false;
  while (!session_ && !ended_ && !left_) {
    left_ = is_late;
    if (!left_) is_late = lock.wait_until(changed_, deadline) == std::cv_status::timeout;
  }
  changed_.notify_all();
  return left_ ? nullptr : session_;
}

void ReadCall::run_body(const std::function<void(Session&)>& body, const Session& session) {
  std::exception_ptr error;
  try {
    Session view(session, *this);
    body(view);
  } catch (...) {
    error = std::current_exception();
  }
  const MutexLock lock(mutex_);
  session_ = nullptr;
  body_error_ = error;
  body_ended_ = true;
  changed_.notify_all();
}

void ReadCall::make(std::function<void(Session&)> call) {
  std::exception_ptr error;
  {
    const Deadline deadline = steady_clock::now() + limit_;
    MutexLock lock(mutex_);
    made_ = false;
    call_ = std::move(call);
    changed_.notify_all();
    bool is_late = false;
    while (!made_ && !left_) {
      left_ = is_late;
      if (!left_) is_late = lock.wait_until(changed_, deadline) == std::cv_status::timeout;
    }
    if (left_) {
      changed_.notify_all();
      throw pkcs11::Error(pkcs11::ErrorClass::server, "the call was left");
    }
    error = std::exchange(call_error_, nullptr);
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace keystay::ha
