// SPDX-License-Identifier: Apache-2.0
#include "tests/model/any_tape.h"

#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace statecpp {
namespace {

using rc::Gen;
namespace gen = rc::gen;

// Values with what they shrink to.
template <typename T>
using Shrinkables = std::vector<rc::Shrinkable<T>>;

// The lists that lack a part of it: all, a half, a quarter, ..., one element,
// and those parts first that are at the end.
//
// rapidcheck's own containers try each part of each size. Of a long tape these
// are ten thousand and more.
template <typename T>
rc::Seq<Shrinkables<T>> ShorterLists(const Shrinkables<T>& list) {
  std::vector<std::pair<size_t, size_t>> parts;
  for (size_t size = list.size(); size > 0; size /= 2) {
    for (size_t end = list.size(); end > 0;) {
      const size_t begin = end > size ? end - size : 0;
      parts.emplace_back(begin, end);
      end = begin;
    }
  }
  return rc::seq::map(rc::seq::fromContainer(std::move(parts)),
                      [list](const std::pair<size_t, size_t>& part) {
                        Shrinkables<T> rest = list;
                        rest.erase(rest.begin() + part.first,
                                   rest.begin() + part.second);
                        return rest;
                      });
}

template <typename T>
Gen<std::vector<T>> ListOf(size_t most, Gen<T> element) {
  return [most, element](const rc::Random& random, int size) {
    rc::Random source = random;
    Shrinkables<T> list;
    for (size_t i = source.split().next() % (most + 1); i > 0; --i) {
      list.push_back(element(source.split(), size));
    }
    return rc::shrinkable::map(
        rc::shrinkable::shrinkRecur(std::move(list),
                                    [](const Shrinkables<T>& longer) {
                                      return rc::seq::concat(
                                          ShorterLists(longer),
                                          rc::shrink::eachElement(
                                              longer,
                                              [](const rc::Shrinkable<T>& one) {
                                                return one.shrinks();
                                              }));
                                    }),
        [](const Shrinkables<T>& shrinkables) {
          std::vector<T> values;
          for (const auto& one : shrinkables) values.push_back(one.value());
          return values;
        });
  };
}

// One of them, which shrinks to those in front.
template <typename T>
Gen<T> Among(std::vector<T> list) {
  const int size = static_cast<int>(list.size());
  return gen::map(gen::inRange(0, size),
                  [list = std::move(list)](int i) { return list[i]; });
}

// What `is` makes, in one of `n`; else nothing.
template <typename T>
Gen<std::optional<T>> OneIn(int n, Gen<T> is) {
  return gen::map(gen::pair(gen::inRange(0, n), std::move(is)),
                  [n](std::pair<int, T> drawn) {
                    return drawn.first == n - 1
                               ? std::optional<T>(std::move(drawn.second))
                               : std::nullopt;
                  });
}

Gen<std::string> Key() {
  const std::vector<std::string>& keys = TapeKeys();
  return gen::weightedOneOf<std::string>(
      {{60,
        Among(std::vector<std::string>(keys.begin(), keys.begin() + kHotKeys))},
       {59, Among(keys)},
       {1, gen::just(std::string())}});
}

// Some are documents, and some of these have what others lack.
std::string ValueOf(int kind, int number, size_t size) {
  const std::string padding(size, static_cast<char>('a' + number));
  switch (kind) {
    case 0:
      return padding;  // JSON for no size
    case 1:
    case 2:
      return absl::StrCat("{\"n\":", number, ",\"s\":\"", padding, "\"}");
    case 3:
      return absl::StrCat("{\"s\":\"", number,
                          "\",\"o\":{\"t\":", number % 2 == 0 ? "true" : "null",
                          "},\"p\":\"", padding, "\"}");
    case 4:
      return absl::StrCat("{\"n\":\"", number, "\",\"o\":[", number, "]}");
    case 5:
      return absl::StrCat(number, ".5");
    default:
      return absl::StrCat("{\"n\":", padding);
  }
}

Gen<std::string> Value() {
  const Gen<size_t> size = gen::weightedOneOf<size_t>(
      {{60, gen::inRange<size_t>(0, 100)},
       {30, gen::inRange<size_t>(1000, 1050)},  // around the first large one
       {8, gen::inRange<size_t>(3000, 6000)},
       {2, gen::just<size_t>(100'000)}});
  return gen::map(gen::tuple(gen::inRange(0, 7), gen::inRange(0, 10), size),
                  [](const std::tuple<int, int, size_t>& drawn) {
                    return std::apply(ValueOf, drawn);
                  });
}

Gen<absl::Duration> Ttl() {
  const std::vector<absl::Duration> spans = {
      absl::Milliseconds(1), absl::Milliseconds(50), absl::Seconds(5),
      absl::Seconds(100),    absl::Hours(1),         absl::Hours(24 * 30)};
  const Gen<absl::Duration> good =
      gen::map(gen::pair(Among(spans), gen::inRange(1, 4)),
               [](const std::pair<absl::Duration, int>& drawn) {
                 return drawn.first * drawn.second;
               });
  return gen::weightedOneOf<absl::Duration>(
      {{50, good},
       {1, Among<absl::Duration>({absl::ZeroDuration(), absl::Seconds(-1)})}});
}

Gen<WriteOp> Op() {
  const Gen<WriteOp> set = gen::build<WriteOp>(
      gen::set(&WriteOp::key, Key()), gen::set(&WriteOp::value, Value()),
      gen::set(&WriteOp::content_type,
               Among<std::string>({"", "", "application/json"})),
      gen::set(&WriteOp::ttl, OneIn(3, Ttl())));
  const Gen<WriteOp> deletion = gen::build<WriteOp>(
      gen::set(&WriteOp::kind, gen::just(WriteOp::Kind::kDelete)),
      gen::set(&WriteOp::key, Key()));
  return gen::weightedOneOf<WriteOp>({{2, set}, {1, deletion}});
}

// `unconditional` of ten have no condition: a long list of random ones never
// holds.
Gen<TapeWrite> Write(int unconditional) {
  using Condition = TapeWrite::Condition;
  std::vector<Condition> conditions(unconditional, Condition::kNone);
  for (const Condition condition :
       {Condition::kAbsent, Condition::kRight, Condition::kRight,
        Condition::kStale, Condition::kMalformed}) {
    conditions.push_back(condition);
  }
  return gen::build<TapeWrite>(
      gen::set(&TapeWrite::op, Op()),
      gen::set(&TapeWrite::condition, Among(conditions)),
      gen::set(&TapeWrite::which, gen::inRange<size_t>(0, 10)));
}

// A few, and in one of twenty many. Keys repeat often.
Gen<std::vector<TapeWrite>> Writes() {
  return gen::weightedOneOf<std::vector<TapeWrite>>(
      {{19, ListOf(6, Write(20))}, {1, ListOf(100, Write(1000))}});
}

Gen<Step> Of(Step::Kind kind) { return gen::just(Step{.kind = kind}); }

// A step with one thing of its own.
template <typename Member, typename T>
Gen<Step> With(Step::Kind kind, Member member, Gen<T> value) {
  return gen::build<Step>(Of(kind), gen::set(member, std::move(value)));
}

Gen<Step> ListKeys() {
  return gen::build<Step>(
      Of(Step::Kind::kListKeys),
      gen::set(&Step::text, Among<std::string>({"%", "a||%", "a%b", "_", "%||",
                                                "tail||_", "%1%", "none"})),
      gen::set(&Step::page_size, gen::inRange<size_t>(0, 5)));
}

Gen<Step> Query() {
  using Sort = std::vector<SortKey>;
  return gen::build<Step>(
      Of(Step::Kind::kQuery),
      gen::set(&Step::text,
               Among<std::string>(
                   {"{}", R"({"EQ": {"n": 3}})", R"({"NEQ": {"n": 3}})",
                    R"({"GT": {"n": 4}})", R"({"LTE": {"s": "bbb"}})",
                    R"({"IN": {"n": [1, "1", 2, null]}})",
                    R"({"EQ": {"o.t": true}})",
                    R"({"AND": [{"GTE": {"n": 2}}, {"LT": {"n": 8}}]})",
                    R"({"OR": [{"EQ": {"o.t": null}}, {"GT": {"s": "c"}}]})"})),
      gen::set(&Step::sort, Among<Sort>({{},
                                         {{.path = "n"}},
                                         {{.path = "s", .descending = true}},
                                         {{.path = "o.t"}, {.path = "n"}}})),
      gen::set(&Step::key_prefix,
               Among<std::string>({"", "tail||", "a", "a||"})),
      gen::set(&Step::page_size, gen::inRange<size_t>(0, 5)));
}

Gen<absl::Duration> Span() {
  return Among<absl::Duration>({absl::Milliseconds(1), absl::Milliseconds(60),
                                absl::Seconds(3), absl::Minutes(2),
                                absl::Minutes(20), absl::Hours(3),
                                absl::Hours(24 * 40)});
}

Gen<Step> Jump(Step::Kind kind) {
  return With(kind, &Step::span,
              gen::map(gen::pair(Span(), gen::inRange(0, 3)),
                       [](const std::pair<absl::Duration, int>& drawn) {
                         return drawn.second == 2 ? -drawn.first : drawn.first;
                       }));
}

Gen<absl::Duration> Pause(Clocks clocks) {
  if (clocks == Clocks::kKnown) return gen::just(absl::ZeroDuration());
  return gen::map(gen::inRange(-30, 60), [](int minutes) {
    return absl::Minutes(std::max(minutes, 0));
  });
}

Gen<Step> AnyStep(Clocks clocks) {
  using Kind = Step::Kind;
  const Gen<std::vector<TapeWrite>> one =
      gen::container<std::vector<TapeWrite>>(1, Write(5));
  const auto prefix =
      Among<std::string>({"a", "a||b", "tail||", "none", "", "||"});
  return gen::weightedOneOf<Step>(
      {{60, With(Kind::kGet, &Step::text, Key())},
       {340, With(Kind::kWrite, &Step::writes, one)},
       {160, With(Kind::kTransact, &Step::writes, Writes())},
       {120, With(Kind::kBulkWrite, &Step::writes, Writes())},
       {20, With(Kind::kDeleteWithPrefix, &Step::text, prefix)},
       {50, ListKeys()},
       {80, Query()},
       {60, With(Kind::kAdvance, &Step::span, Span())},
       {20, Jump(Kind::kJumpAndBack)},
       {clocks == Clocks::kKnown ? 0u : 8u, Jump(Kind::kJump)},
       {30, Of(Kind::kSweep)},
       {15, With(Kind::kReopen, &Step::span, Pause(clocks))},
       {15, Of(Kind::kCrash)},
       {10, Of(Kind::kRotate)},
       {6, Of(Kind::kRetire)},
       {6, Of(Kind::kReplaceMasterKey)},
       {3, Of(Kind::kEncrypt)},
       {6, Of(Kind::kCompact)}});
}

}  // namespace

rc::Gen<Tape> AnyTape(size_t max_steps, Clocks clocks) {
  const Gen<Tape> tape =
      gen::map(ListOf(max_steps, AnyStep(clocks)),
               [](std::vector<Step> steps) { return Tape{std::move(steps)}; });
  // What is drawn from a range is drawn from all of it.
  return gen::resize(rc::kNominalSize, tape);
}

}  // namespace statecpp
