// SPDX-License-Identifier: Apache-2.0
//
// What ThreadSanitizer would take for a race, because it does not see how
// libraries of Debian, which are not instrumented, order it: calls of the C
// library by these.

extern "C" const char* __tsan_default_suppressions() {
  return "called_from_lib:libgrpc.so\n"
         "called_from_lib:libgrpc++.so\n"
         "called_from_lib:libgpr.so\n"
         "called_from_lib:libprotobuf.so\n"
         "called_from_lib:liblmdb.so\n";
}
