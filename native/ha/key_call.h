// One operation with a key, as a call that may be left.
#pragma once

#include <exception>
#include <memory>
#include <span>

#include "native/ha/call_threads.h"
#include "native/pkcs11/key_operations.h"

namespace keystay::ha {

// One operation (pkcs11::KeyOperations::perform); borrows all of it.
struct Request {
  const pkcs11::KeyReference& key;
  const pkcs11::Operation& operation;
  pkcs11::ByteView data;
  std::span<std::uint8_t> result;
};

// A request with copies of all that it needs. Wipes the result, which may be a secret.
class KeyCall final : public Call {
 public:
  KeyCall(std::shared_ptr<pkcs11::KeyOperations> operations, const Request& request,
          pkcs11::Deadline deadline);
  ~KeyCall() override;

  void run() noexcept override;
  // When it has ended: the length of the result. Throws what it ended with.
  std::size_t take(std::span<std::uint8_t> result);
  // The same once more, by these operations and their time-out; the result is dropped. Throws pkcs11::Error.
  void repeat(const std::shared_ptr<pkcs11::KeyOperations>& operations) const;

 private:
  const std::shared_ptr<pkcs11::KeyOperations> operations_;
  const pkcs11::KeyReference key_;
  const pkcs11::Operation operation_;
  const pkcs11::Bytes data_;
  const pkcs11::Deadline deadline_;
  pkcs11::Bytes result_;
  std::size_t size_ = 0;
  std::exception_ptr error_;
};

}  // namespace keystay::ha
