// A token on another machine, beside the same token by p11-kit alone and by its own module.
#pragma once

namespace keystay::bench {

// Prints signatures of 1, 8 and 32 threads: by the module in this process; by p11-kit's client module on the
// socket of `p11-kit server`, with a connection for each thread; by Keystay on that socket; and by Keystay
// through mutual TLS, with keystay-relay and keystay-tlsd. Without p11-kit's client there is no peer, and
// this throws std::runtime_error.
void measure_remote();

}  // namespace keystay::bench
