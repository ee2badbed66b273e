// A group of tokens that hold the same keys, used like one token.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "native/ha/followed_file.h"
#include "native/ha/group_makeup.h"
#include "native/ha/members.h"
#include "native/pkcs11/fork_lock.h"
#include "native/pkcs11/key_operations.h"
#include "native/pkcs11/per_process.h"

namespace keystay::ha {

// Works with its members in any process: health and threads are a process's own, and made anew after a fork.
// Nothing touches a module before the first operation. Thread-safe.
//
// An operation goes to the member that best_of() chooses. One that fails by what is not the request's fault
// is performed once on each other member in service, within its deadline; see Consequence for what becomes of
// the member. A call that does not return is left on its thread after attempt_timeout.
//
// Members come and go with the file that it follows; a key that is loaded uses those of the moment.
class Group final : public pkcs11::KeyOperations {
 public:
  // `file`, if there is one, is followed by each process that uses the group.
  Group(std::string name, GroupMakeup makeup, std::unique_ptr<FollowedFile> file, Notice notice,
        Verifier verifier);

  std::size_t perform(const pkcs11::KeyReference& key, const pkcs11::Operation& operation,
                      pkcs11::ByteView data, std::span<std::uint8_t> result,
                      pkcs11::Deadline deadline) override;
  // Whether all members in service do; one that cannot be asked has no say.
  [[nodiscard]] bool supports(const pkcs11::Operation& operation) override;
  [[nodiscard]] pkcs11::Deadline deadline() const override;
  [[nodiscard]] pkcs11::HungCalls hung_calls() const override;
  [[nodiscard]] bool on_several_tokens() const override { return members_count_ > 1; }
  [[nodiscard]] std::string name() const override { return "group \"" + name_ + "\""; }
  // Of all members together.
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

  // Members::use, with a deadline of its own.
  bool use(const Members::Body& body);
  // `call` with the source of each member in service, as Member::use; what one fails with is thrown after all
  // were asked, if `matters`.
  void use_each(const std::function<void(keys::KeySource&)>& call,
                const std::function<bool(const pkcs11::Error&)>& matters);

  [[nodiscard]] const std::string& short_name() const noexcept { return name_; }
  // As it is now. Not for what is done with each operation: it waits for a fork of the process.
  [[nodiscard]] std::shared_ptr<const GroupMakeup> makeup() const;
  [[nodiscard]] const Notice& notice() const noexcept { return notice_; }
  [[nodiscard]] GroupStatus status() { return members_.get().status(); }
  [[nodiscard]] std::optional<pkcs11::Error> failure();

  // For its Members, which make it so: what the file says now if that is something new.
  [[nodiscard]] bool follows_file() const noexcept { return file_ != nullptr; }
  [[nodiscard]] std::shared_ptr<const GroupMakeup> changed_makeup(FollowedFile::Patience patience);
  [[nodiscard]] MemberOptions member_options(const GroupMakeup& makeup, const MemberToken& token) const;
  [[nodiscard]] Notice member_notice() const;
  // What supports() has answered yes for.
  [[nodiscard]] std::vector<pkcs11::Operation> operations_in_use() const;

 private:
  void note_in_use(const pkcs11::Operation& operation);
  void remember(const GroupMakeup& makeup);

  const std::string name_;
  const std::unique_ptr<FollowedFile> file_;
  const Notice notice_;
  const Verifier verifier_;
  // What this process knows when it forks, its child knows.
  std::shared_ptr<const GroupMakeup> makeup_ KEYSTAY_GUARDED_BY(pkcs11::fork_mutex);
  std::vector<pkcs11::Operation> in_use_ KEYSTAY_GUARDED_BY(pkcs11::fork_mutex);
  // Of the makeup, for what is asked with each operation.
  std::atomic<std::chrono::milliseconds> timeout_;
  std::atomic<std::size_t> members_count_;
  std::atomic<std::size_t> capacity_;
  std::atomic<pkcs11::HungCalls> hung_calls_;
  pkcs11::PerProcess<Members> members_;
};

}  // namespace keystay::ha
