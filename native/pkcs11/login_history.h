// What a process remembers of its logins at the tokens of one module.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "native/pkcs11/login_record.h"
#include "native/pkcs11/mutex.h"
#include "native/pkcs11/per_process.h"
#include "native/pkcs11/pin.h"
#include "native/pkcs11/pin_digest.h"
#include "native/pkcs11/single_flight.h"

namespace keystay::pkcs11 {

// One token's: shared by all Token objects that a process has of it, and its record by the processes that
// share the table, so that together they try a wrong PIN once, and one of which the token says nothing hardly
// ever.
class LoginHistory final {
 public:
  // `name` is what tells the token from all others of the table.
  LoginHistory(LoginTable& table, std::string_view name);

  SingleFlight attempt;  // one login of this process at a time
  LoginRecord& record;

  [[nodiscard]] PinDigest digest(const Pin& pin) const noexcept;

 private:
  SipHashKey key_;
};

// Thread-safe.
class LoginHistories final {
 public:
  // `scope` tells tokens of the same label and serialNumber apart that are reached otherwise.
  LoginHistories(LoginTable& table, std::string scope) noexcept : table_(table), scope_(std::move(scope)) {}

  // Of the token with this CK_TOKEN_INFO.label and serialNumber; lives as long as this object.
  [[nodiscard]] LoginHistory& of(const std::string& label, const std::string& serial) {
    const MutexLock lock(mutex_);
    const std::string name = scope_ + '\0' + label + '\0' + serial;
    return histories_.try_emplace(name, table_, name).first->second;
  }

 private:
  LoginTable& table_;
  std::string scope_;
  Mutex mutex_;
  std::map<std::string, LoginHistory> histories_ KEYSTAY_GUARDED_BY(mutex_);
};

// What a process remembers so for as long as it runs, its record past a fork. Several modules share one where
// they lead to the same tokens: the connections to one on another machine.
class LoginMemory final {
 public:
  // In the table of this process and of those that it forks. `scope`: the module's path, or what else leads
  // to the tokens. Throws Error (host) at its use.
  explicit LoginMemory(std::string scope)
      : histories_([scope = std::move(scope)] {
          return std::make_unique<LoginHistories>(LoginTable::of_process_tree(), scope);
        }) {}
  // In a table of its own, which children share. Throws Error (host).
  LoginMemory()
      : own_(std::make_unique<LoginTable>()),
        histories_([this] { return std::make_unique<LoginHistories>(*own_, std::string()); }) {}

  [[nodiscard]] LoginHistories& histories() { return histories_.get(); }

 private:
  std::unique_ptr<LoginTable> own_;
  PerProcess<LoginHistories> histories_;
};

}  // namespace keystay::pkcs11
