// What is left to a process that ends, and whether it does.
#pragma once

namespace keystay::provider {

// True once exit() has destroyed the static objects of whatever was loaded after this provider: the PKCS #11
// modules. libcrypto unloads its providers later than that (OPENSSL_cleanup was registered before this
// provider was loaded), so that a provider that is unloaded by exit() must not call a module any more.
[[nodiscard]] bool process_is_exiting() noexcept;

// Keeps an object for the rest of the process, where a leak checker sees that it is kept on purpose.
void leave_to_process(const void* object) noexcept;

}  // namespace keystay::provider
