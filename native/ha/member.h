// One token of a group, as one process uses it: its calls, its health and what it has done.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "native/ha/call_threads.h"
#include "native/ha/health.h"
#include "native/ha/key_call.h"
#include "native/ha/notice.h"
#include "native/ha/verified_operations.h"
#include "native/keys/key_source.h"
#include "native/pkcs11/mutex.h"

namespace keystay::ha {

struct MemberOptions {
  std::string name;
  std::string zone;
  bool leave_hung_calls = true;
  std::chrono::milliseconds probe_timeout{2000};  // after which a probe counts as failed
  std::vector<std::chrono::milliseconds> probe_pauses;
  std::chrono::milliseconds check_interval{10000};
  Verifier verifier{};  // of each signature; empty: none is verified

  // Of one group: it has one verifier, or none.
  friend bool operator==(const MemberOptions& left, const MemberOptions& right);
};

// What an attempt's failure means for the group.
enum class Consequence {
  none,       // the request is wrong: the error goes to the caller, and no other member is asked
  elsewhere,  // another member is asked; this one is as it was
  repair,     // the same, and its sessions are repaired meanwhile
  out,        // the same, and it is out of service
};
[[nodiscard]] Consequence consequence(const pkcs11::Error& error) noexcept;

// Thread-safe. Belongs to one process.
class Member final : public std::enable_shared_from_this<Member> {
 public:
  using Clock = std::chrono::steady_clock;

  // How it begins.
  enum class Start {
    in_service,  // with its process, or as a person is to be asked for its PIN: the first operation tells
    probed,      // in a group that is in use: it has to answer first
  };
  // `needed` are operations that the group's keys are used for, without which it is not put in service.
  Member(MemberOptions options, std::shared_ptr<keys::KeySource> source, Notice notice,
         Start start = Start::in_service, std::vector<pkcs11::Operation> needed = {});
  // Before others use this one: it is the same token, by other options.
  void take_health_of(Member& before);

  [[nodiscard]] const MemberOptions& options() const noexcept { return options_; }
  [[nodiscard]] const std::string& name() const noexcept { return options_.name; }
  [[nodiscard]] const std::string& zone() const noexcept { return options_.zone; }
  [[nodiscard]] const std::shared_ptr<keys::KeySource>& source() const noexcept { return source_; }
  [[nodiscard]] bool in_service() const noexcept {
    return service_.load(std::memory_order_acquire) == Service::in;
  }
  [[nodiscard]] bool repairing() const noexcept {
    return service_.load(std::memory_order_acquire) == Service::repairing;
  }
  [[nodiscard]] bool joining() const noexcept {
    return service_.load(std::memory_order_acquire) == Service::joining;
  }
  // Free sessions, from 0 (none) to 1; the share of its latest operations that succeeded, likewise. A failure
  // counts half after five seconds: a member that gets no operation could not outlive it otherwise.
  [[nodiscard]] double idleness() const noexcept;
  [[nodiscard]] double success() const noexcept;
  // Whether it was found to lack this key, lately: it is asked again every now and then.
  [[nodiscard]] bool lacks(const pkcs11::KeyReference& key);

  enum class Repair { left_to_probes, at_once };
  // Makes one attempt, or, with Repair::at_once, what a lone token would do; notes how it ends. Throws
  // pkcs11::Error, with the class that says what to do (consequence()).
  std::size_t perform(const Request& request, Repair repair, pkcs11::Deadline deadline);
  // KeySource::with_session, and notes how it ends. `body` runs on the calling thread, which leaves a call
  // that takes longer than the time from now to the deadline.
  void read(const std::function<void(pkcs11::Session&)>& body, pkcs11::Deadline deadline);
  // `call` with its source, likewise; it may be left as a whole, and owns all that it works with.
  void use(const std::function<void(keys::KeySource&)>& call, pkcs11::Deadline deadline);
  // KeyOperations::supports, asked once until its state changes; likewise.
  [[nodiscard]] bool supports(const pkcs11::Operation& operation, pkcs11::Deadline deadline);
  // An operation went on to another member.
  void note_replay() noexcept { replayed_.fetch_add(1, std::memory_order_relaxed); }

  // When probe() should be called next. `patient` is false while no other member can do the work.
  [[nodiscard]] Clock::time_point next_probe(bool patient);
  // Starts to find out, on another thread, whether it answers: out of service, with the operation that
  // failed last. Nothing while an earlier probe has not returned, but that it counts as a hang in time.
  void probe();

  [[nodiscard]] MemberStatus status();
  void leave_calls() { calls_.leave_all(); }

 private:
  class Probe;

  template <typename Body>
  void noted(const Body& body);
  std::size_t attempt(const Request& request, Repair repair, pkcs11::Deadline deadline);
  std::size_t attempt_left_at(const Request& request, Repair repair, pkcs11::Deadline deadline);
  void note_success(std::chrono::nanoseconds took);
  void note_failure(const pkcs11::Error& error, const Request* request);
  void take_out(Service service, const pkcs11::Error& error);
  [[nodiscard]] bool is_news(Service before, Service now, bool was_said_before) const
      KEYSTAY_REQUIRES(mutex_);
  void bring_back();
  void probe_ended(const std::optional<pkcs11::Error>& error);
  void weigh(double outcome) noexcept;
  [[nodiscard]] std::chrono::milliseconds pause() const;

  const MemberOptions options_;
  const std::shared_ptr<keys::KeySource> source_;
  // Those of the source, verified if that is wanted.
  const std::shared_ptr<pkcs11::KeyOperations> operations_;
  const std::shared_ptr<pkcs11::KeyOperations> attempts_;
  const Notice notice_;
  const std::vector<pkcs11::Operation> needed_;
  CallThreads calls_;

  std::atomic<Service> service_;
  std::atomic<std::size_t> in_flight_{0};
  std::atomic<double> success_{1};             // by its operations alone
  std::atomic<std::int64_t> last_failure_{0};  // as last_answer_
  std::atomic<std::int64_t> latency_{0};       // nanoseconds
  std::atomic<std::int64_t> last_answer_{0};   // nanoseconds of the clock; 0: never
  std::atomic<std::uint64_t> succeeded_{0};
  std::atomic<std::uint64_t> replayed_{0};
  std::array<std::atomic<std::uint64_t>, kErrorClasses> failed_{};
  std::atomic<std::size_t> failures_{0};  // probes that failed since it last did an operation
  std::atomic<std::size_t> lacking_count_{0};

  pkcs11::Mutex mutex_;
  struct Lacking {
    std::string key;  // as in messages
    Clock::time_point ask_again;
  };
  std::map<std::string, Lacking, std::less<>> lacking_ KEYSTAY_GUARDED_BY(mutex_);  // by identity()
  // By mechanism and use (pkcs11::Permission::flag).
  std::map<std::pair<CK_MECHANISM_TYPE, CK_FLAGS>, bool> supported_ KEYSTAY_GUARDED_BY(mutex_);
  std::string reason_ KEYSTAY_GUARDED_BY(mutex_);
  std::string told_ KEYSTAY_GUARDED_BY(mutex_);  // the reason that the last notice gave
  Clock::time_point since_ KEYSTAY_GUARDED_BY(mutex_) = Clock::now();
  Clock::duration out_before_ KEYSTAY_GUARDED_BY(mutex_){0};
  enum class ProbeState { none, running, overdue };
  ProbeState probe_ KEYSTAY_GUARDED_BY(mutex_) = ProbeState::none;
  // When the last probe began or ended, or it failed.
  Clock::time_point asked_at_ KEYSTAY_GUARDED_BY(mutex_){};
  std::function<void(keys::KeySource&)> last_failed_ KEYSTAY_GUARDED_BY(mutex_);  // repeated by probes
};

}  // namespace keystay::ha
