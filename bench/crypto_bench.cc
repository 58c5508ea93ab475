// SPDX-License-Identifier: Apache-2.0
//
// What the cryptography of one read or write costs, apart from the disk.
// README.md says what each benchmark stands for.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "crypto/aead.h"
#include "crypto/keyed_tag.h"
#include "crypto/path_hash.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "crypto/xchacha20_poly1305.h"

namespace statecpp {
namespace {

using ::benchmark::State;

// What stands in for a record's header and key.
constexpr absl::string_view kAssociatedData =
    "lse/1/rec: sixteen bytes of store, a header, a record key";

void HashLeaf(State& state) {
  const PathHash hash(Secret::Random());
  const std::string key(static_cast<size_t>(state.range(0)), 'k');
  for (auto _ : state) benchmark::DoNotOptimize(hash.OfLeaf(key));
}

void HashAncestor(State& state) {
  const PathHash hash(Secret::Random());
  const std::string prefix =
      absl::StrCat(std::string(static_cast<size_t>(state.range(0)), 'k'), "||");
  for (auto _ : state) benchmark::DoNotOptimize(hash.OfAncestor(prefix));
}

void DrawRandom(State& state) {
  std::vector<uint8_t> bytes(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    SystemRandom().Fill(absl::MakeSpan(bytes));
    benchmark::DoNotOptimize(bytes.data());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void Seal(State& state, const Aead& aead) {
  const std::string text(static_cast<size_t>(state.range(0)), 't');
  std::vector<uint8_t> out(text.size());
  uint8_t nonce[Aead::kNonceSize];
  uint8_t tag[Aead::kTagSize];
  for (auto _ : state) {
    SystemRandom().Fill(absl::MakeSpan(nonce));
    aead.Seal(nonce, kAssociatedData, text, out.data(), tag);
    benchmark::DoNotOptimize(tag);
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void Open(State& state, const Aead& aead) {
  const std::string text(static_cast<size_t>(state.range(0)), 't');
  std::string sealed(text.size(), '\0');
  std::vector<uint8_t> out(text.size());
  const uint8_t nonce[Aead::kNonceSize] = {};
  uint8_t tag[Aead::kTagSize];
  aead.Seal(nonce, kAssociatedData, text,
            reinterpret_cast<uint8_t*>(sealed.data()), tag);
  for (auto _ : state) {
    if (!aead.Open(nonce, kAssociatedData, sealed, tag, out.data())) {
      state.SkipWithError("what was sealed does not open");
      break;
    }
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

// The same for each way to protect a record.
void RegisterAead(const std::string& name, const Aead& aead) {
  for (const bool seals : {true, false}) {
    benchmark::RegisterBenchmark(
        absl::StrCat(name, seals ? "/seal" : "/open").c_str(),
        [&aead, seals](State& state) {
          seals ? Seal(state, aead) : Open(state, aead);
        })
        ->ArgName("bytes")
        ->Arg(128)
        ->Arg(1 << 10)
        ->Arg(16 << 10);
  }
}

void RegisterHashes() {
  for (auto* benchmark :
       {benchmark::RegisterBenchmark("hash_leaf", HashLeaf),
        benchmark::RegisterBenchmark("hash_ancestor", HashAncestor)}) {
    benchmark->ArgName("key_bytes")->Arg(16)->Arg(64)->Arg(256);
  }
  // A nonce; a nonce and a version; more than the pool holds.
  benchmark::RegisterBenchmark("draw_random", DrawRandom)
      ->ArgName("bytes")
      ->Arg(23)
      ->Arg(31)
      ->Arg(256);
}

}  // namespace
}  // namespace statecpp

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const statecpp::KeyedTag plain(statecpp::Secret::Random());
  statecpp::RegisterHashes();
  statecpp::RegisterAead("plain", plain);
  const statecpp::XChaCha20Poly1305 sealed(statecpp::Secret::Random());
  statecpp::RegisterAead("sealed", sealed);
  benchmark::RunSpecifiedBenchmarks();
}
