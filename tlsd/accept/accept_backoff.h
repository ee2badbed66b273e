// What to do when accept(2) fails: go on, or wait, 5 ms at first and up to a second.
#pragma once

#include <chrono>

#include <boost/system/error_code.hpp>

namespace keystay::tlsd {

class AcceptBackoff final {
 public:
  // How long to wait before the next accept; zero where the failure concerned that one connection only
  // (accept(2), "Error handling").
  [[nodiscard]] std::chrono::milliseconds after(boost::system::error_code error) noexcept;
  void succeeded() noexcept { next_ = kShortest; }
  // True for the first failure since the last success: the one worth a line in the log.
  [[nodiscard]] bool begins() const noexcept { return next_ == kShortest; }

  static constexpr std::chrono::milliseconds kShortest{5};
  static constexpr std::chrono::milliseconds kLongest{1000};

 private:
  std::chrono::milliseconds next_ = kShortest;
};

// A descriptor in reserve: given up for a moment to accept, and close, a client that would otherwise wait in
// the kernel's queue without an answer while the process is out of descriptors.
class ReserveDescriptor final {
 public:
  ReserveDescriptor() noexcept;
  ReserveDescriptor(const ReserveDescriptor&) = delete;
  ReserveDescriptor& operator=(const ReserveDescriptor&) = delete;
  ~ReserveDescriptor();

  void reject_one(int listening_descriptor) noexcept;

 private:
  void open() noexcept;
  void close() noexcept;

  int descriptor_ = -1;
};

}  // namespace keystay::tlsd
