// One loaded instance of the provider: OpenSSL's provctx. There is one for each library context that loads
// it.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "native/config/group_capability.h"
#include "native/ha/health.h"
#include "native/keys/tokens.h"
#include "native/pkcs11/fork_lock.h"
#include "native/x509/openssl_pkix.h"
#include "provider/async/signer_threads.h"
#include "provider/configuration/passphrase.h"
#include "provider/core.h"
#include "provider/software.h"

namespace keystay::provider {

class Context final {
 public:
  Context(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH* functions);
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context();

  [[nodiscard]] const Core& core() const noexcept { return core_; }
  [[nodiscard]] Software& software() noexcept { return software_; }
  [[nodiscard]] PinDialogue& pin_dialogue() noexcept { return pin_dialogue_; }

  // The tokens of keystay.toml and of openssl.cnf, which are read at the first call; a failure is not
  // remembered. Touches no module. Throws Error and config::Error.
  [[nodiscard]] keys::Tokens& tokens();

  // Reads keystay.toml again, if it was read before: tokens() are then those of the new configuration, and
  // keys that were loaded before keep theirs. Throws config::Error, and then nothing has changed.
  void reload();
  // Undoes the last reload(), once: tokens() are those from before it. Keys that were loaded since keep
  // theirs.
  void restore();

  // How the groups' members are. Touches no module.
  [[nodiscard]] std::vector<ha::GroupStatus> group_states();
  // The function that gets each change of their state from now on, instead of the system log. Once, before
  // tokens() is used.
  void listen(config::GroupNoticeFunction notice, void* argument) noexcept;

  // The threads that sign for jobs with keys of this source. They live as long as this object.
  [[nodiscard]] SignerThreads& signers(const keys::KeySource& source);

  // What each source has to do whose keys were used in jobs. Touches no module.
  struct SourceLoad {
    std::string source;  // "token web"
    SignerThreads::Load load;
    std::size_t capacity;
  };
  [[nodiscard]] std::vector<SourceLoad> loads();

 private:
  Core core_;
  Software software_;
  PinDialogue pin_dialogue_;
  [[nodiscard]] std::unique_ptr<keys::Tokens> read_tokens(const keys::Tokens* before);

  struct Listener {
    config::GroupNoticeFunction notice = nullptr;
    void* argument = nullptr;
  };

  std::atomic<keys::Tokens*> tokens_{nullptr};
  // Shared with probes that hang, which may outlive this object.
  std::shared_ptr<Listener> listener_ = std::make_shared<Listener>();
  // By reload(); other threads may be in them, and signers_ names their tokens.
  std::vector<const keys::Tokens*> replaced_ KEYSTAY_GUARDED_BY(pkcs11::fork_mutex);
  // One of them, until restore().
  keys::Tokens* before_reload_ KEYSTAY_GUARDED_BY(pkcs11::fork_mutex) = nullptr;
  std::map<const keys::KeySource*, SignerThreads> signers_ KEYSTAY_GUARDED_BY(pkcs11::fork_mutex);
};

}  // namespace keystay::provider
