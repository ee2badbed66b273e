#include "tests/support/fault_control.h"

#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <utility>

#include <sys/stat.h>

#include "tests/support/temporary_directory.h"

namespace keystay::test {

namespace fs = std::filesystem;

namespace {

// The module maps a control file once, so this process has one.
const ControlFile& control_file() {
  static const TemporaryDirectory directory;
  static const ControlFile file = ControlFile::create(directory.path() / "fault-control", S_IRUSR | S_IWUSR);
  return file;
}

template <typename Do>
void for_each_write(const Do& act) {
  for (std::size_t i = 0; i < kFunctionCount; ++i) {
    if (const auto function = static_cast<Function>(i); may_write(function)) act(function);
  }
}

}  // namespace

FaultControl::FaultControl(const fs::path& target) : FaultControl(module(), control_file()) {
  setenv(kFaultTargetVariable, target.c_str(), 1);
  setenv(kFaultControlVariable, file_.path().c_str(), 1);
}

FaultControl::FaultControl(fs::path loaded_as, ControlFile file)
    : loaded_as_(std::move(loaded_as)), file_(std::move(file)) {
  for (FunctionControl& function : block().functions) function.inside = 0;  // calls whose process was killed
  reset();
}

std::unique_ptr<FaultControl> FaultControl::of_copy(const fs::path& copy, const fs::path& target) {
  fs::copy_file(module(), copy);
  // A copy too: the same library twice would be one, and end for both at C_Finalize.
  fs::copy_file(target, copy.string() + kOwnTargetSuffix);
  return std::unique_ptr<FaultControl>(
      new FaultControl(copy, ControlFile::create(copy.string() + kOwnControlSuffix, S_IRUSR | S_IWUSR)));
}

FaultControl::~FaultControl() { reset(); }

fs::path FaultControl::module() { return KEYSTAY_FAULT_MODULE; }

Environment FaultControl::environment() const {
  return {{kFaultTargetVariable, std::getenv(kFaultTargetVariable)}, {kFaultControlVariable, file_.path()}};
}

void FaultControl::reset() {
  ControlBlock& control = block();
  for (FunctionControl& function : control.functions) {
    function.failures_left = 0;
    function.passes_left = 0;
    function.delay_us = 0;
    function.spread = 0;
    function.held = false;
  }
  control.calls_until_kill = 0;
  control.writes_until_kill = 0;
  control.lanes = 0;
  control.token_absent = false;
  control.signs_wrongly = false;
  control.initialize_after_fork = false;
  control.failed_sign_stays_active = false;
  control.token_flags = 0;
  control.session_limit = 0;
  control.open_sessions = 0;
  control.initialize_flags = 0;
  control.calls_on_fibres = 0;
  control.calls_past_exit = 0;
  reset_calls();
}

void FaultControl::fail(Function function, CK_RV rv, int times) { fail_after(0, function, rv, times); }

void FaultControl::fail_after(int passes, Function function, CK_RV rv, int times) {
  of(function).failures_left = 0;  // so that no call answers the old code once more than was ordered
  of(function).passes_left = passes;
  of(function).failure = rv;
  of(function).failures_left = times;
}

void FaultControl::sign_wrongly(bool wrongly) { block().signs_wrongly = wrongly; }

void FaultControl::leave_failed_signs_active() { block().failed_sign_stays_active = true; }

void FaultControl::delay(Function function, std::chrono::microseconds median, double spread) {
  of(function).spread = static_cast<std::uint64_t>(std::lround(spread * 1000));
  of(function).delay_us = static_cast<std::uint64_t>(median.count());
}

void FaultControl::limit_parallel_signs(std::uint32_t lanes) {
  if (lanes > kMaxLanes) throw std::invalid_argument("at most " + std::to_string(kMaxLanes) + " lanes");
  block().lanes = lanes;
}

void FaultControl::limit_sessions(std::uint64_t sessions) { block().session_limit = sessions; }

void FaultControl::hold(Function function) { of(function).held = true; }
void FaultControl::release(Function function) { of(function).held = false; }

void FaultControl::hold_writes() {
  for_each_write([&](Function function) { hold(function); });
}
void FaultControl::release_writes() {
  for_each_write([&](Function function) { release(function); });
}
void FaultControl::delay_writes(std::chrono::microseconds median, double spread) {
  for_each_write([&](Function function) { delay(function, median, spread); });
}

void FaultControl::drop_sessions() { ++block().sessions_dropped; }
void FaultControl::drop_login() { ++block().logins_dropped; }
void FaultControl::forget_initialize() { ++block().modules_lost; }

void FaultControl::remove_token() {
  block().token_absent = true;
  drop_sessions();
}

void FaultControl::return_token() { block().token_absent = false; }

void FaultControl::kill_at_call(std::int64_t n) { block().calls_until_kill = n; }
bool FaultControl::kill_is_due() const { return block().calls_until_kill > 0; }

void FaultControl::set_token_flags(CK_FLAGS flags) { block().token_flags = flags; }
void FaultControl::require_initialize_after_fork() { block().initialize_after_fork = true; }

std::uint64_t FaultControl::calls(Function function) const { return of(function).calls; }

std::uint64_t FaultControl::calls() const {
  std::uint64_t sum = 0;
  for (const FunctionControl& function : block().functions) sum += function.calls;
  return sum;
}

std::uint64_t FaultControl::writes() const {
  std::uint64_t sum = 0;
  for_each_write([&](Function function) { sum += calls(function); });
  return sum;
}

void FaultControl::reset_calls() {
  for (FunctionControl& function : block().functions) {
    function.calls = 0;
    function.peak = function.inside.load();
  }
}

std::int64_t FaultControl::inside(Function function) const { return of(function).inside; }
std::int64_t FaultControl::peak(Function function) const { return of(function).peak; }

std::int64_t FaultControl::inside_writes() const {
  std::int64_t sum = 0;
  for_each_write([&](Function function) { sum += inside(function); });
  return sum;
}

bool FaultControl::wait_until_inside(Function function, std::int64_t calls,
                                     std::chrono::milliseconds limit) const {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (inside(function) < calls) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

std::int64_t FaultControl::open_sessions() const { return block().open_sessions; }
std::uint64_t FaultControl::calls_on_fibres() const { return block().calls_on_fibres; }

std::uint64_t FaultControl::calls_past_exit() const { return block().calls_past_exit; }
std::uint64_t FaultControl::initialize_flags() const { return block().initialize_flags; }

}  // namespace keystay::test
