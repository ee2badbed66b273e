// The members of a group in one process, and the thread that probes them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "native/config/group_settings.h"
#include "native/ha/member.h"
#include "native/ha/selection.h"

namespace keystay::ha {

// What each member that was asked has answered, for the message when none is left.
using Answers = std::vector<std::pair<std::string, pkcs11::Error>>;

// Thread-safe. Belongs to one process.
class Members final {
 public:
  Members(std::string group, const config::GroupSettings& settings,
          std::vector<std::shared_ptr<Member>> members);
  ~Members();  // stops the probes

  // Has the operation performed by the best member; what fails there goes on to the next, as long as there is
  // one and time. Throws Error: the answer of the member that says the request is wrong, or what each member
  // said.
  std::size_t perform(const Request& request, pkcs11::Deadline deadline);
  // The same for reading: `body` runs with one member and the deadline of this attempt, and with the next one
  // where it returns false, or the member fails; in their order. False if it did for all members. Throws
  // Error that says what each said where one failed, or could not be asked: what was not seen is not absent.
  using Body = std::function<bool(Member&, pkcs11::Deadline)>;
  bool use(const Body& body, pkcs11::Deadline deadline);
  // Whether all members in service do; one that cannot be asked has no say. Throws Error if none can.
  [[nodiscard]] bool supports(const pkcs11::Operation& operation, pkcs11::Deadline deadline);

  [[nodiscard]] std::span<const std::shared_ptr<Member>> all() const noexcept { return members_; }
  [[nodiscard]] GroupStatus status();
  // Why none is in service; nothing while one is.
  [[nodiscard]] std::optional<pkcs11::Error> failure();

 private:
  // The next one to ask, without those that were asked; nothing if there is none. `alternatives` are others
  // that could be asked after it.
  struct Choice {
    std::size_t place;
    bool alternatives;
  };
  [[nodiscard]] std::optional<Choice> choose(MemberSet asked, const pkcs11::KeyReference* key);
  [[nodiscard]] pkcs11::Deadline attempt_deadline(const Choice& choice, pkcs11::Deadline deadline) const;
  [[nodiscard]] pkcs11::Error all_failed(const Answers& answers, MemberSet asked);
  void start_prober();

  const std::string group_;
  const config::GroupSettings& settings_;
  const std::vector<std::shared_ptr<Member>> members_;
  std::atomic<std::size_t> turn_{0};

  class Prober;
  std::once_flag prober_started_;
  std::unique_ptr<Prober> prober_;
};

}  // namespace keystay::ha
