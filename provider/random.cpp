#include <cerrno>
#include <optional>
#include <span>
#include <string>
#include <system_error>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <sys/random.h>

#include "native/pkcs11/inside_module.h"
#include "native/x509/error_mark.h"
#include "provider/async/outside_of_jobs.h"
#include "provider/context.h"
#include "provider/dispatch.h"
#include "provider/guard.h"
#include "provider/key/key_type.h"
#include "provider/operations.h"
#include "provider/process_exit.h"

namespace keystay::provider {
namespace {

constexpr unsigned kStrength = 256;  // bits: the most that libcrypto's generators ask of a parent
// What a token may be asked for at once: PKCS #11 sets no limit, modules do.
constexpr std::size_t kMaxRequest = 1024;

// What a module that uses libcrypto would have had without this generator. Throws std::system_error.
void fill_from_system(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got >= 0) {
      out = out.subspan(static_cast<std::size_t>(got));
    } else if (errno != EINTR) {
      throw std::system_error(errno, std::generic_category(), "getrandom");
    }
  }
}

// What an EVP_RAND_CTX holds. It has nothing that could be locked or reseeded: threads and forked children
// share the token as they do for keys.
class Random final {
 public:
  explicit Random(Context& context) noexcept : context_(context) {}

  [[nodiscard]] const Core& core() const noexcept { return context_.core(); }
  [[nodiscard]] int state() const noexcept { return state_; }
  void set_state(int state) noexcept { state_ = state; }

  // False, with the reason on the error queue, where the token gives none. Throws Error for what the token is
  // not asked for at all.
  [[nodiscard]] bool generate(std::span<std::uint8_t> out) {
    require_ready();
    if (!pkcs11::InsideModule::now()) return fill_from_token(out);
    fill_from_system(out);
    return true;
  }

 private:
  void require_ready() const {
    if (state_ != EVP_RAND_STATE_READY)
      throw Error(Reason::internal, "random bytes of the token: the generator is not instantiated");
    if (process_is_exiting())
      throw Error(Reason::token_unavailable, "random bytes of the token: the process is ending");
  }

  // In a job the thread waits: libcrypto does not expect a pause from a generator.
  [[nodiscard]] bool fill_from_token(std::span<std::uint8_t> out) {
    const std::optional<Failure> failure = outside_of_jobs([&] { return ask_token(out); });
    if (failure) core().raise(failure->reason, ("random bytes of the token: " + failure->message).c_str());
    return !failure;
  }

  [[nodiscard]] std::optional<Failure> ask_token(std::span<std::uint8_t> out) noexcept {
    const x509::ErrorMark errors_of_the_module;
    try {
      context_.tokens().locate("").source->generate_random(out);
      return std::nullopt;
    } catch (...) {
      return current_failure();
    }
  }

  Context& context_;
  int state_ = EVP_RAND_STATE_UNINITIALISED;
};

Random& random_of(void* ctx) noexcept { return *static_cast<Random*>(ctx); }

void require_strength(unsigned strength) {
  if (strength > kStrength)
    throw Error(Reason::unsupported, "random bytes of the token: " + std::to_string(strength) +
                                         " bits of strength are asked for, and there are " +
                                         std::to_string(kStrength));
}

// A parent, which libcrypto gives to `random = KEYSTAY-RAND`, is not needed.
void* newctx(void* provctx, void* /*parent*/, const OSSL_DISPATCH* /*parent_functions*/) noexcept {
  auto& context = *static_cast<Context*>(provctx);
  return guard(context.core(), [&] { return static_cast<void*>(new Random(context)); });
}

void freectx(void* ctx) noexcept { delete static_cast<Random*>(ctx); }

// Asks for no token: libcrypto has locks held.
int instantiate(void* ctx, unsigned strength, int /*prediction_resistance*/, const unsigned char* /*pstr*/,
                std::size_t /*pstr_size*/, const OSSL_PARAM /*params*/[]) noexcept {
  return guard(random_of(ctx).core(), [&] {
    require_strength(strength);
    random_of(ctx).set_state(EVP_RAND_STATE_READY);
  });
}

int uninstantiate(void* ctx) noexcept {
  random_of(ctx).set_state(EVP_RAND_STATE_UNINITIALISED);
  return 1;
}

int generate(void* ctx, unsigned char* out, std::size_t size, unsigned strength,
             int /*prediction_resistance*/, const unsigned char* /*additional*/,
             std::size_t /*additional_size*/) noexcept {
  return guard(random_of(ctx).core(), [&] {
    require_strength(strength);
    return random_of(ctx).generate({out, size}) ? 1 : 0;
  });
}

// Ignored, as Java's TokenSecureRandomSpi does: what a token makes of a seed, nobody knows.
int reseed(void* /*ctx*/, int /*prediction_resistance*/, const unsigned char* /*entropy*/,
           std::size_t /*entropy_size*/, const unsigned char* /*additional*/,
           std::size_t /*additional_size*/) noexcept {
  return 1;
}

// `seed = KEYSTAY-RAND` of openssl.cnf. libcrypto holds the lock of its generator while it fetches a seed,
// and a module that uses libcrypto wants that lock in the middle of a call: two threads could wait for each
// other. Said at each fetch, because libcrypto silently takes the operating system's seed where a source
// cannot be had at all (RAND_get0_primary).
std::size_t get_seed(void* ctx, unsigned char** /*seed*/, int /*entropy*/, std::size_t /*least*/,
                     std::size_t /*most*/, int /*prediction_resistance*/, const unsigned char* /*additional*/,
                     std::size_t /*additional_size*/) noexcept {
  return guard(random_of(ctx).core(), []() -> std::size_t {
    throw Error(
        Reason::unsupported,
        "random bytes of the token: KEYSTAY-RAND seeds no other generator; in the section of `random` in "
        "openssl.cnf, write \"random = KEYSTAY-RAND\" instead of \"seed = KEYSTAY-RAND\"");
  });
}

const OSSL_PARAM* gettable_ctx_params(void* /*ctx*/, void* /*provctx*/) noexcept {
  static const OSSL_PARAM params[] = {
      OSSL_PARAM_int(OSSL_RAND_PARAM_STATE, nullptr), OSSL_PARAM_uint(OSSL_RAND_PARAM_STRENGTH, nullptr),
      OSSL_PARAM_size_t(OSSL_RAND_PARAM_MAX_REQUEST, nullptr), OSSL_PARAM_END};
  return params;
}

int get_ctx_params(void* ctx, OSSL_PARAM params[]) noexcept {
  OSSL_PARAM* state = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STATE);
  OSSL_PARAM* strength = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STRENGTH);
  OSSL_PARAM* most = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_MAX_REQUEST);
  return (!state || OSSL_PARAM_set_int(state, random_of(ctx).state()) == 1) &&
                 (!strength || OSSL_PARAM_set_uint(strength, kStrength) == 1) &&
                 (!most || OSSL_PARAM_set_size_t(most, kMaxRequest) == 1)
             ? 1
             : 0;
}

// Threads may share it as it is.
int enable_locking(void* /*ctx*/) noexcept { return 1; }
int lock(void* /*ctx*/) noexcept { return 1; }
void unlock(void* /*ctx*/) noexcept {}

// Nothing of what was given out is kept.
int verify_zeroization(void* /*ctx*/) noexcept { return 1; }

const OSSL_DISPATCH* functions() {
  static const OSSL_DISPATCH table[] = {
      entry<OSSL_FUNC_rand_newctx_fn>(OSSL_FUNC_RAND_NEWCTX, newctx),
      entry<OSSL_FUNC_rand_freectx_fn>(OSSL_FUNC_RAND_FREECTX, freectx),
      entry<OSSL_FUNC_rand_instantiate_fn>(OSSL_FUNC_RAND_INSTANTIATE, instantiate),
      entry<OSSL_FUNC_rand_uninstantiate_fn>(OSSL_FUNC_RAND_UNINSTANTIATE, uninstantiate),
      entry<OSSL_FUNC_rand_generate_fn>(OSSL_FUNC_RAND_GENERATE, generate),
      entry<OSSL_FUNC_rand_reseed_fn>(OSSL_FUNC_RAND_RESEED, reseed),
      entry<OSSL_FUNC_rand_get_seed_fn>(OSSL_FUNC_RAND_GET_SEED, get_seed),
      entry<OSSL_FUNC_rand_enable_locking_fn>(OSSL_FUNC_RAND_ENABLE_LOCKING, enable_locking),
      entry<OSSL_FUNC_rand_lock_fn>(OSSL_FUNC_RAND_LOCK, lock),
      entry<OSSL_FUNC_rand_unlock_fn>(OSSL_FUNC_RAND_UNLOCK, unlock),
      entry<OSSL_FUNC_rand_gettable_ctx_params_fn>(OSSL_FUNC_RAND_GETTABLE_CTX_PARAMS, gettable_ctx_params),
      entry<OSSL_FUNC_rand_get_ctx_params_fn>(OSSL_FUNC_RAND_GET_CTX_PARAMS, get_ctx_params),
      entry<OSSL_FUNC_rand_verify_zeroization_fn>(OSSL_FUNC_RAND_VERIFY_ZEROIZATION, verify_zeroization),
      kEndOfDispatch,
  };
  return table;
}

}  // namespace

const OSSL_ALGORITHM* random_algorithms() noexcept {
  static const OSSL_ALGORITHM algorithms[] = {
      {"KEYSTAY-RAND", kProperties, functions(), "random bytes of the default token"},
      {nullptr, nullptr, nullptr, nullptr},
  };
  return algorithms;
}

}  // namespace keystay::provider
