// Asks an OCSP responder over HTTP (RFC 6960, appendix A.1).
#pragma once

#include <string>
#include <vector>

#include "tlsd/execution.h"

namespace keystay::tlsd {

struct OcspAnswer {
  std::vector<unsigned char> der;
  std::string failure;  // empty: there is an answer, which nobody has verified
};

// One attempt, by POST, in 10 s at most; of the answer 64 KiB at most. `responder` is a URI with http://.
// Throws nothing but bad_alloc.
[[nodiscard]] awaitable<OcspAnswer> fetch_ocsp(Executor executor, std::string responder,
                                               std::vector<unsigned char> request);

}  // namespace keystay::tlsd
