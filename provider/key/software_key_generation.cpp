#include "provider/key/software_key_generation.h"

#include <array>
#include <utility>
#include <vector>

#include "provider/guard.h"
#include "provider/key/key.h"
#include "provider/key/token_key_generation.h"

namespace keystay::provider {
namespace {

class Generation final {
 public:
  Generation(Context& context, const KeyType& type, int selection)
      : context_(context), type_(type), selection_(selection) {
    begin(context.software().context_for(type.algorithm));
  }

  [[nodiscard]] Context& context() const noexcept { return context_; }

  // The group of the new key is that of `model`. What was set before is lost, as it would be overwritten.
  void follow(const Key& model) {
    if (!model.software()) throw Error(Reason::internal, "key generation: the template is empty");
    std::array<char, 64> group{};
    if (EVP_PKEY_get_group_name(model.software(), group.data(), group.size(), nullptr) == 1)
      on_token_.take_group(group.data());
    begin(context_.software().context_of(model.software()));
  }

  [[nodiscard]] bool set(const OSSL_PARAM params[]) {
    on_token_.take(params);
    return !params || !params->key || EVP_PKEY_CTX_set_params(generator_.get(), params) == 1;
  }

  [[nodiscard]] KeyPtr generate() {
    if (on_token_.has_target()) return on_token_.generate(context_, type_);
    EVP_PKEY* made = nullptr;
    if (EVP_PKEY_generate(generator_.get(), &made) != 1) throw SoftwareFailure("EVP_PKEY_generate");
    x509::EvpPkey owner(made);
    return KeyPtr(
        new Key(context_, type_, std::move(owner), selection_ | OSSL_KEYMGMT_SELECT_ALL_PARAMETERS));
  }

 private:
  void begin(x509::EvpPkeyContext generator) {
    const bool key_pair = (selection_ & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0;
    const int begun =
        key_pair ? EVP_PKEY_keygen_init(generator.get()) : EVP_PKEY_paramgen_init(generator.get());
    if (begun != 1) throw SoftwareFailure(key_pair ? "EVP_PKEY_keygen_init" : "EVP_PKEY_paramgen_init");
    generator_ = std::move(generator);
  }

  Context& context_;
  const KeyType& type_;
  int selection_;
  x509::EvpPkeyContext generator_;
  TokenKeyRequest on_token_;
};

// The default provider's parameters, which are constant, and those of keys on tokens.
std::vector<OSSL_PARAM> with_ours(const OSSL_PARAM* theirs) {
  std::vector<OSSL_PARAM> all;
  for (; theirs && theirs->key; ++theirs) all.push_back(*theirs);
  const auto ours = TokenKeyRequest::settable_params();
  all.insert(all.end(), ours.begin(), ours.end());
  return all;
}

Generation& generation_of(void* genctx) noexcept { return *static_cast<Generation*>(genctx); }

}  // namespace

template <const KeyType& type>
void* gen_init(void* provctx, int selection, const OSSL_PARAM params[]) noexcept {
  auto& context = *static_cast<Context*>(provctx);
  return guard(context.core(), [&]() -> void* {
    auto generation = std::make_unique<Generation>(context, type, selection);
    return generation->set(params) ? generation.release() : nullptr;
  });
}

int gen_set_template(void* genctx, void* model) noexcept {
  Generation& generation = generation_of(genctx);
  return guard(generation.context().core(), [&] { generation.follow(*static_cast<const Key*>(model)); });
}

int gen_set_params(void* genctx, const OSSL_PARAM params[]) noexcept {
  Generation& generation = generation_of(genctx);
  return guard(generation.context().core(), [&] { return generation.set(params) ? 1 : 0; });
}

template <const KeyType& type>
const OSSL_PARAM* gen_settable_params(void* /*genctx*/, void* provctx) noexcept {
  auto& context = *static_cast<Context*>(provctx);
  return guard(context.core(), [&]() -> const OSSL_PARAM* {
    const x509::Owned<EVP_KEYMGMT, EVP_KEYMGMT_free> keymgmt(
        EVP_KEYMGMT_fetch(context.software().libctx(), type.algorithm, nullptr));
    if (!keymgmt) throw SoftwareFailure("EVP_KEYMGMT_fetch");
    static const std::vector<OSSL_PARAM> all = with_ours(EVP_KEYMGMT_gen_settable_params(keymgmt.get()));
    return all.data();
  });
}

void* gen(void* genctx, OSSL_CALLBACK* /*progress*/, void* /*argument*/) noexcept {
  Generation& generation = generation_of(genctx);
  return guard(generation.context().core(), [&]() -> void* { return generation.generate().detach(); });
}

void gen_cleanup(void* genctx) noexcept { delete static_cast<Generation*>(genctx); }

template void* gen_init<kRsa>(void*, int, const OSSL_PARAM[]);
template void* gen_init<kRsaPss>(void*, int, const OSSL_PARAM[]);
template void* gen_init<kEc>(void*, int, const OSSL_PARAM[]);
template void* gen_init<kEd25519>(void*, int, const OSSL_PARAM[]);
template void* gen_init<kEd448>(void*, int, const OSSL_PARAM[]);
template void* gen_init<kX25519>(void*, int, const OSSL_PARAM[]);
template const OSSL_PARAM* gen_settable_params<kRsa>(void*, void*);
template const OSSL_PARAM* gen_settable_params<kRsaPss>(void*, void*);
template const OSSL_PARAM* gen_settable_params<kEc>(void*, void*);
template const OSSL_PARAM* gen_settable_params<kEd25519>(void*, void*);
template const OSSL_PARAM* gen_settable_params<kEd448>(void*, void*);
template const OSSL_PARAM* gen_settable_params<kX25519>(void*, void*);

}  // namespace keystay::provider
