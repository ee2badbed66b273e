// A PKCS #11 module: the shared library that speaks for the HSM (PKCS #11 v3.0, sections 5.2 and 5.4).
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "native/pkcs11/cryptoki.h"
#include "native/pkcs11/login_history.h"
#include "native/pkcs11/per_process.h"
#include "native/pkcs11/single_flight.h"

namespace keystay::pkcs11 {

// Loaded and initialised at the first use in each process, with CKF_OS_LOCKING_OK and always the same
// arguments; never finalised at exit, because the libraries below a module may be gone by then. Nor does a
// thread go into it any more once exit() destroys what belongs to it: exit() waits a moment for those that
// are in it, and every use fails from then on. Thread-safe.
class Module final {
 public:
  // The module of this path: one object per path and process, alive until the process ends. Touches no file.
  // `arguments` is the text that CK_C_INITIALIZE_ARGS.pReserved points to (NSS: LibraryParameters), for the
  // few modules that have a use for it; empty: a null pointer, as section 5.4 wants it. Throws Error (client)
  // where the module is known with other arguments: it starts once.
  [[nodiscard]] static std::shared_ptr<Module> at(const std::filesystem::path& path,
                                                  const std::string& arguments = {});

  // Without `logins`: with a memory of logins of its own.
  explicit Module(std::filesystem::path path, std::string arguments = {},
                  std::shared_ptr<LoginMemory> logins = nullptr);

  // One that is no library: `functions` gives its list, each time that it is to be initialised. `name` stands
  // in messages where a path would. What is known of logins is shared by all modules with this memory.
  using FunctionList = std::function<CK_FUNCTION_LIST&()>;
  Module(std::string name, FunctionList functions, std::shared_ptr<LoginMemory> logins);

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  // A time in which the module stays initialised: sessions hold one while they are used.
  class Use final {
   public:
    explicit Use(std::atomic<int>& count) noexcept : count_(&count) {}
    Use(Use&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
    Use& operator=(Use&&) = delete;
    ~Use() {
      if (count_) count_->fetch_sub(1, std::memory_order_release);
    }

   private:
    std::atomic<int>* count_;
  };

  // Nothing, and an Error (session lost), while the module is being re-initialised; and an Error (host) once
  // the process exits. The holder of a use must not wait for a repair: that waits until no use is left.
  [[nodiscard]] std::optional<Use> try_use() noexcept;
  [[nodiscard]] Use use();

  // Held during C_CopyObject: until it returns, other sessions may see a copy that is not finished.
  [[nodiscard]] Use begin_copy();
  [[nodiscard]] bool copying();

  // The initialised module's functions. Throws Error (server) that names the path if it cannot be loaded.
  [[nodiscard]] CK_FUNCTION_LIST& functions(Deadline deadline);

  // Counts initialisations in this process; zero before the first. Handles of another generation are dead.
  [[nodiscard]] std::uint64_t generation();

  // C_Finalize, unless the module says that it is not initialised, and C_Initialize, if the generation is
  // still `seen`: many tokens and threads may ask, one does it. Waits until no use is left. Throws
  // Error.
  void reinitialize(std::uint64_t seen, Deadline deadline);

  // What is remembered of logins at the module's tokens, also past a re-initialisation, and together with the
  // processes that were forked from this one or with it.
  [[nodiscard]] LoginHistories& logins() { return logins_->histories(); }

  // The slots that hold a token now.
  [[nodiscard]] std::vector<CK_SLOT_ID> slots_with_token(Deadline deadline);

 private:
  struct State {
    SingleFlight starting;
    std::atomic<CK_FUNCTION_LIST*> functions{nullptr};
    std::atomic<std::uint64_t> generation{0};
    std::atomic<int> uses{0};
    std::atomic<int> copies{0};
    std::atomic<bool> closing{false};
    bool foreign = false;  // other code in this process had initialised it: not ours to finalise
  };

  static void end_uses() noexcept;  // std::atexit
  void initialize(State& state);
  [[nodiscard]] CK_RV call_initialize(CK_FUNCTION_LIST& functions);
  void wait_until_unused(State& state, Deadline deadline) const;

  std::filesystem::path path_;
  std::string arguments_;  // may hold a secret: in no message
  FunctionList list_;
  std::shared_ptr<LoginMemory> logins_;
  PerProcess<State> state_;
};

}  // namespace keystay::pkcs11
