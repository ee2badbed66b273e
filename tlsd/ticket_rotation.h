// Changes the keys of session tickets when their time has come.
#pragma once

#include <memory>
#include <string>

#include "tlsd/admin/metrics.h"
#include "tlsd/blocking_thread.h"
#include "tlsd/execution.h"
#include "tlsd/tls/ticket_keys.h"

namespace keystay::tlsd {

// Belongs to the control thread; a token is waited for on the blocking thread, which must end first.
class TicketRotation final {
 public:
  TicketRotation(Executor control, BlockingThread& thread, Metrics& metrics);

  // From now on these; null: there are no tickets.
  void use(std::shared_ptr<TicketKeys> keys);
  void stop();

 private:
  void look_again();
  void look();
  void end(const TicketKeys* keys, std::size_t made, const std::string& failure);

  Executor control_;
  BlockingThread& thread_;
  Metrics& metrics_;
  Timer pause_;
  std::shared_ptr<TicketKeys> keys_;
  std::string failure_;  // the last one, which is not told again
  bool at_work_ = false;
  bool stopped_ = false;
};

}  // namespace keystay::tlsd
