// The contract by which an application that has the provider in its own process tells it that keystay.toml
// has changed. The provider announces it as a capability (provider-base(7), OSSL_PROVIDER_get_capabilities).
#pragma once

namespace keystay::config {

// The capability's name, and its two parameters: OSSL_PARAM_OCTET_PTRs that hold a ReloadFunction and the
// pointer to call it with.
inline constexpr char kReloadCapability[] = "KEYSTAY-RELOAD";
inline constexpr char kReloadParameter[] = "reload";
inline constexpr char kReloadArgumentParameter[] = "argument";

extern "C" {
// Reads the configuration again. Keys that are loaded from now on use the tokens as it describes them; keys
// that were loaded before keep theirs, and so does a token whose settings are as they were. Returns 1, or 0
// with the reason on the error queue, and then nothing has changed. From any thread; no module is called.
using ReloadFunction = int (*)(void* argument);
}

}  // namespace keystay::config
