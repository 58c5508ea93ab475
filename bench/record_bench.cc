// SPDX-License-Identifier: Apache-2.0
//
// What one record costs: to seal it, and to open it again. README.md says what
// each benchmark stands for.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "bench/key_chooser.h"
#include "crypto/keyring.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "crypto/store_id.h"
#include "engine/record.h"

namespace statecpp {
namespace {

using ::benchmark::State;

// Where a record stands: a key's path of hashes.
std::string RecordKey() { return std::string(48, 'h'); }

std::shared_ptr<const Keyring> KeyringOf(const State& state) {
  const Secret root = Secret::Random();
  const StoreId store_id = {};
  if (state.range(1) == 0) return Keyring::Plain(root, store_id);
  return Keyring::Sealed(
      root, store_id, {Keyring::NewDataKey(root, store_id, 1, SystemRandom())},
      1);
}

std::string Seal(const Keyring& keyring, const std::string& value) {
  const std::string key = BenchKey(1);
  return SealRecord(keyring, SystemRandom(), RecordKey(),
                    {.version = 1,
                     .expires_ms = 0,
                     .key = key,
                     .content_type = "",
                     .value = value});
}

void SealOne(State& state) {
  const std::shared_ptr<const Keyring> keyring = KeyringOf(state);
  const std::string value(static_cast<size_t>(state.range(0)), 'v');
  for (auto _ : state) benchmark::DoNotOptimize(Seal(*keyring, value));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

// With the value, as a Get does it, or without, as a listing does.
template <bool kReadValue>
void OpenOne(State& state) {
  const std::shared_ptr<const Keyring> keyring = KeyringOf(state);
  const std::string record =
      Seal(*keyring, std::string(static_cast<size_t>(state.range(0)), 'v'));
  const std::string record_key = RecordKey();
  for (auto _ : state) {
    const absl::StatusOr<RecordReader> reader =
        RecordReader::Open(*keyring, record_key, record);
    if (!reader.ok() || (kReadValue && !reader->ReadValue().ok())) {
      state.SkipWithError("what was sealed does not open");
      break;
    }
  }
  if (kReadValue) state.SetBytesProcessed(state.iterations() * state.range(0));
}

void Register(const char* name, void (*run)(State&)) {
  benchmark::RegisterBenchmark(name, run)
      ->ArgNames({"bytes", "sealed"})
      ->ArgsProduct({{128, 1 << 10, 16 << 10}, {0, 1}});
}

}  // namespace
}  // namespace statecpp

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  statecpp::Register("seal_record", statecpp::SealOne);
  statecpp::Register("open_record", statecpp::OpenOne<true>);
  statecpp::Register("open_head", statecpp::OpenOne<false>);
  benchmark::RunSpecifiedBenchmarks();
}
