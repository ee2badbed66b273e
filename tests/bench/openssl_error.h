// A libcrypto call that must succeed.
#pragma once

namespace keystay::bench {

// Throws std::runtime_error that names the call and says what OpenSSL's error queue says.
void require(bool success, const char* call);

}  // namespace keystay::bench
