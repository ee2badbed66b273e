// The commands of a key custodian that keytool does not have, as the command line fills them in: tokens, the
// life of an alias, secret keys and what they do, the audit, ACME.
#pragma once

#include "keystore-tools/acme_command_line.h"
#include "keystore-tools/audit_command_line.h"
#include "keystore-tools/life_command_line.h"
#include "keystore-tools/secret_key_command_line.h"
#include "keystore-tools/token_command_line.h"

namespace keystay::tools {

struct CustodyCommands {
  ListSlots slots;
  ListTokens tokens;
  ListMechanisms mechanisms;
  InitToken init_token;
  InitPin init_pin;
  ChangePin change_pin;
  UnblockPin unblock_pin;
  Rotate rotate;
  Renew renew;
  Deactivate deactivate;
  Activate activate;
  Retire retire;
  Audit audit;
  AcmeIssue acme_issue;
  AcmeRenew acme_renew;
  GenSecKey genseckey;
  ImportSecKey importseckey;
  Encrypt encrypt;
  Decrypt decrypt;
  Mac mac;
  VerifyMac verify_mac;

  // `add` takes name, description and command of each.
  template <typename Add>
  void each(const Add& add) {
    add("slots", "Lists the slots of PKCS #11 modules, those without a token too", slots);
    add("tokens", "Lists the tokens of PKCS #11 modules, with the state of their PINs", tokens);
    add("mechanisms", "Lists what a token can do", mechanisms);
    add("init-token", "Makes a token usable, and destroys what is on it", init_token);
    add("init-pin", "Gives the user of a token the first PIN, as security officer", init_pin);
    add("change-pin", "Changes the user's PIN of a token", change_pin);
    add("unblock-pin", "Gives the user of a token another PIN, as security officer", unblock_pin);
    add("rotate", "Makes a new key for an alias, which goes over to it with its certificate", rotate);
    add("renew", "Writes a certificate request for the key and the names that an alias has", renew);
    add("deactivate", "Keeps an alias from being served and used; its key stays on the token", deactivate);
    add("activate", "Lets a deactivated alias be served and used again", activate);
    add("retire", "Destroys a version of an alias that a rotation has left", retire);
    add("genseckey", "Makes a secret key on the token", genseckey);
    add("importseckey", "Brings a secret key from a file, or as it is typed, to the token", importseckey);
    add("encrypt", "Encrypts a file under a secret key, in CMS", encrypt);
    add("decrypt", "Decrypts such a file, and verifies that nobody has changed it", decrypt);
    add("mac", "Writes the HMAC of a file by a secret key", mac);
    add("verify-mac", "Tells whether an HMAC is that of a file", verify_mac);
    add("audit", "Compares the keys of a token and their certificates with a policy", audit);
    add("acmeissue", "Gets a certificate for an alias from a CA that speaks ACME", acme_issue);
    add("acmerenew", "Renews the certificates of ACME that are due", acme_renew);
  }
};

}  // namespace keystay::tools
