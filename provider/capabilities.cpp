#include <algorithm>
#include <array>
#include <string_view>

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <strings.h>

#include "native/config/group_capability.h"
#include "native/config/provider_capability.h"
#include "native/config/signer_capability.h"
#include "native/ha/health.h"
#include "provider/async/async_signing.h"
#include "provider/context.h"
#include "provider/guard.h"
#include "provider/key/key_type.h"
#include "provider/operations.h"

namespace keystay::provider {
namespace {

struct GroupFilter {
  OSSL_CALLBACK* callback;
  void* argument;
};

// Passes on the groups whose keys this provider holds too.
int pass_our_group(const OSSL_PARAM params[], void* argument) noexcept {
  const auto& filter = *static_cast<const GroupFilter*>(argument);
  const OSSL_PARAM* algorithm = OSSL_PARAM_locate_const(params, OSSL_CAPABILITY_TLS_GROUP_ALG);
  const char* name = nullptr;
  if (!algorithm || OSSL_PARAM_get_utf8_string_ptr(algorithm, &name) != 1) return 1;
  const bool ours = ::strcasecmp(name, kEc.algorithm) == 0 || ::strcasecmp(name, kX25519.algorithm) == 0;
  return ours ? filter.callback(params, filter.argument) : 1;
}

// libssl takes a group only from the provider whose keymgmt it gets for the group's keys. When `keystay`
// stands before `default`, that is this one: it announces the EC groups and x25519 of the default provider,
// whose keys it holds in software.
int tls_groups(Context& context, OSSL_CALLBACK* callback, void* argument) {
  GroupFilter filter{callback, argument};
  return OSSL_PROVIDER_get_capabilities(context.software().default_provider(), "TLS-GROUP", pass_our_group,
                                        &filter);
}

// An OSSL_PARAM_OCTET_PTR that holds the function.
int async_abandonment(OSSL_CALLBACK* callback, void* argument) {
  constexpr async::AbandonFunction abandon = keystay_abandon;
  void* function = reinterpret_cast<void*>(abandon);
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_octet_ptr(async::kAbandonParameter, &function, sizeof function),
      OSSL_PARAM_construct_end()};
  return callback(params, argument);
}

extern "C" int keystay_reload(void* argument) noexcept {
  auto& context = *static_cast<Context*>(argument);
  return guard(context.core(), [&] {
    context.reload();
    return 1;
  });
}

extern "C" int keystay_check(void* argument) noexcept {
  auto& context = *static_cast<Context*>(argument);
  return guard(context.core(), [&] {
    context.tokens().require_repeatable_logins();
    return 1;
  });
}

extern "C" int keystay_restore(void* argument) noexcept {
  auto& context = *static_cast<Context*>(argument);
  return guard(context.core(), [&] {
    context.restore();
    return 1;
  });
}

// OSSL_PARAM_OCTET_PTRs: the functions and their argument.
int reloading(Context& context, OSSL_CALLBACK* callback, void* argument) {
  constexpr config::ReloadFunction functions[] = {keystay_reload, keystay_check, keystay_restore};
  void* reload = reinterpret_cast<void*>(functions[0]);
  void* check = reinterpret_cast<void*>(functions[1]);
  void* restore = reinterpret_cast<void*>(functions[2]);
  void* own = &context;
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_octet_ptr(config::kReloadParameter, &reload, sizeof reload),
      OSSL_PARAM_construct_octet_ptr(config::kCheckParameter, &check, sizeof check),
      OSSL_PARAM_construct_octet_ptr(config::kRestoreParameter, &restore, sizeof restore),
      OSSL_PARAM_construct_octet_ptr(config::kReloadArgumentParameter, &own, sizeof own),
      OSSL_PARAM_construct_end()};
  return callback(params, argument);
}

void report_member(const ha::GroupStatus& group, const ha::MemberStatus& member,
                   config::GroupMemberFunction report, void* report_argument) {
  const auto seconds = [](auto duration) { return std::chrono::duration<double>(duration).count(); };
  const auto classes = ha::error_class_names();
  const config::GroupMemberReport told{
      .group = group.name.c_str(),
      .member = member.name.c_str(),
      .zone = member.zone.c_str(),
      .service = ha::to_string(member.service),
      .reason = member.reason.c_str(),
      .in_service = member.service == ha::Service::in ? 1 : 0,
      .active = member.active ? 1 : 0,
      .out_of_service = seconds(member.out_of_service),
      .latency = seconds(member.latency),
      .in_flight = member.in_flight,
      .left_calls = member.left_calls,
      .succeeded = member.succeeded,
      .replayed = member.replayed,
      .lacking_keys = member.lacking.size(),
      .error_classes = classes.data(),
      .failed = member.failed.data(),
      .errors = classes.size(),
  };
  report(&told, report_argument);
}

extern "C" int keystay_report_groups(void* argument, config::GroupMemberFunction report,
                                     void* report_argument) {
  auto& context = *static_cast<Context*>(argument);
  return guard(context.core(), [&] {
    for (const ha::GroupStatus& group : context.group_states()) {
      for (const ha::MemberStatus& member : group.members)
        report_member(group, member, report, report_argument);
    }
    return 1;
  });
}

extern "C" int keystay_listen(void* argument, config::GroupNoticeFunction notice, void* notice_argument) {
  static_cast<Context*>(argument)->listen(notice, notice_argument);
  return 1;
}

// OSSL_PARAM_OCTET_PTRs: the functions and their argument.
int groups(Context& context, OSSL_CALLBACK* callback, void* argument) {
  void* report = reinterpret_cast<void*>(&keystay_report_groups);
  void* listen = reinterpret_cast<void*>(&keystay_listen);
  void* own = &context;
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_octet_ptr(config::kGroupReportParameter, &report, sizeof report),
      OSSL_PARAM_construct_octet_ptr(config::kGroupListenParameter, &listen, sizeof listen),
      OSSL_PARAM_construct_octet_ptr(config::kGroupArgumentParameter, &own, sizeof own),
      OSSL_PARAM_construct_end()};
  return callback(params, argument);
}

extern "C" int keystay_report_signers(void* argument, config::SignerFunction report, void* report_argument) {
  auto& context = *static_cast<Context*>(argument);
  return guard(context.core(), [&] {
    for (const Context::SourceLoad& source : context.loads()) {
      const config::SignerReport told{source.source.c_str(), source.load.waiting, source.load.running,
                                      source.capacity};
      report(&told, report_argument);
    }
    return 1;
  });
}

// OSSL_PARAM_OCTET_PTRs: the function and its argument.
int signers(Context& context, OSSL_CALLBACK* callback, void* argument) {
  void* report = reinterpret_cast<void*>(&keystay_report_signers);
  void* own = &context;
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_octet_ptr(config::kSignerReportParameter, &report, sizeof report),
      OSSL_PARAM_construct_octet_ptr(config::kSignerArgumentParameter, &own, sizeof own),
      OSSL_PARAM_construct_end()};
  return callback(params, argument);
}

}  // namespace

int get_capabilities(void* provctx, const char* capability, OSSL_CALLBACK* callback,
                     void* argument) noexcept {
  auto& context = *static_cast<Context*>(provctx);
  return guard(context.core(), [&] {
    if (::strcasecmp(capability, "TLS-GROUP") == 0) return tls_groups(context, callback, argument);
    if (::strcasecmp(capability, async::kCapability) == 0) return async_abandonment(callback, argument);
    if (::strcasecmp(capability, config::kReloadCapability) == 0)
      return reloading(context, callback, argument);
    if (::strcasecmp(capability, config::kGroupCapability) == 0) return groups(context, callback, argument);
    if (::strcasecmp(capability, config::kSignerCapability) == 0) return signers(context, callback, argument);
    return 0;
  });
}

}  // namespace keystay::provider
