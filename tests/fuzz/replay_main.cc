// SPDX-License-Identifier: Apache-2.0
//
// Plays inputs to a fuzz target, once each, without a fuzzer: how the corpus in
// the tree is a test of every build.
//
//   record_corpus_test FILE_OR_FOLDER...
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz_target.h"

namespace {

// In order of their names. Empty where nothing is there.
std::vector<std::string> FilesOf(const std::string& path) {
  if (!std::filesystem::is_directory(path)) return {path};
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

bool Play(const std::string& file) {
  // Said beforehand: a target that finds a mistake does not come back.
  std::fprintf(stderr, "%s\n", file.c_str());
  std::ifstream in(file, std::ios::binary);
  if (!in) return false;
  const std::string bytes(std::istreambuf_iterator<char>(in), {});
  // Memory of just that size, so that what reads past its end is seen.
  const std::unique_ptr<char[]> exact(new char[bytes.size()]);
  std::copy(bytes.begin(), bytes.end(), exact.get());
  statecpp::FuzzOne(statecpp::FuzzInput({exact.get(), bytes.size()}));
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  int played = 0;
  for (int i = 1; i < argc; ++i) {
    for (const std::string& file : FilesOf(argv[i])) {
      if (!Play(file)) {
        std::fprintf(stderr, "replay: %s cannot be read\n", file.c_str());
        return 1;
      }
      ++played;
    }
  }
  std::printf("%d inputs\n", played);
  if (played == 0) std::fprintf(stderr, "replay: there is nothing to play\n");
  return played == 0 ? 1 : 0;
}
