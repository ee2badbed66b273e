// Random bytes of the operating system, for PKCS #11 modules that ask libcrypto for some in the middle of a
// call. They would have had no others without this provider's random generator.
#pragma once

#include <cstdint>
#include <span>

namespace keystay::provider {

// getrandom(2). Throws std::system_error.
void fill_from_system(std::span<std::uint8_t> out);

// Decides that RAND_bytes uses libcrypto's generators. As long as nobody has, a module may make an engine the
// source of all random numbers of the process: SoftHSM does so with `rdrand` where libcrypto has that.
void keep_engines_from_generating() noexcept;

// libcrypto asks a seed source with locks held that RAND_bytes takes too. While one of these lives,
// RAND_bytes and RAND_priv_bytes do not go there from a thread that is in a module, but to the operating
// system. Other threads notice nothing of it in the default library context. Does nothing where the
// application has a RAND_METHOD of its own.
class SystemEntropyForModules final {
 public:
  SystemEntropyForModules();
  SystemEntropyForModules(const SystemEntropyForModules&) = delete;
  SystemEntropyForModules& operator=(const SystemEntropyForModules&) = delete;
  ~SystemEntropyForModules();
};

}  // namespace keystay::provider
