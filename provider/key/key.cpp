#include "provider/key/key.h"

#include <utility>

#include "provider/async/async_signing.h"

namespace keystay::provider {

Key::Key(Context& context, const KeyType& type, x509::EvpPkey software, int parts) noexcept
    : context_(context), type_(type), software_(std::move(software)), parts_(parts) {}

Key::Key(Context& context, keys::PrivateKey private_key, PublicHalf public_half, SignerThreads& signers)
    : context_(context),
      type_(public_half.type),
      private_key_(std::move(private_key)),
      signers_(&signers),
      software_(std::move(public_half.key)),
      parts_(type_.required) {}

Key::Key(const Key& other, x509::EvpPkey software)
    : intrusive_ref_counter(other),
      context_(other.context_),
      type_(other.type_),
      private_key_(other.private_key_),
      signers_(other.signers_),
      software_(std::move(software)),
      parts_(other.parts_),
      written_form_(other.written_form_) {}

void Key::set_software(x509::EvpPkey software, int parts) noexcept {
  software_ = std::move(software);
  parts_ = parts;
}

std::optional<std::size_t> Key::perform(const Scheme& scheme, pkcs11::ByteView data,
                                        std::span<std::uint8_t> result) const {
  Software& software = context_.software();
  ASYNC_JOB* job = ASYNC_get_current_job();
  const pkcs11::KeyOperations& operations = private_key_->operations();
  if (!job && operations.hung_calls() == pkcs11::HungCalls::waited_for)
    return provider::perform({*private_key_, scheme, data, result, operations.deadline()}, software);
  const JobOperation wanted{*private_key_, scheme, data, result, software};
  const auto outcome = job ? perform_in_job(job, *signers_, wanted) : perform_and_wait(*signers_, wanted);
  if (const auto* failure = std::get_if<Failure>(&outcome)) {
    if (!job) throw Error(*failure);
    context_.core().raise(failure->reason, failure->message.c_str());
    return std::nullopt;
  }
  return std::get<std::size_t>(outcome);
}

}  // namespace keystay::provider
