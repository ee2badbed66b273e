// Operations on the connections to one token, each on one that is free.
#pragma once

#include <condition_variable>
#include <memory>
#include <vector>

#include "native/pkcs11/mutex.h"
#include "native/pkcs11/token.h"

namespace keystay::keys {

// The connections of a process. Lent to one operation at a time, the first that is free and works, so that as
// few are open as the load needs. Thread-safe, and made anew in a forked child.
class Lanes final {
 public:
  explicit Lanes(std::vector<std::shared_ptr<pkcs11::Token>> lanes);

  // Back when it goes.
  class Lease final {
   public:
    Lease(Lanes& lanes, std::size_t index) noexcept : lanes_(lanes), index_(index) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { lanes_.give_back(index_); }

    [[nodiscard]] pkcs11::Token* operator->() const noexcept { return lanes_.lanes_[index_].get(); }

   private:
    Lanes& lanes_;
    std::size_t index_;
  };

  // Waits until the deadline. Throws pkcs11::Error (busy) then.
  [[nodiscard]] Lease take(pkcs11::Deadline deadline);
  // One for work that may wait for others' on it: it may be within such work.
  [[nodiscard]] pkcs11::Token* any();

  [[nodiscard]] std::size_t size() const noexcept { return lanes_.size(); }
  [[nodiscard]] pkcs11::Token& first() const noexcept { return *lanes_.front(); }

  // What the last used has failed with, where none that was used works.
  [[nodiscard]] std::optional<pkcs11::Error> failure();
  void recover();
  void renew_sessions();

 private:
  struct State {
    explicit State(std::size_t count) : taken(count, false) {}
    pkcs11::Mutex mutex;
    std::condition_variable returned;
    std::vector<bool> taken KEYSTAY_GUARDED_BY(mutex);
  };

  void give_back(std::size_t index) noexcept;
  [[nodiscard]] std::optional<std::size_t> free_lane(const State& state) const KEYSTAY_REQUIRES(state.mutex);

  std::vector<std::shared_ptr<pkcs11::Token>> lanes_;
  pkcs11::PerProcess<State> state_;
};

class LaneOperations final : public pkcs11::KeyOperations {
 public:
  enum class Trials { one, repaired };  // as Token::attempts(), and as Token itself

  LaneOperations(std::shared_ptr<Lanes> lanes, Trials trials) : lanes_(std::move(lanes)), trials_(trials) {}

  std::size_t perform(const pkcs11::KeyReference& key, const pkcs11::Operation& operation,
                      pkcs11::ByteView data, std::span<std::uint8_t> result,
                      pkcs11::Deadline deadline) override;
  [[nodiscard]] bool supports(const pkcs11::Operation& operation) override {
    return lanes_->any()->supports(operation);
  }
  [[nodiscard]] pkcs11::Deadline deadline() const override { return lanes_->first().deadline(); }
  [[nodiscard]] pkcs11::HungCalls hung_calls() const override { return lanes_->first().hung_calls(); }
  [[nodiscard]] std::string name() const override { return lanes_->first().name(); }

 private:
  std::shared_ptr<Lanes> lanes_;
  Trials trials_;
};

}  // namespace keystay::keys
