// libkeystay-fault-module.so: a PKCS #11 module that forwards every function to the module that
// KEYSTAY_FAULT_TARGET names, and on the way does what the file that KEYSTAY_FAULT_CONTROL names says.
// Without such a file it hands out the target's own function list. A copy of it beside which there is a file
// of its name with `.control` at the end uses that one, and the module `.target`: several copies in one
// process fail apart from one another.
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/support/descriptor.h"
#include "tests/support/fault_module/control_block.h"
#include "tests/support/fault_module/fault.h"
#include "tests/support/fault_module/lane.h"
#include "tests/support/fault_module/target.h"

namespace keystay::test {

namespace {

Target* target =
    nullptr;  // set once by C_GetFunctionList, never freed: calls may come until the process ends

template <Function F>
using Tag = std::integral_constant<Function, F>;

// Set by exit(), which destroys what modules have in static objects while threads may still be in them.
constinit std::atomic<bool> ended{false};

struct EndOfModule {
  ~EndOfModule() {
    ended = true;
    if (!target) return;
    for (const FunctionControl& function : target->control().functions)
      target->control().calls_past_exit += static_cast<std::uint64_t>(function.inside.load());
  }
};
const EndOfModule end_of_module;

bool token_absent() { return target->control().token_absent.load(std::memory_order_relaxed); }

// --- What single functions do besides forwarding.
// ------------------------------------------------------------

template <Function F, typename Forward, typename... Arguments>
CK_RV answer(Tag<F>, const Forward& forward, Arguments... arguments) {
  return forward(arguments...);
}

template <typename Forward>
CK_RV answer(Tag<Function::C_GetSlotList>, const Forward& forward, CK_BBOOL present, CK_SLOT_ID* list,
             CK_ULONG* count) {
  if (present == CK_FALSE || !token_absent()) return forward(present, list, count);
  if (count == nullptr) return CKR_ARGUMENTS_BAD;
  *count = 0;
  return CKR_OK;
}

template <typename Forward>
CK_RV answer(Tag<Function::C_GetSlotInfo>, const Forward& forward, CK_SLOT_ID slot, CK_SLOT_INFO* info) {
  const CK_RV rv = forward(slot, info);
  if (rv == CKR_OK && token_absent()) info->flags &= ~CKF_TOKEN_PRESENT;
  return rv;
}

template <typename Forward>
CK_RV answer(Tag<Function::C_GetTokenInfo>, const Forward& forward, CK_SLOT_ID slot, CK_TOKEN_INFO* info) {
  if (token_absent()) return CKR_TOKEN_NOT_PRESENT;
  const CK_RV rv = forward(slot, info);
  if (rv == CKR_OK) {
    info->flags |= target->control().token_flags.load();
    if (const std::uint64_t limit = target->control().session_limit.load(); limit != 0) {
      info->ulMaxSessionCount = limit;
    }
  }
  return rv;
}

template <typename Forward>
CK_RV answer(Tag<Function::C_GetMechanismList>, const Forward& forward, CK_SLOT_ID slot,
             CK_MECHANISM_TYPE* list, CK_ULONG* count) {
  return token_absent() ? CKR_TOKEN_NOT_PRESENT : forward(slot, list, count);
}

template <typename Forward>
CK_RV answer(Tag<Function::C_GetMechanismInfo>, const Forward& forward, CK_SLOT_ID slot,
             CK_MECHANISM_TYPE type, CK_MECHANISM_INFO* info) {
  return token_absent() ? CKR_TOKEN_NOT_PRESENT : forward(slot, type, info);
}

template <typename Forward>
CK_RV answer(Tag<Function::C_OpenSession>, const Forward& forward, CK_SLOT_ID slot, CK_FLAGS flags,
             void* application, CK_NOTIFY notify, CK_SESSION_HANDLE* session) {
  if (token_absent()) return CKR_TOKEN_NOT_PRESENT;
  ControlBlock& control = target->control();
  const auto limit = static_cast<std::int64_t>(control.session_limit.load());
  if (control.open_sessions.fetch_add(1) >= limit && limit != 0) {
    --control.open_sessions;
    return CKR_SESSION_COUNT;
  }
  const CK_RV rv = forward(slot, flags, application, notify, session);
  if (rv != CKR_OK) --control.open_sessions;
  return rv;
}

template <typename Forward>
CK_RV answer(Tag<Function::C_Sign>, const Forward& forward, CK_SESSION_HANDLE session, CK_BYTE* data,
             CK_ULONG length, CK_BYTE* signature, CK_ULONG* size) {
  const CK_RV rv = forward(session, data, length, signature, size);
  if (rv == CKR_OK && signature != nullptr && target->control().signs_wrongly.load())
    signature[*size / 2] ^= 1;
  return rv;
}

template <typename Forward>
CK_RV answer(Tag<Function::C_CloseSession>, const Forward& forward, CK_SESSION_HANDLE session) {
  const CK_RV rv = forward(session);
  if (rv == CKR_OK) --target->control().open_sessions;
  return rv;
}

template <typename Forward>
CK_RV answer(Tag<Function::C_CloseAllSessions>, const Forward& forward, CK_SLOT_ID slot) {
  const CK_RV rv = forward(slot);
  if (rv == CKR_OK) target->control().open_sessions = 0;
  return rv;
}

template <typename Forward>
CK_RV answer(Tag<Function::C_Initialize>, const Forward&, void* arguments) {
  return target->initialize(arguments);
}

template <typename Forward>
CK_RV answer(Tag<Function::C_Finalize>, const Forward& forward, void* reserved) {
  const CK_RV rv = forward(reserved);
  if (rv == CKR_OK) target->control().open_sessions = 0;
  return rv;
}

// --- What a failing function leaves behind.
// ------------------------------------------------------------------

template <Function F, typename... Arguments>
void leave_behind(Tag<F>, Arguments...) {}

// "A call to C_Sign always terminates the active signing operation" (PKCS #11 v3.0, section 5.14.2).
void leave_behind(Tag<Function::C_Sign>, CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG length, CK_BYTE*,
                  CK_ULONG*) {
  if (target->control().failed_sign_stays_active.load()) return;
  std::array<CK_BYTE, 2048> signature;
  CK_ULONG size = signature.size();
  target->functions().C_Sign(session, data, length, signature.data(), &size);
}

// --- The way of every call.
// ----------------------------------------------------------------------------------

// C_Login too: SoftHSM 2.6 decrypts with one cipher, and no lock, the token's key when somebody logs in and
// the private attributes that others use. Either may fail; C_Login then says that the right PIN is incorrect.
constexpr bool passes_alone(Function f) {
  return f == Function::C_Initialize || f == Function::C_Finalize || f == Function::C_Login;
}
// Blocks until something happens to a slot; an event must not wait for that.
constexpr bool passes_outside(Function f) { return f == Function::C_WaitForSlotEvent; }

// The lock that a call of F passes the gate with.
template <Function F>
auto pass_gate() {
  if constexpr (passes_alone(F)) {
    return std::unique_lock(target->gate());
  } else if constexpr (passes_outside(F)) {
    return std::shared_lock(target->gate(), std::defer_lock);
  } else {
    return std::shared_lock(target->gate());
  }
}

template <Function F, auto Member>
struct Forwarder;

template <Function F, typename... Arguments, CK_RV (*CK_FUNCTION_LIST::*Member)(Arguments...)>
struct Forwarder<F, Member> {
  static CK_RV call(Arguments... arguments) {
    FunctionControl& function = target->control()[F];
    const CountedCall counted(function);
    if (!is_on_stack_of_thread()) ++target->control().calls_on_fibres;
    if (ended) ++target->control().calls_past_exit;
    die_if_ordered(target->control().calls_until_kill);
    if constexpr (may_write(F)) die_if_ordered(target->control().writes_until_kill);
    wait_while_held(function);
    std::optional<Lane> lane;
    if constexpr (F == Function::C_Sign) lane.emplace(target->control());
    delay(function);
    target->carry_out_events();

    const auto passed = pass_gate<F>();
    if (F != Function::C_Initialize && target->needs_initialize()) return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (const std::optional<CK_RV> rv = ordered_failure(function)) {
      leave_behind(Tag<F>{}, arguments...);
      return *rv;
    }
    const auto forward = [](Arguments... forwarded) { return (target->functions().*Member)(forwarded...); };
    return answer(Tag<F>{}, forward, arguments...);
  }
};

CK_RV function_list(CK_FUNCTION_LIST** list);

CK_FUNCTION_LIST functions{.version = {2, 40},
#define KEYSTAY_FORWARD(name) .name = Forwarder<Function::name, &CK_FUNCTION_LIST::name>::call,
                           KEYSTAY_CRYPTOKI_FUNCTIONS(KEYSTAY_FORWARD)
#undef KEYSTAY_FORWARD
};

// --- Loading.
// ------------------------------------------------------------------------------------------------

// Where this copy lies, if it has a control file of its own; else nothing.
std::optional<std::string> own_file() {
  Dl_info own{};
  if (dladdr(&target, &own) == 0 || own.dli_fname == nullptr) return std::nullopt;
  std::string file = own.dli_fname;
  return access((file + kOwnControlSuffix).c_str(), F_OK) == 0 ? std::optional(std::move(file))
                                                               : std::nullopt;
}

CK_FUNCTION_LIST* load_target(const char* path) {
  void* library = path == nullptr ? nullptr : dlopen(path, RTLD_NOW | RTLD_LOCAL);
  auto get = library == nullptr ? nullptr
                                : reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
  CK_FUNCTION_LIST* list = nullptr;
  if (get != nullptr && get(&list) == CKR_OK) return list;
  std::fprintf(stderr, "fault module: cannot load the target: %s=%s: %s\n", kFaultTargetVariable,
               path == nullptr ? "(unset)" : path, path == nullptr ? "name a PKCS #11 module" : dlerror());
  return nullptr;
}

ControlBlock* map_control(const char* path) {
  const Descriptor file(open(path, O_RDWR | O_CLOEXEC));
  void* memory = file.get() < 0
                     ? MAP_FAILED
                     : mmap(nullptr, sizeof(ControlBlock), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (memory != MAP_FAILED) return static_cast<ControlBlock*>(memory);
  std::fprintf(stderr, "fault module: cannot map the control file %s=%s\n", kFaultControlVariable, path);
  return nullptr;
}

CK_FUNCTION_LIST* load() {
  const std::optional<std::string> own = own_file();
  const std::string own_target = own.value_or("") + kOwnTargetSuffix;
  const std::string own_control = own.value_or("") + kOwnControlSuffix;
  CK_FUNCTION_LIST* real = load_target(own ? own_target.c_str() : std::getenv(kFaultTargetVariable));
  const char* control_file = own ? own_control.c_str() : std::getenv(kFaultControlVariable);
  if (real == nullptr || control_file == nullptr) return real;
  ControlBlock* control = map_control(control_file);
  if (control == nullptr) return nullptr;
  target = new Target(*real, *control);
  functions.version = real->version;
  functions.C_GetFunctionList = function_list;
  pthread_atfork(nullptr, nullptr, [] { target->after_fork(); });
  return &functions;
}

CK_RV function_list(CK_FUNCTION_LIST** list) {
  if (list == nullptr) return CKR_ARGUMENTS_BAD;
  static CK_FUNCTION_LIST* const loaded = load();
  if (loaded == nullptr) return CKR_GENERAL_ERROR;
  *list = loaded;
  return CKR_OK;
}

}  // namespace

}  // namespace keystay::test

extern "C" __attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST** list) {
  return keystay::test::function_list(list);
}
