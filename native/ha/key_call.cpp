#include "native/ha/key_call.h"

#include <algorithm>
#include <utility>

#include "native/pkcs11/wipe.h"

namespace keystay::ha {

KeyCall::KeyCall(std::shared_ptr<pkcs11::KeyOperations> operations, const Request& request,
                 pkcs11::Deadline deadline)
    : operations_(std::move(operations)),
      key_(request.key),
      operation_(request.operation),
      data_(request.data.begin(), request.data.end()),
      deadline_(deadline),
      result_(request.result.size()) {}

KeyCall::~KeyCall() { pkcs11::wipe(result_); }

void KeyCall::run() noexcept {
  try {
    size_ = operations_->perform(key_, operation_, data_, result_, deadline_);
  } catch (...) {
    error_ = std::current_exception();
  }
}

std::size_t KeyCall::take(std::span<std::uint8_t> result) {
  // Of what the caller throws on, the thread of the call keeps nothing.
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  std::copy_n(result_.begin(), size_, result.begin());
  return size_;
}

void KeyCall::repeat(const std::shared_ptr<pkcs11::KeyOperations>& operations) const {
  pkcs11::Bytes dropped(result_.size());
  static_cast<void>(operations->perform(key_, operation_, data_, dropped, operations->deadline()));
  pkcs11::wipe(dropped);
}

}  // namespace keystay::ha
