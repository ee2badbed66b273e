// The contract by which an application that drives OpenSSL's asynchronous jobs gives up an operation that its
// HSM still works on. The provider announces it as a capability (provider-base(7),
// OSSL_PROVIDER_get_capabilities); tlsd asks for it at start.
#pragma once

namespace keystay::async {

// The capability's name, and its one parameter: an OSSL_PARAM_OCTET_PTR that holds an AbandonFunction.
inline constexpr char kCapability[] = "KEYSTAY-ASYNC";
inline constexpr char kAbandonParameter[] = "abandon";

extern "C" {
// Re-enters the paused job, by repeating the call that reported SSL_ERROR_WANT_ASYNC.
using ResumeFunction = int (*)(void* argument) noexcept;

// Runs `resume(argument)` on the calling thread, which must be the one that started the job, and returns its
// result. The operation that the job waits for fails at once, so that the fibre unwinds and the SSL object
// may be freed; a call that the HSM has already begun ends later, on its signer thread, and its result is
// dropped.
using AbandonFunction = int (*)(ResumeFunction resume, void* argument) noexcept;
}

}  // namespace keystay::async
