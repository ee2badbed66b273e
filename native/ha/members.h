// The members of a group in one process, what is done by which, and when each is probed.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "native/config/group_settings.h"
#include "native/ha/group_makeup.h"
#include "native/ha/member.h"
#include "native/ha/prober.h"
#include "native/ha/selection.h"
#include "native/ha/versions.h"

namespace keystay::ha {

// What each member that was asked has answered, for the message when none is left.
using Answers = std::vector<std::pair<std::string, pkcs11::Error>>;

class Group;

// Thread-safe. Belongs to one process, and to the group.
class Members final {
 public:
  Members(Group& group, const GroupMakeup& makeup);
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

  [[nodiscard]] std::vector<std::shared_ptr<Member>> all() const { return roster_.read()->members; }
  [[nodiscard]] GroupStatus status();
  // Why none is in service; nothing while one is.
  [[nodiscard]] std::optional<pkcs11::Error> failure();

 private:
  // Who they are, as of one version of the configuration. An operation goes on with the one that it began
  // with.
  struct Roster {
    config::GroupSettings settings;
    std::vector<std::shared_ptr<Member>> members;
  };
  // The next one to ask, without those that were asked; nothing if there is none. `alternatives` are others
  // that could be asked after it.
  struct Choice {
    std::size_t place;
    bool alternatives;
  };
  [[nodiscard]] std::optional<Choice> choose(const Roster& roster, MemberSet asked,
                                             const pkcs11::KeyReference* key);
  [[nodiscard]] static pkcs11::Deadline attempt_deadline(const Roster& roster, const Choice& choice,
                                                         pkcs11::Deadline deadline);
  [[nodiscard]] static pkcs11::Error all_failed(const Roster& roster, const Answers& answers,
                                                MemberSet asked);

  // `before`, if there is one, has the members that go on as they are, or with other options.
  [[nodiscard]] std::unique_ptr<const Roster> make_roster(const GroupMakeup& makeup,
                                                          const Roster* before) const;
  void start_prober();
  // Of the prober's thread, or before it starts.
  Member::Clock::time_point do_what_is_due();
  void take_changes();

  Group& group_;
  Versions<Roster> roster_;
  std::atomic<std::size_t> turn_{0};
  Member::Clock::time_point next_look_{};  // at the configuration; of the prober's thread

  std::once_flag prober_started_;
  std::unique_ptr<Prober> prober_;
};

}  // namespace keystay::ha
