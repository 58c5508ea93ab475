// SPDX-License-Identifier: Apache-2.0
//
// The program: runs one verb, exits with its code. Each verb has a file of its
// own.
#include "cli/backup.h"
#include "cli/compact.h"
#include "cli/config.h"
#include "cli/delete.h"
#include "cli/doctor.h"
#include "cli/encrypt.h"
#include "cli/end_signals.h"
#include "cli/get.h"
#include "cli/health.h"
#include "cli/init.h"
#include "cli/keygen.h"
#include "cli/keys.h"
#include "cli/ls.h"
#include "cli/manual.h"
#include "cli/query.h"
#include "cli/restore.h"
#include "cli/serve.h"
#include "cli/set.h"
#include "cli/standard_streams.h"
#include "cli/stat.h"
#include "cli/verb_table.h"
#include "cli/verify.h"
#include "cli/version.h"

int main(int argc, char** argv) {
  statecpp::StandardStreams streams;
  statecpp::BlockEndSignals();
  statecpp::VerbTable verbs;
  statecpp::AddServe(verbs);
  statecpp::AddHealth(verbs);
  statecpp::AddInit(verbs);
  statecpp::AddDoctor(verbs);
  statecpp::AddConfig(verbs);
  statecpp::AddKeygen(verbs);
  statecpp::AddKeys(verbs);
  statecpp::AddGet(verbs);
  statecpp::AddSet(verbs);
  statecpp::AddDelete(verbs);
  statecpp::AddLs(verbs);
  statecpp::AddQuery(verbs);
  statecpp::AddStat(verbs);
  statecpp::AddVerify(verbs);
  statecpp::AddEncrypt(verbs);
  statecpp::AddCompact(verbs);
  statecpp::AddBackup(verbs);
  statecpp::AddRestore(verbs);
  statecpp::AddManual(verbs);
  statecpp::AddVersion(verbs);
  return streams.End(verbs.Run(argc, argv));
}
