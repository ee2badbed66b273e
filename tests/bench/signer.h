// One thread's way to sign one message with one key.
#pragma once

#include <cstddef>

namespace keystay::bench {

class Signer {
 public:
  Signer() = default;
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;
  virtual ~Signer() = default;

  // Signs message() once more and returns the length of the signature. Throws if it fails.
  virtual std::size_t sign() = 0;
};

}  // namespace keystay::bench
