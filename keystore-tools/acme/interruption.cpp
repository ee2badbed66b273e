#include "keystore-tools/acme/interruption.h"

#include <algorithm>
#include <array>
#include <string>
#include <thread>

#include <signal.h>

#include "keystore-tools/failure.h"

namespace keystay::tools::acme {
namespace {

constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP};
constexpr std::chrono::milliseconds kNap{50};  // between two looks at what was noted

volatile sig_atomic_t noted_signal = 0;

void note(int signal) { noted_signal = signal; }

}  // namespace

struct Interruption::Handlers {
  std::array<struct sigaction, kSignals.size()> actions{};
};

Interruption::Interruption() : before_(std::make_unique<Handlers>()) {
  noted_signal = 0;
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], nullptr, &before_->actions[i]);
    // nohup(1): what is ignored stays so.
    if (before_->actions[i].sa_handler != SIG_IGN) ::sigaction(kSignals[i], &action, nullptr);
  }
}

Interruption::~Interruption() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before_->actions[i], nullptr);
}

bool Interruption::was_requested() noexcept { return noted_signal != 0; }

void Interruption::check() {
  if (!was_requested()) return;
  throw Failure("interrupted by signal " + std::to_string(noted_signal) +
                "; what was shown to the CA is withdrawn, and the alias is as it was");
}

void Interruption::sleep(std::chrono::milliseconds duration) {
  const auto end = std::chrono::steady_clock::now() + duration;
  for (check(); std::chrono::steady_clock::now() < end; check())
    std::this_thread::sleep_for(
        std::min<std::chrono::nanoseconds>(kNap, end - std::chrono::steady_clock::now()));
}

}  // namespace keystay::tools::acme
