#include "keystore-tools/acme/issuance.h"

#include "keystore-tools/rotate.h"
#include "native/keys/alias_state.h"
#include "native/keys/rotation.h"

namespace keystay::tools::acme {
namespace {

// certify(), with what is to be reported of its chain.
keys::Chain certified(Certification& certification, const keys::Entry& entry,
                      const CompleteCertificate& wanted, Issued& issued) {
  ReplyChain chain = certification.certify(entry, wanted);
  issued = {chain.stored.front(), chain.whole.size()};
  return std::move(chain.stored);
}

}  // namespace

Issued issue_for_key(AliasStore& store, Certification& certification, const keys::Entry& entry,
                     const CompleteCertificate& wanted) {
  Issued issued;
  store.replace_chain(entry, certified(certification, entry, wanted, issued));
  return issued;
}

Issued issue_for_new_key(AliasStore& store, Certification& certification, const std::string& alias,
                         const keys::KeySpec& spec, const CompleteCertificate& wanted) {
  Issued issued;
  store.generate(alias, spec, [&](const keys::Entry& unfinished) {
    return certified(certification, unfinished, wanted, issued);
  });
  return issued;
}

Issued issue_by_rotation(AliasStore& store, Certification& certification, const keys::Entry& current,
                         const CompleteCertificate& wanted) {
  Issued issued;
  keys::Rotation rotation(store.keys());
  const keys::Entry next =
      rotation.begin(current, spec_like(current.key.public_key()),
                     [&](const keys::Entry& made) { return certified(certification, made, wanted, issued); });
  report_switched(current, next, keys::kept_label(current.alias, rotation.finish(current, next)));
  return issued;
}

}  // namespace keystay::tools::acme
