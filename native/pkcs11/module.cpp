#include "native/pkcs11/module.h"

#include <cstdlib>
#include <map>
#include <string>
#include <thread>

#include <dlfcn.h>

#include "native/pkcs11/error.h"
#include "native/pkcs11/fork_lock.h"
#include "native/pkcs11/module_call.h"

namespace keystay::pkcs11 {
namespace {

// The entry point of a module that is loaded for good: unloading one that has threads or atexit handlers
// crashes.
CK_C_GetFunctionList load(const std::filesystem::path& path) {
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char* reason = ::dlerror();
    throw Error(ErrorClass::server, "PKCS#11 module " + path.string() + " cannot be loaded: " +
                                        (reason ? reason : "unknown reason") + "; check `module`");
  }
  void* symbol = ::dlsym(library, "C_GetFunctionList");
  if (!symbol) {
    throw Error(ErrorClass::server,
                path.string() + " is no PKCS#11 module: it has no C_GetFunctionList; check `module`");
  }
  return reinterpret_cast<CK_C_GetFunctionList>(symbol);
}

using Modules = std::map<std::filesystem::path, std::shared_ptr<Module>>;
// Never destroyed: used by threads that outlive main.
constinit Modules* modules KEYSTAY_GUARDED_BY(fork_mutex) = nullptr;

// How long exit() waits for calls into modules.
constexpr std::chrono::milliseconds kExitLimit{500};
constinit std::atomic<bool> exiting{false};

// No HSM has more; and how often tokens may come between a count and the list.
constexpr CK_ULONG kMostSlots = 1U << 16U;
constexpr std::size_t kMostQuestions = 100;

}  // namespace

std::shared_ptr<Module> Module::at(const std::filesystem::path& path, const std::string& arguments) {
  const ForkLock lock;
  if (!modules) modules = new Modules;
  std::shared_ptr<Module>& module = (*modules)[path.lexically_normal()];
  if (!module) {
    const std::filesystem::path normal = path.lexically_normal();
    module = std::make_shared<Module>(normal, arguments, std::make_shared<LoginMemory>(normal.string()));
  }
  if (module->arguments_ != arguments) {
    throw Error(ErrorClass::client, "PKCS#11 module " + path.string() +
                                        " has other arguments in this process already, and starts only once; "
                                        "write the same `module-arguments` everywhere");
  }
  return module;
}

Module::Module(std::filesystem::path path, std::string arguments, std::shared_ptr<LoginMemory> logins)
    : path_(std::move(path)),
      arguments_(std::move(arguments)),
      list_([this]() -> CK_FUNCTION_LIST& {
        CK_FUNCTION_LIST* functions = nullptr;
        check(load(path_)(&functions), "C_GetFunctionList");
        return *functions;
      }),
      logins_(logins ? std::move(logins) : std::make_shared<LoginMemory>()),
      state_([] { return std::make_unique<State>(); }) {}

Module::Module(std::string name, FunctionList functions, std::shared_ptr<LoginMemory> logins)
    : path_(std::move(name)),
      list_(std::move(functions)),
      logins_(std::move(logins)),
      state_([] { return std::make_unique<State>(); }) {}

std::optional<Module::Use> Module::try_use() noexcept {
  State& state = state_.get();
  // Sequentially consistent, against the opposite order in reinitialize(): either it sees this use or we see
  // it.
  state.uses.fetch_add(1, std::memory_order_seq_cst);
  std::optional<Use> use(std::in_place, state.uses);
  if (state.closing.load(std::memory_order_seq_cst) || exiting.load(std::memory_order_seq_cst)) [[unlikely]]
    use.reset();
  return use;
}

Module::Use Module::use() {
  if (std::optional<Use> use = try_use()) [[likely]]
    return *std::move(use);
  if (exiting.load(std::memory_order_relaxed)) throw Error(ErrorClass::host, "this process is exiting");
  throw Error(ErrorClass::session_lost, "PKCS#11 module " + path_.string() + " is being re-initialised");
}

// What was registered later is destroyed earlier: this runs before the destructors of what the module had
// when it was initialised.
void Module::end_uses() noexcept {
  if (exiting.exchange(true, std::memory_order_seq_cst))
    return;  // the first of several waited for all modules
  const auto limit = std::chrono::steady_clock::now() + kExitLimit;
  const ForkLock lock;
  if (!modules) return;
  for (const auto& [path, module] : *modules) {
    State& state = module->state_.get();
    while (state.uses.load(std::memory_order_seq_cst) > 0 && std::chrono::steady_clock::now() < limit)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

Module::Use Module::begin_copy() {
  std::atomic<int>& copies = state_.get().copies;
  copies.fetch_add(1, std::memory_order_relaxed);
  return Use(copies);
}

bool Module::copying() { return state_.get().copies.load(std::memory_order_acquire) > 0; }

std::uint64_t Module::generation() { return state_.get().generation.load(std::memory_order_acquire); }

CK_FUNCTION_LIST& Module::functions(Deadline deadline) {
  State& state = state_.get();
  while (!state.functions.load(std::memory_order_acquire)) {
    state.starting.run(deadline, [&] {
      if (!state.functions.load(std::memory_order_acquire)) initialize(state);
    });
  }
  return *state.functions.load(std::memory_order_acquire);
}

void Module::initialize(State& state) {
  state.uses.fetch_add(1, std::memory_order_seq_cst);
  const Use use(state.uses);
  if (exiting.load(std::memory_order_seq_cst)) throw Error(ErrorClass::host, "this process is exiting");
  CK_FUNCTION_LIST& functions = list_();
  const CK_RV rv = call_initialize(functions);
  state.foreign = rv == CKR_CRYPTOKI_ALREADY_INITIALIZED;
  if (!state.foreign) check(rv, "C_Initialize");
  if (state.generation.fetch_add(1, std::memory_order_acq_rel) == 0)
    static_cast<void>(std::atexit([] { end_uses(); }));
  state.functions.store(&functions, std::memory_order_release);
}

CK_RV Module::call_initialize(CK_FUNCTION_LIST& functions) {
  // No mutex callbacks: the system's locks, as every module supports them.
  CK_C_INITIALIZE_ARGS arguments{};
  arguments.flags = CKF_OS_LOCKING_OK;
  if (!arguments_.empty()) arguments.pReserved = arguments_.data();
  const CK_RV rv = ModuleCall(functions)->C_Initialize(&arguments);
  if (rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED) return rv;
  // Without the arguments, which may hold a secret.
  const std::string message = "C_Initialize: " + describe(rv) + "; PKCS#11 module " + path_.string();
  if (!arguments_.empty()) throw Error(rv, message + " does not start with its `module-arguments`");
  if (rv == CKR_ARGUMENTS_BAD) throw Error(rv, message + " wants arguments: write its `module-arguments`");
  return rv;
}

void Module::reinitialize(std::uint64_t seen, Deadline deadline) {
  State& state = state_.get();
  state.starting.run(deadline, [&] {
    if (state.generation.load(std::memory_order_acquire) != seen) return;
    struct Closing {
      std::atomic<bool>& closing;
      ~Closing() { closing.store(false, std::memory_order_seq_cst); }
    } closing{state.closing};
    state.closing.store(true, std::memory_order_seq_cst);
    wait_until_unused(state, deadline);
    if (CK_FUNCTION_LIST* functions = state.functions.load(std::memory_order_acquire);
        functions && !state.foreign) {
      const CK_RV rv = ModuleCall(*functions)->C_Finalize(nullptr);
      if (rv != CKR_CRYPTOKI_NOT_INITIALIZED) check(rv, "C_Finalize");
    }
    state.functions.store(nullptr, std::memory_order_release);
    initialize(state);
  });
}

void Module::wait_until_unused(State& state, Deadline deadline) const {
  while (state.uses.load(std::memory_order_seq_cst) > 0) {
    if (std::chrono::steady_clock::now() >= deadline) {
      throw Error(ErrorClass::server, "PKCS#11 module " + path_.string() +
                                          " cannot be re-initialised while a call in it does not return");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

std::vector<CK_SLOT_ID> Module::slots_with_token(Deadline deadline) {
  CK_FUNCTION_LIST& list = functions(deadline);
  std::vector<CK_SLOT_ID> slots;
  std::size_t questions = 0;
  CK_RV rv = CKR_BUFFER_TOO_SMALL;
  while (rv == CKR_BUFFER_TOO_SMALL) {  // a token may come between the two calls
    CK_ULONG count = 0;
    check(ModuleCall(list)->C_GetSlotList(CK_TRUE, nullptr, &count), "C_GetSlotList");
    if (count > kMostSlots || ++questions > kMostQuestions)
      throw Error(ErrorClass::server,
                  "C_GetSlotList: " + path_.string() + " does not say how many slots it has");
    slots.resize(count);
    rv = count > 0 ? ModuleCall(list)->C_GetSlotList(CK_TRUE, slots.data(), &count) : CKR_OK;
    slots.resize(count);
  }
  check(rv, "C_GetSlotList");
  return slots;
}

}  // namespace keystay::pkcs11
