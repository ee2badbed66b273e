// One thread's clients, driven by epoll.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "tests/bench/client.h"

namespace keystay::bench {

// What a kind of load does with its clients.
class ClientPlan {
 public:
  ClientPlan() = default;
  ClientPlan(const ClientPlan&) = delete;
  ClientPlan& operator=(const ClientPlan&) = delete;
  virtual ~ClientPlan() = default;

  // The next client, or none if no more are wanted.
  [[nodiscard]] virtual std::unique_ptr<Client> next() = 0;
  // How long it may take.
  [[nodiscard]] virtual Clock::duration time_limit() const = 0;
  // Its socket is ready for more. Returns how long the client has from now on, if that changes.
  virtual std::optional<Clock::duration> advance(Client& client) = 0;
  // Its time is over: closes the client.
  virtual void expire(Client& client) = 0;
  // It is closed.
  virtual void closed(const Client& client) = 0;
  // Asked at each turn.
  [[nodiscard]] virtual bool over() const = 0;
};

class ClientLoop final {
 public:
  ClientLoop(ClientPlan& plan, unsigned clients);

  // Until the plan is over, or has no more clients.
  void run();

 private:
  struct Slot {
    std::unique_ptr<Client> client;
    Clock::time_point due;  // end of the client's time, or of the pause after a failure
  };

  void fill(Slot& slot);
  void advance(Slot& slot);
  void settle(Slot& slot);
  void set_due(Slot& slot, Clock::duration from_now);
  void expire_due(Clock::time_point now);
  void wait();

  ClientPlan& plan_;
  test::Descriptor epoll_;
  std::vector<Slot> slots_;
  Clock::time_point next_due_ = Clock::now();
  std::size_t active_ = 0;
  bool exhausted_ = false;
};

}  // namespace keystay::bench
