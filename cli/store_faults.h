// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_STORE_FAULTS_H_
#define STATECPP_CLI_STORE_FAULTS_H_

// What ends a program that has a store open: no call of the library can return
// from it.
namespace statecpp {

// Ends the process with exit code 74, and says so, where a page of the map
// cannot be read (SIGBUS), or where damaged pages sent LMDB to memory that is
// not there (SIGSEGV). With --allow-core-dumps the latter leaves its core file
// instead, since it may be a bug of ours.
void EndOnMemoryFaults();

// For Options::on_assertion of a verb: exit code 70.
void EndVerbOnAssertion(const char* text);

}  // namespace statecpp

#endif  // STATECPP_CLI_STORE_FAULTS_H_
