#include "native/ha/member.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <tuple>
#include <utility>

#include "native/config/duration.h"
#include "native/ha/key_call.h"
#include "native/ha/left_call.h"
#include "native/ha/read_call.h"
#include "native/pkcs11/session.h"

namespace keystay::ha {
namespace {

using pkcs11::Deadline;
using pkcs11::Error;
using pkcs11::ErrorClass;
using namespace std::chrono_literals;

constexpr double kWeightOfOne = 1.0 / 32;  // of one operation in the average of success and latency
constexpr auto kBetweenAskings = 10s;      // of a member for a key that it did not have
constexpr std::chrono::duration<double> kHalfLifeOfAFailure = 5s;
constexpr std::size_t kThreadsForProbes = 2;  // beside those of its sessions

// An error without a code is Keystay's own: the key is not on the token, or is not the one that is meant.
bool is_about_the_key(const Error& error) {
  return error.error_class() == ErrorClass::client && !error.code();
}

}  // namespace

Consequence consequence(const Error& error) noexcept {
  switch (error.error_class()) {
    case ErrorClass::client:
      return is_about_the_key(error) ? Consequence::elsewhere : Consequence::none;
    case ErrorClass::host:  // what this process lacks for one member, it may have for another
    case ErrorClass::busy:
    case ErrorClass::dirty_session:
      return Consequence::elsewhere;
    case ErrorClass::session_lost:
      return Consequence::repair;
    case ErrorClass::server:
    case ErrorClass::authentication:
      return Consequence::out;
  }
  return Consequence::none;
}

bool operator==(const MemberOptions& left, const MemberOptions& right) {
  const auto values = [](const MemberOptions& options) {
    return std::tie(options.name, options.zone, options.leave_hung_calls, options.probe_timeout,
                    options.probe_pauses, options.check_interval);
  };
  return values(left) == values(right) && !left.verifier == !right.verifier;
}

Member::Member(MemberOptions options, std::shared_ptr<keys::KeySource> source, Notice notice, Start start,
               std::vector<pkcs11::Operation> needed)
    : options_(std::move(options)),
      source_(std::move(source)),
      operations_(verified(source_->operations(), options_.verifier)),
      attempts_(verified(source_->attempts(), options_.verifier)),
      notice_(std::move(notice)),
      needed_(std::move(needed)),
      calls_(source_->capacity() + kThreadsForProbes),
      service_(start == Start::probed ? Service::joining : Service::in) {}

// What it has in flight, and a probe that is under way, end with the other one.
void Member::take_health_of(Member& before) {
  service_ = before.service_.load();
  success_ = before.success_.load();
  last_failure_ = before.last_failure_.load();
  latency_ = before.latency_.load();
  last_answer_ = before.last_answer_.load();
  succeeded_ = before.succeeded_.load();
  replayed_ = before.replayed_.load();
  for (std::size_t i = 0; i < kErrorClasses; ++i) failed_[i] = before.failed_[i].load();
  failures_ = before.failures_.load();
  const pkcs11::MutexLock theirs(before.mutex_);
  const pkcs11::MutexLock ours(mutex_);
  lacking_ = before.lacking_;
  lacking_count_ = lacking_.size();
  reason_ = before.reason_;
  told_ = before.told_;
  since_ = before.since_;
  out_before_ = before.out_before_;
  asked_at_ = before.asked_at_;
  last_failed_ = before.last_failed_;
}

double Member::idleness() const noexcept {
  const double used = static_cast<double>(in_flight_.load(std::memory_order_relaxed)) /
                      static_cast<double>(source_->capacity());
  return std::max(0.0, 1.0 - used);
}

double Member::success() const noexcept {
  const double counted = success_.load(std::memory_order_relaxed);
  if (counted == 1) return counted;
  const Clock::time_point failed{Clock::duration(last_failure_.load(std::memory_order_relaxed))};
  const double half_lives = std::chrono::duration<double>(Clock::now() - failed) / kHalfLifeOfAFailure;
  return 1 - (1 - counted) * std::exp2(-half_lives);
}

bool Member::lacks(const pkcs11::KeyReference& key) {
  if (lacking_count_.load(std::memory_order_acquire) == 0) [[likely]]
    return false;
  const pkcs11::MutexLock lock(mutex_);
  const auto known = lacking_.find(key.identity());
  return known != lacking_.end() && Clock::now() < known->second.ask_again;
}

std::size_t Member::perform(const Request& request, Repair repair, Deadline deadline) {
  struct InFlight {
    std::atomic<std::size_t>& count;
    explicit InFlight(std::atomic<std::size_t>& counter) : count(counter) { ++count; }
    ~InFlight() { --count; }
  } const in_flight(in_flight_);
  const auto begin = Clock::now();
  try {
    const std::size_t size = options_.leave_hung_calls ? attempt_left_at(request, repair, deadline)
                                                       : attempt(request, repair, deadline);
    note_success(Clock::now() - begin);
    if (lacking_count_.load(std::memory_order_acquire) != 0) {
      const pkcs11::MutexLock lock(mutex_);
      lacking_.erase(request.key.identity());
      lacking_count_.store(lacking_.size(), std::memory_order_release);
    }
    return size;
  } catch (const Error& error) {
    note_failure(error, &request);
    throw;
  }
}

std::size_t Member::attempt(const Request& request, Repair repair, Deadline deadline) {
  const auto& operations = repair == Repair::at_once ? operations_ : attempts_;
  return operations->perform(request.key, request.operation, request.data, request.result, deadline);
}

std::size_t Member::attempt_left_at(const Request& request, Repair repair, Deadline deadline) {
  const auto call =
      std::make_shared<KeyCall>(repair == Repair::at_once ? operations_ : attempts_, request, deadline);
  switch (calls_.run(call, deadline)) {
    case CallEnd::returned:
      return call->take(request.result);
    case CallEnd::not_begun:
      throw crowded(source_->name());
    case CallEnd::left:
      break;
  }
  throw hung(source_->name());
}

template <typename Body>
void Member::noted(const Body& body) {
  try {
    body();
    last_answer_.store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed);
  } catch (const Error& error) {
    if (!is_about_the_key(error)) note_failure(error, nullptr);
    throw;
  }
}

void Member::read(const std::function<void(pkcs11::Session&)>& body, Deadline deadline) {
  noted([&] {
    if (!options_.leave_hung_calls) return source_->with_session(body);
    const auto limit = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    const auto call = std::make_shared<ReadCall>(source_, limit);
    const CallThreads::Started started = calls_.start(call);
    const ReadCall::End end = call->read(body, deadline);
    if (end == ReadCall::End::read) return;
    calls_.leave(started);
    throw end == ReadCall::End::left ? hung(source_->name()) : crowded(source_->name());
  });
}

void Member::use(const std::function<void(keys::KeySource&)>& call, Deadline deadline) {
  class Use final : public Call {
   public:
    Use(std::shared_ptr<keys::KeySource> source, std::function<void(keys::KeySource&)> call)
        : source_(std::move(source)), call_(std::move(call)) {}
    void run() noexcept override {
      try {
        call_(*source_);
      } catch (...) {
        error = std::current_exception();
      }
    }
    std::exception_ptr error;

   private:
    const std::shared_ptr<keys::KeySource> source_;
    const std::function<void(keys::KeySource&)> call_;
  };
  try {
    noted([&] {
      if (!options_.leave_hung_calls) return call(*source_);
      const auto use = std::make_shared<Use>(source_, call);
      const CallEnd end = calls_.run(use, deadline);
      if (end == CallEnd::not_begun) throw crowded(source_->name());
      if (end == CallEnd::left) throw hung(source_->name());
      if (use->error) std::rethrow_exception(use->error);
    });
  } catch (const Error& error) {
    const pkcs11::MutexLock lock(mutex_);
    if (consequence(error) == Consequence::out) last_failed_ = call;
    throw;
  }
}

bool Member::supports(const pkcs11::Operation& operation, Deadline deadline) {
  const std::pair asked{pkcs11::type(operation), pkcs11::permission(operation).flag};
  {
    const pkcs11::MutexLock lock(mutex_);
    if (const auto known = supported_.find(asked); known != supported_.end()) return known->second;
  }
  // Atomic, for a probe may repeat the call while it has not returned from the first one.
  const auto answer = std::make_shared<std::atomic<bool>>(false);
  use([operation, answer](keys::KeySource& source) { *answer = source.operations()->supports(operation); },
      deadline);
  const pkcs11::MutexLock lock(mutex_);
  return supported_[asked] = *answer;
}

void Member::weigh(double outcome) noexcept {
  if (outcome == 0) last_failure_.store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed);
  const double before = success_.load(std::memory_order_relaxed);
  success_.store(before + (outcome - before) * kWeightOfOne, std::memory_order_relaxed);
}

void Member::note_success(std::chrono::nanoseconds took) {
  weigh(1);
  succeeded_.fetch_add(1, std::memory_order_relaxed);
  if (failures_.load(std::memory_order_relaxed) != 0) failures_.store(0, std::memory_order_relaxed);
  last_answer_.store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed);
  const auto before = static_cast<double>(latency_.load(std::memory_order_relaxed));
  const double after = before == 0 ? static_cast<double>(took.count())
                                   : before + (static_cast<double>(took.count()) - before) * kWeightOfOne;
  latency_.store(std::llround(after), std::memory_order_relaxed);
}

void Member::note_failure(const Error& error, const Request* request) {
  failed_[static_cast<std::size_t>(error.error_class())].fetch_add(1, std::memory_order_relaxed);
  switch (consequence(error)) {
    case Consequence::none:
      return;
    case Consequence::elsewhere: {
      if (!request || !is_about_the_key(error)) return;
      bool is_new = false;
      {
        const pkcs11::MutexLock lock(mutex_);
        is_new = lacking_
                     .insert_or_assign(request->key.identity(),
                                       Lacking{request->key.name(), Clock::now() + kBetweenAskings})
                     .second;
        lacking_count_.store(lacking_.size(), std::memory_order_release);
      }
      if (is_new)
        notice_("member \"" + name() + "\" cannot use " + request->key.name() + ": " + error.what());
      return;
    }
    case Consequence::repair:
      weigh(0);
      {
        const pkcs11::MutexLock lock(mutex_);
        if (service_.load() != Service::in) return;
        service_.store(Service::repairing, std::memory_order_release);
        supported_.clear();
        since_ = asked_at_ = Clock::now();
        reason_ = error.what();
      }
      return;
    case Consequence::out:
      weigh(0);
      if (request) {
        const auto call = std::make_shared<const KeyCall>(nullptr, *request, Deadline());
        const pkcs11::MutexLock lock(mutex_);
        last_failed_ = [call, attempts = attempts_](keys::KeySource&) { call->repeat(attempts); };
      }
      take_out(error.error_class() == ErrorClass::authentication ? Service::refused : Service::out, error);
      return;
  }
}

void Member::take_out(Service service, const Error& error) {
  std::chrono::milliseconds pause{};
  bool still = false;
  {
    const pkcs11::MutexLock lock(mutex_);
    const Service before = service_.load();
    const auto now = Clock::now();
    const bool was_said_before = std::exchange(reason_, error.what()) == error.what();
    still = before == Service::out || before == Service::refused;
    service_.store(service, std::memory_order_release);
    if (still && !is_news(before, service, was_said_before)) return;
    told_ = reason_;
    pause = this->pause();
    supported_.clear();
    if (before == Service::in || before == Service::joining) since_ = now;
    if (!still) asked_at_ = now;
  }
  if (!still) calls_.leave_all();
  notice_("member \"" + name() + "\" is " + (still ? "still " : "") +
          (service == Service::refused ? "out of service until its PIN is put right: " : "out of service: ") +
          error.what() +
          (service == Service::refused ? "; its PIN is read again in " : "; it is asked again in ") +
          config::format_duration(pause));
}

// Of a member that is out of service. What was in flight then comes in one by one, and a state between two
// may pass at once; what two probes in a row say is what an operator has to know.
bool Member::is_news(Service before, Service now, bool was_said_before) const {
  if (before != now) return true;
  return now == Service::out && was_said_before && reason_ != told_ && in_flight_.load() == 0;
}

void Member::bring_back() {
  std::chrono::milliseconds out_for{};
  Service before{};
  {
    const pkcs11::MutexLock lock(mutex_);
    before = service_.load();
    if (before == Service::in) return;
    const auto now = Clock::now();
    out_for = std::chrono::duration_cast<std::chrono::milliseconds>(now - since_);
    if (before != Service::joining) out_before_ += now - since_;
    since_ = now;
    reason_.clear();
    last_failed_ = nullptr;
    service_.store(Service::in, std::memory_order_release);
  }
  if (before == Service::repairing) return;
  if (before == Service::joining) return notice_("member \"" + name() + "\" is in service");
  notice_("member \"" + name() + "\" is back in service after " + config::format_duration(out_for));
}

std::chrono::milliseconds Member::pause() const {
  return options_.probe_pauses[std::min(failures_.load(), options_.probe_pauses.size() - 1)];
}

MemberStatus Member::status() {
  MemberStatus status;
  status.name = options_.name;
  status.zone = options_.zone;
  status.in_flight = in_flight_.load();
  status.left_calls = calls_.left();
  status.succeeded = succeeded_.load();
  status.replayed = replayed_.load();
  for (std::size_t i = 0; i < kErrorClasses; ++i) status.failed[i] = failed_[i].load();
  status.latency =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::nanoseconds(latency_.load()));
  const pkcs11::MutexLock lock(mutex_);
  status.service = service_.load();
  status.reason = reason_;
  status.since = since_;
  const bool is_out = status.service != Service::in && status.service != Service::joining;
  const auto out = out_before_ + (is_out ? Clock::now() - since_ : Clock::duration(0));
  status.out_of_service = std::chrono::duration_cast<std::chrono::milliseconds>(out);
  for (const auto& [_, lacking] : lacking_) status.lacking.push_back(lacking.key);
  return status;
}

}  // namespace keystay::ha
