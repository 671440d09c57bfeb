//===- Harness.h - Runs mutants in processes that may crash ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A suite makes inputs from seeds and tries them; the harness forks a process for some hundreds of them, one after
// another, which may crash: it says which one did and how, keeps it, and goes on with the next in a new process. What a
// suite prepares before the first fork is shared by all, and what a process learns (symbols that are bound, pages that
// are touched, types that are unique) by its batch, so a run costs as much as its work. What ends a batch is tried
// again alone; where that shows nothing, those before it are, which may have broken what it met.
//
// A crash is Tenon's where a function of Tenon was at work (a frame of the backtrace names one that is no fuzzer's),
// unless the suite finds that it happens without Tenon, too. Functions that ODS writes to read properties of ops from
// bytecode are not Tenon's: they call MLIR's reader and nothing else. Others are upstream's: kept and counted apart.
// Suites may not have names of Tenon's outside of the namespace `tenon::fuzz`.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_FUZZ_HARNESS_H
#define TENON_FUZZ_HARNESS_H

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::fuzz {

using Random = std::minstd_rand;

/// How a run that came to its end ended. `invalid` inputs are refused by a parser or a verifier, before what is tried.
/// An input that is refused without a word, and a pass that leaves what doesn't verify, are faults as a crash is one;
/// `unread` is what a reader of upstream's refuses without a word.
enum class Outcome : int { accepted = 64, refused, invalid, silent, broken, unread };
constexpr int kOutcomes = 6;

/// What is tried: bytes, and what is done with them in a suite's own words.
struct Input {
  std::string bytes, command;
};

class Suite {
public:
  virtual ~Suite() = default;
  virtual std::string name() const = 0;
  /// Address space of a process, in GiB: what asks for more meets std::bad_alloc or its like, not the machine's end.
  virtual int memory() const { return 6; }
  /// Reads seeds from files and folders; false where there are none.
  virtual bool load(const std::vector<std::string> &paths) = 0;
  /// In a process of its batch: an input that follows from `random` alone. May crash after `keep`.
  virtual Input make(Random &random) = 0;
  /// In the same process.
  virtual Outcome run(const Input &input) = 0;
  /// Smaller inputs, each without one part of this one.
  virtual std::vector<Input> reductions(const Input &) { return {}; }
  /// Whether the input crashes a program that has nothing of Tenon's.
  virtual bool crashesUpstream(const Input &, const std::string &directory) { return false; }
  /// Whether nothing but upstream's readers saw the input, which then broke what a later one met. In a process of its
  /// own: may crash.
  virtual bool isReadByUpstreamAlone(const Input &) { return false; }
  /// The file that repeats it: a suffix, and what it holds.
  virtual std::string suffix() const = 0;
  virtual std::string fileOf(const Input &input) const { return input.bytes; }
};

/// CPU time after which a run hangs, from now on: other than the options' for a part of it, or theirs again.
void limitTime(double seconds);
void limitTime();
/// For what may run for ever: from now on a run that takes as much CPU time is refused, not hanging.
void refuseAfter(double seconds);

/// Keeps what is about to be tried where it survives a crash of this process.
void keep(const Input &input);

struct Options {
  double seconds = 10;
  int64_t runs = -1;     ///< as many, whatever time they take
  int64_t seed = 1;      ///< of the first run; the next one has the next
  int runSeconds = 20;   ///< CPU time after which a run hangs
  std::string directory; ///< where crashes are kept
  bool verbose = false;
};

/// Runs a suite; how many faults of Tenon's were seen.
int runSuite(Suite &suite, const Options &options);

std::unique_ptr<Suite> makeModuleSuite();
std::unique_ptr<Suite> makeBytecodeSuite();
std::unique_ptr<Suite> makeModelSuite();
std::unique_ptr<Suite> makeArtifactSuite();

/// All files below some paths that have a suffix, sorted.
std::vector<std::string> findFiles(const std::vector<std::string> &paths, std::string_view suffix);
std::string readFile(const std::string &path);

} // namespace tenon::fuzz

#endif // TENON_FUZZ_HARNESS_H
