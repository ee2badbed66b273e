#include "tlsd/ocsp/ocsp_updates.h"

#include <algorithm>
#include <array>
#include <exception>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string_view>

#include <boost/asio/co_spawn.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "tlsd/ocsp/ocsp_fetch.h"
#include "tlsd/tls/openssl_error.h"

namespace keystay::tlsd {
namespace {

using namespace std::chrono_literals;
using SystemClock = std::chrono::system_clock;

constexpr std::size_t kMostFetches = 8;
constexpr std::chrono::milliseconds kTurn{100};  // after which a fetch that waits for others looks again
constexpr std::array<std::chrono::milliseconds, 6> kRetries{1s, 5s, 30s, 60s, 300s, 600s};
constexpr std::chrono::milliseconds kFilePause{60s};
constexpr std::chrono::milliseconds kLongestPause{1h};
constexpr std::chrono::milliseconds kShortestPause{1s};
constexpr std::chrono::seconds kSkew{300};  // between our clock and the responder's
constexpr std::size_t kMostFile = 65536;

double seconds(SystemClock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

std::string text_of(SystemClock::time_point time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(SystemClock::to_time_t(time)));
}

// Why it may not be used now; empty if it may.
std::string out_of_time(const OcspResponse& response, SystemClock::time_point now) {
  if (response.this_update > now + kSkew)
    return "the response is of the future (" + text_of(response.this_update) +
           "); check the clock of this machine";
  if (response.next_update <= now) return "the response has expired (" + text_of(response.next_update) + ")";
  return {};
}

// Half of the time that is left, so that a responder may be away for as long as the other half.
std::chrono::milliseconds time_to_next(const OcspResponse& response) {
  const auto left = std::chrono::floor<std::chrono::milliseconds>(response.next_update - SystemClock::now());
  return std::clamp<std::chrono::milliseconds>(left / 2, kShortestPause, kLongestPause);
}

std::vector<unsigned char> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<unsigned char> bytes(kMostFile + 1);
  if (!file) throw CryptoError("cannot read " + path);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  if (bytes.empty() || bytes.size() > kMostFile) throw CryptoError(path + " is empty, or longer than 64 KiB");
  return bytes;
}

// The response in the file that is for this certificate, with why none is.
std::optional<OcspResponse> from_files(OSSL_LIB_CTX* library, const std::vector<std::string>& files,
                                       const Certificate& certificate, std::string& reason) {
  for (const std::string& path : files) {
    try {
      return verified_response(library, read_file(path), certificate.leaf.get(), certificate.issuer.get());
    } catch (const CryptoError& error) {
      reason += (reason.empty() ? "" : "; ") + path + ": " + error.what();
    }
  }
  return std::nullopt;
}

bool same_leaf(const Certificate& left, const Certificate& right) {
  return X509_cmp(left.leaf.get(), right.leaf.get()) == 0;
}

}  // namespace

void use_ocsp_files(OSSL_LIB_CTX* library, const config::OcspSettings& settings,
                    const Certificates& certificates) {
  for (const std::string& path : settings.files) {
    std::string reason;
    bool fits = false;
    for (const auto& certificate : certificates) {
      if (!certificate->staple) {
        reason = "the issuer of certificate \"" + certificate->name + "\" is not there; import its chain";
        continue;
      }
      std::optional<OcspResponse> response;
      try {
        response = from_files(library, {path}, *certificate, reason);
      } catch (const Revoked&) {
        fits = true;  // told when it is looked at again
      }
      if (!response) continue;
      fits = true;
      if (out_of_time(*response, SystemClock::now()).empty())
        certificate->staple->use(std::make_shared<const OcspResponse>(*std::move(response)));
    }
    if (!fits) throw CryptoError(settings.place + ": no certificate of the listener can use it: " + reason);
  }
}

// The loop of one certificate, which ends with it.
class OcspUpdates::Task final {
 public:
  Task(OcspSubject subject, Executor executor) : subject_(std::move(subject)), pause_(executor) {}

  [[nodiscard]] const Certificate& certificate() const noexcept { return *subject_.certificate; }
  [[nodiscard]] const config::OcspSettings& settings() const noexcept { return subject_.settings; }
  [[nodiscard]] bool from_files() const noexcept {
    return subject_.settings.source == config::OcspSettings::Source::files;
  }
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  void end() {
    ended_ = true;
    pause_.cancel();
  }
  [[nodiscard]] awaitable<void> pause(std::chrono::milliseconds time) {
    pause_.expires_after(time);
    co_await pause_.async_wait(kOutcome);
  }

  std::chrono::milliseconds next{0};  // to wait before the next attempt
  std::size_t failures = 0;           // in a row
  std::string failure;                // the last one, which is not told again
  std::string failure_now;            // of the attempt that is under way

 private:
  OcspSubject subject_;
  Timer pause_;
  bool ended_ = false;
};

OcspUpdates::OcspUpdates(Executor executor, OSSL_LIB_CTX* library)
    : executor_(executor),
      library_(library),
      this_update_(prometheus::BuildGauge()
                       .Name("keystay_tlsd_ocsp_this_update_timestamp_seconds")
                       .Help("When the OCSP response that is stapled was true")
                       .Register(registry_)),
      next_update_(prometheus::BuildGauge()
                       .Name("keystay_tlsd_ocsp_next_update_timestamp_seconds")
                       .Help("When the OCSP response that is stapled expires; 0: there is none")
                       .Register(registry_)),
      updates_(prometheus::BuildCounter()
                   .Name("keystay_tlsd_ocsp_updates_total")
                   .Help("Attempts to get an OCSP response, by result")
                   .Register(registry_)) {}

void OcspUpdates::use(std::vector<OcspSubject> subjects) {
  std::set<std::string_view> names;
  for (const OcspSubject& subject : subjects) {
    inherit(subject);
    names.insert(subject.certificate->name);
  }
  for (const auto& task : tasks_) {
    task->end();
    if (!names.contains(task->certificate().name)) hide(task->certificate().name);
  }
  tasks_.clear();
  for (OcspSubject& subject : subjects) {
    const Certificate& certificate = *subject.certificate;
    const bool fetched = subject.settings.source == config::OcspSettings::Source::fetch;
    if (!certificate.staple || (fetched && ocsp_responder(certificate.leaf.get()).empty())) {
      spdlog::warn("certificate \"{}\": no OCSP response is stapled: {}", certificate.name,
                   certificate.staple ? "it names no responder with http://"
                                      : "its issuer is not there; import its chain");
      continue;
    }
    auto task = std::make_shared<Task>(std::move(subject), executor_);
    if (const auto response = certificate.staple->response())
      task->next = fetched ? time_to_next(*response) : kFilePause;
    show(*task);
    tasks_.push_back(task);
    asio::co_spawn(executor_, run(task), [](const std::exception_ptr& failure) {
      if (failure) std::rethrow_exception(failure);  // the event loop logs it
    });
  }
}

void OcspUpdates::hide(const std::string& name) {
  for (auto* family : {&this_update_, &next_update_}) family->Remove(&family->Add({{"certificate", name}}));
  for (const char* result : {"succeeded", "failed"})
    updates_.Remove(&updates_.Add({{"certificate", name}, {"result", result}}));
}

void OcspUpdates::inherit(const OcspSubject& subject) {
  const Certificate& certificate = *subject.certificate;
  if (!certificate.staple || certificate.staple->response()) return;
  for (const auto& task : tasks_) {
    if (same_leaf(task->certificate(), certificate))
      certificate.staple->use(task->certificate().staple->response());
  }
}

void OcspUpdates::stop() {
  for (const auto& task : tasks_) task->end();
}

awaitable<void> OcspUpdates::run(std::shared_ptr<Task> task) {
  for (;;) {
    if (task->next > 0ms) co_await task->pause(task->next);
    while (!task->ended() && in_flight_ >= kMostFetches) co_await task->pause(kTurn);
    if (task->ended()) co_return;
    std::vector<unsigned char> der;
    task->failure_now.clear();
    ++in_flight_;
    try {
      der = co_await answer(*task);
    } catch (const std::exception& error) {
      task->failure_now = error.what();
    }
    --in_flight_;
    if (task->ended()) co_return;
    take(*task, der);
    show(*task);
  }
}

// Empty if there is none; then the task has the failure.
awaitable<std::vector<unsigned char>> OcspUpdates::answer(Task& task) {
  if (task.from_files()) co_return std::vector<unsigned char>();
  const Certificate& certificate = task.certificate();
  std::string responder = ocsp_responder(certificate.leaf.get());
  std::vector<unsigned char> request = ocsp_request(certificate.leaf.get(), certificate.issuer.get());
  OcspAnswer answer = co_await fetch_ocsp(executor_, std::move(responder), std::move(request));
  task.failure_now = answer.failure;
  co_return std::move(answer.der);
}

void OcspUpdates::take(Task& task, const std::vector<unsigned char>& der) {
  const Certificate& certificate = task.certificate();
  std::string reason = task.failure_now;
  std::optional<OcspResponse> response;
  try {
    if (task.from_files()) {
      response = from_files(library_, task.settings().files, certificate, reason);
    } else if (reason.empty()) {
      response = verified_response(library_, der, certificate.leaf.get(), certificate.issuer.get());
    }
  } catch (const Revoked& revoked) {
    certificate.staple->use(nullptr);  // what said otherwise is no longer true
    reason = revoked.what();
  } catch (const std::exception& error) {
    reason = error.what();
  }
  if (response) reason = out_of_time(*response, SystemClock::now());
  if (!reason.empty()) return fail(task, reason);
  succeed(task, std::make_shared<const OcspResponse>(*std::move(response)));
}

void OcspUpdates::succeed(Task& task, std::shared_ptr<const OcspResponse> response) {
  const std::string& name = task.certificate().name;
  updates_.Add({{"certificate", name}, {"result", "succeeded"}}).Increment();
  const auto before = task.certificate().staple->response();
  task.next = task.from_files() ? kFilePause : time_to_next(*response);
  if (!before || !task.failure.empty())
    spdlog::info("certificate \"{}\": an OCSP response is stapled, valid until {}", name,
                 text_of(response->next_update));
  task.failures = 0;
  task.failure.clear();
  task.certificate().staple->use(std::move(response));
}

void OcspUpdates::fail(Task& task, const std::string& reason) {
  const std::string& name = task.certificate().name;
  updates_.Add({{"certificate", name}, {"result", "failed"}}).Increment();
  task.next = task.from_files() ? kFilePause : kRetries.at(std::min(task.failures, kRetries.size() - 1));
  ++task.failures;
  if (reason == task.failure) return;
  task.failure = reason;
  const auto left = task.certificate().staple->response();
  spdlog::warn("certificate \"{}\": no new OCSP response: {}; {}", name, reason,
               left ? "the one before is stapled until " + text_of(left->next_update) : "none is stapled");
}

void OcspUpdates::show(const Task& task) {
  const auto response = task.certificate().staple->response();
  const prometheus::Labels labels{{"certificate", task.certificate().name}};
  this_update_.Add(labels).Set(response ? seconds(response->this_update) : 0);
  next_update_.Add(labels).Set(response ? seconds(response->next_update) : 0);
}

}  // namespace keystay::tlsd
