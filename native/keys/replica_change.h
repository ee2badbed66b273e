// One change on several tokens (replicas.h): what became of it on each, and how a key comes from one to
// another.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "native/keys/replication.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/session.h"

namespace keystay::keys {

// What became of one change on several tokens.
class Outcome final {
 public:
  // Runs `body`, and notes how it ends on the token of this name. Whether it went well.
  template <typename Body>
  bool note(const std::string& name, const Body& body) {
    try {
      body();
      add(done_, name);
      return true;
    } catch (const pkcs11::Error& error) {
      if (!error_class_) error_class_ = error.error_class();
      add(failed_, name + ": " + error.what());
      return false;
    }
  }

  [[nodiscard]] bool all_well() const noexcept { return !error_class_; }
  [[nodiscard]] const std::string& failed() const noexcept { return failed_; }
  // Rather than that something was out of order.
  [[nodiscard]] bool was_refused() const noexcept { return error_class_ == pkcs11::ErrorClass::client; }
  [[nodiscard]] pkcs11::Error error(const std::string& what) const {
    return {error_class_.value_or(pkcs11::ErrorClass::server), what};
  }
  // Throws what failed where, and where it is done.
  void require_all(const char* remedy) const {
    if (all_well()) return;
    throw error((done_.empty() ? "nowhere done; " : "done on " + done_ + "; ") + failed_ + "; " + remedy);
  }

 private:
  static void add(std::string& list, const std::string& item) { list += (list.empty() ? "" : "; ") + item; }

  std::optional<pkcs11::ErrorClass> error_class_;
  std::string done_;
  std::string failed_;
};

// What else there is to do, for the end of a message.
inline constexpr char kOtherWays[] =
    "; if the members cannot agree on this kind of key, choose another one, have another member make it "
    "(keystay group "
    "promote), or bring it to each by the means of its vendor";

// The secret key with this label. Throws Error (client) unless there is one.
[[nodiscard]] CK_OBJECT_HANDLE find_wrapping_key(pkcs11::Session& session, std::string_view label);

// By which keys are wrapped, in the order of preference.
[[nodiscard]] std::vector<CK_MECHANISM_TYPE> mechanisms_of(const WrappingKey& key);
// What one token has wrapped by RFC 5649 another one may know by the other number: CKM_AES_KEY_WRAP_PAD is
// RFC 5649 in SoftHSM, as PKCS #11 v2.40 has it, and in NSS an older padding, with CKM_AES_KEY_WRAP_KWP for
// RFC 5649. The check value tells which one it is.
[[nodiscard]] std::vector<CK_MECHANISM_TYPE> unwrapping_mechanisms(CK_MECHANISM_TYPE wrapped_by);
[[nodiscard]] bool wants_another_mechanism(const pkcs11::Error& error);

// Returns the mechanism with which `body` does not throw. If there is none, throws what the token said of one
// that it knows.
template <typename Body>
CK_MECHANISM_TYPE first_that_works(const std::vector<CK_MECHANISM_TYPE>& mechanisms, const Body& body) {
  std::optional<pkcs11::Error> told;
  for (const CK_MECHANISM_TYPE mechanism : mechanisms) {
    try {
      body(mechanism);
      return mechanism;
    } catch (const pkcs11::Error& error) {
      if (!wants_another_mechanism(error)) throw;
      if (!told || told->code() == CKR_MECHANISM_INVALID) told = error;
    }
  }
  throw pkcs11::Error(*told);
}

}  // namespace keystay::keys
