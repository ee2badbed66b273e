// The contract by which an application that has the provider in its own process tells it that keystay.toml
// has changed. The provider announces it as a capability (provider-base(7), OSSL_PROVIDER_get_capabilities).
#pragma once

namespace keystay::config {

// The capability's name, and its four parameters: OSSL_PARAM_OCTET_PTRs that hold three ReloadFunctions and
// the pointer to call them with.
inline constexpr char kReloadCapability[] = "KEYSTAY-RELOAD";
inline constexpr char kReloadParameter[] = "reload";
inline constexpr char kCheckParameter[] = "check";
inline constexpr char kRestoreParameter[] = "restore";
inline constexpr char kReloadArgumentParameter[] = "argument";

extern "C" {
// `reload` reads the configuration again. Keys that are loaded from now on use the tokens as it describes
// them; keys that were loaded before keep theirs, and so does a token whose settings are as they were.
// `check`, when the keys were loaded and used: whether a process that starts now could log in to the tokens
// that were used since the last reload, as this one is logged in from before. The PIN of each is read where
// the configuration says, and not tried. Nobody is asked for one.
// `restore` undoes the last reload, where the application finds that it cannot use what it brought: keys that
// are loaded from now on use the tokens as they were before it. Once for each reload; without one it does
// nothing.
// Each returns 1, or 0 with the reason on the error queue, and then nothing has changed. From any thread;
// `check` alone calls modules.
using ReloadFunction = int (*)(void* argument) noexcept;
}

}  // namespace keystay::config
