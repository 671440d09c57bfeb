//===- Harness.cpp - Runs mutants in processes that may crash ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cxxabi.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <limits>
#include <malloc.h>
#include <map>
#include <numeric>
#include <set>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace tenon::fuzz;

namespace tenon::fuzz {
namespace {
constexpr size_t kLargestInput = 8 << 20, kMostFrames = 200;
/// Turns of making a crash smaller.
constexpr int kReductions = 300;
/// Mutants of a batch: so many that a process costs little beside them, so few that what they leave in it does.
constexpr int64_t kBatch = 200;
/// The status of a process whose batch came to its end; those of outcomes are above.
constexpr int kBatchDone = 63;

/// What survives a crash.
struct Remains {
  int64_t current;         ///< number of the mutant at work
  int64_t ends[kOutcomes]; ///< of mutants that came to their end, by outcome
  size_t bytes, commandBytes;
  int frameCount;
  void *frames[kMostFrames];
  char command[4096];
  char input[kLargestInput];
};

/// How a process ended: a signal (0 where none), or an outcome, or after its whole batch.
struct Ending {
  int signal = 0;
  Outcome outcome = Outcome::accepted;
  bool isDone = false;
  bool isFault() const { return signal != 0 || outcome > Outcome::invalid; }
  bool isHang() const { return signal == SIGPROF || signal == SIGALRM; }
};

Remains *remains = nullptr;
int runSeconds = 0; ///< of the options

void recordCrash(int signal) {
  remains->frameCount = backtrace(remains->frames, kMostFrames);
  std::signal(signal, SIG_DFL);
  raise(signal);
}

void handle(int signal) {
  struct sigaction action = {};
  action.sa_handler = recordCrash;
  action.sa_flags = SA_ONSTACK | SA_RESETHAND | SA_NODEFER;
  sigaction(signal, &action, nullptr);
}

/// What one mutant has from now on.
void startClock() {
  handle(SIGPROF);
  limitTime();
}

/// In the new process: limits, and handlers on a stack of their own, since stacks overflow.
void prepareProcess(const Suite &suite, const Options &options) {
  static char stack[1 << 16];
  stack_t alternate = {};
  alternate.ss_sp = stack;
  alternate.ss_size = sizeof(stack);
  sigaltstack(&alternate, nullptr);
  for (int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT})
    handle(signal);
  rlimit none = {0, 0};
  rlim_t most = rlim_t(suite.memory()) << 30;
  [[maybe_unused]] rlimit memory = {most, most};
#if !__has_feature(address_sanitizer) // it maps shadows of all addresses
  setrlimit(RLIMIT_AS, &memory);
#endif
  setrlimit(RLIMIT_CORE, &none);
  // What is used after it was freed is found by what it holds then.
  mallopt(M_PERTURB, 0xa5);
  startClock();
  if (!options.verbose) {
    int null = open("/dev/null", O_WRONLY);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
  }
}

template <typename Work> Ending runProcess(const Suite &suite, const Options &options, Work work) {
  remains->frameCount = 0;
  std::fill_n(remains->ends, kOutcomes, 0);
  std::fflush(nullptr);
  pid_t child = fork();
  if (child == 0) {
    prepareProcess(suite, options);
    _exit(work());
  }
  int status = 0;
  waitpid(child, &status, 0);
  Ending ending;
  if (WIFSIGNALED(status))
    ending.signal = WTERMSIG(status);
  else if (WEXITSTATUS(status) < kBatchDone) // by a call of exit(), as LLVM's of a fatal error
    ending.signal = SIGABRT;
  else if (WEXITSTATUS(status) == kBatchDone)
    ending.isDone = true;
  else
    ending.outcome = Outcome(WEXITSTATUS(status));
  return ending;
}

/// Of this process, in bytes. What mutants leave in a context is never freed.
size_t addressSpace() {
  size_t pages = 0;
  if (FILE *file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%zu", &pages) != 1)
      pages = 0;
    std::fclose(file);
  }
  return pages * size_t(getpagesize());
}

/// Names of the frames that lie in this program, innermost first. Libraries of others are left out.
std::vector<std::string> framesOf(const Remains &remains) {
  static std::map<uintptr_t, std::string> known;
  Dl_info self, info;
  dladdr(reinterpret_cast<void *>(&framesOf), &self);
  std::string path = std::filesystem::read_symlink("/proc/self/exe"), command;
  std::vector<uintptr_t> addresses;
  for (int i = 0; i < remains.frameCount; ++i)
    if (dladdr(remains.frames[i], &info) && info.dli_fbase == self.dli_fbase)
      addresses.push_back(uintptr_t(remains.frames[i]) - uintptr_t(self.dli_fbase) - 1);
  for (uintptr_t address : addresses)
    if (known.emplace(address, "").second) {
      char number[32];
      std::snprintf(number, sizeof(number), " 0x%zx", size_t(address));
      command += number;
      known[address] = number;
    }
  if (!command.empty()) {
    command = "llvm-symbolizer-22 --no-inlines --functions --demangle --output-style=JSON --obj=" + path + command;
    if (FILE *pipe = popen((command + " 2>/dev/null").c_str(), "r")) {
      std::string text;
      char buffer[4096];
      while (size_t count = fread(buffer, 1, sizeof(buffer), pipe))
        text.append(buffer, count);
      pclose(pipe);
      // [{"Address":"0x1234",..."Symbol":[{...,"FunctionName":"f",...}]},...]
      for (size_t at = 0; (at = text.find("\"Address\":\"", at)) != std::string::npos;) {
        at += 11;
        uintptr_t address = std::strtoull(text.c_str() + at, nullptr, 16);
        size_t name = text.find("\"FunctionName\":\"", at), next = text.find("\"Address\":\"", at);
        if (name == std::string::npos || name > next)
          continue;
        name += 16;
        known[address] = text.substr(name, text.find("\"", name) - name);
      }
    }
  }
  std::vector<std::string> names;
  for (uintptr_t address : addresses)
    if (names.empty() || names.back() != known[address])
      names.push_back(known[address]);
  return names;
}

/// The innermost function of a library that the library names: what tells crashes of upstream's apart.
std::string findLibraryFunction(const Remains &remains) {
  Dl_info self, info;
  dladdr(reinterpret_cast<void *>(&findLibraryFunction), &self);
  for (int i = 0; i < remains.frameCount; ++i) {
    if (!dladdr(remains.frames[i], &info) || info.dli_fbase == self.dli_fbase || !info.dli_sname)
      continue;
    int status = 0;
    char *readable = abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status);
    std::string name = status == 0 ? readable : "";
    std::free(readable);
    if (!name.empty() && !name.starts_with("llvm::report_") && !name.starts_with("std::"))
      return name.substr(0, 120);
  }
  return "";
}

/// Whether a function of this program is neither a fuzzer's nor an instance of somebody else's template.
bool isTenons(const std::string &name) {
  if (name.empty() || name.find("tenon::fuzz::") != std::string::npos || name == "main" || name.starts_with("_"))
    return false;
  if (name.find("::readProperties(") != std::string::npos || name.find("DialectBytecodeReader::") != std::string::npos)
    return false;
  if (name.find("tenon") != std::string::npos)
    return true;
  std::string_view own = name;
  if (own.starts_with("(anonymous namespace)::"))
    own.remove_prefix(std::string_view("(anonymous namespace)::").size());
  own = own.substr(0, own.find('('));
  for (std::string_view other : {"mlir::", "llvm::", "std::", " 0x"})
    if (own.find(other) != std::string_view::npos)
      return false;
  return true;
}

/// What tells one fault from another: how it ended and the innermost functions of Tenon.
std::string describe(const Ending &ending, const std::vector<std::string> &frames, bool &ours) {
  std::string text = ending.isHang()                     ? "hang"
                     : ending.signal                     ? strsignal(ending.signal)
                     : ending.outcome == Outcome::silent ? "refused without a word"
                     : ending.outcome == Outcome::unread ? "refused without a word when read"
                                                         : "left what doesn't verify";
  ours = ending.signal == SIGKILL || (ending.signal == 0 && ending.outcome != Outcome::unread);
  int named = 0;
  for (const std::string &frame : frames) {
    if (!isTenons(frame))
      continue;
    ours = true;
    if (named++ < 3)
      text += (named == 1 ? " in " : " <- ") + frame.substr(0, 120);
  }
  if (std::string function = ours || ending.isHang() ? "" : findLibraryFunction(*remains); !function.empty())
    text += " in " + function;
  return text;
}

class Campaign {
public:
  Campaign(Suite &suite, const Options &options) : suite(suite), options(options) {}

  int run() {
    int64_t end = options.runs >= 0 ? options.seed + options.runs : std::numeric_limits<int64_t>::max();
    for (int64_t next = options.seed; next < end && !isOver();) {
      int64_t first = next;
      Ending ending = runBatch(first, std::min(end, first + kBatch));
      next = remains->current + 1;
      for (int i = 0; i < kOutcomes; ++i)
        ends[i] += remains->ends[i];
      if (!ending.isDone)
        ++(ending.signal ? died : ended(ends, ending.outcome));
      if (ending.isFault())
        reportLast(ending, first);
    }
    int64_t runs = std::accumulate(ends, ends + kOutcomes, died);
    std::printf("%s: %ld runs in %.0f s, %ld invalid, %ld accepted, %d faults of Tenon's (%zu kinds), "
                "%d crashes of upstream's (%zu kinds)\n",
                suite.name().c_str(), long(runs), elapsed(), long(ended(ends, Outcome::invalid)),
                long(ended(ends, Outcome::accepted)), faults, kinds.size(), upstream, upstreamKinds.size());
    std::fflush(stdout);
    return faults;
  }

private:
  double elapsed() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); }
  bool isOver() const { return options.runs < 0 && elapsed() >= options.seconds; }
  static int64_t &ended(int64_t *ends, Outcome outcome) { return ends[int(outcome) - int(Outcome::accepted)]; }

  /// Whether what mutants left in this process could let the next one run out of memory. Sanitizers map all addresses.
  bool isFull() const {
#if __has_feature(address_sanitizer)
    return false;
#else
    return addressSpace() > (size_t(suite.memory()) << 30) / 4 * 3;
#endif
  }

  /// Tries mutants in one process, without some, up to the first that shows a fault or ends it: that one is `current`.
  Ending runBatch(int64_t first, int64_t end, const std::set<int64_t> &without = {}) {
    return runProcess(suite, options, [&] {
      for (int64_t number = first; number < end; ++number) {
        if (without.count(number))
          continue;
        remains->current = number;
        Outcome outcome = tryMutant(number);
        if (Ending{0, outcome}.isFault())
          return int(outcome);
        ++ended(remains->ends, outcome);
        if (isOver() || isFull())
          break;
      }
      return kBatchDone;
    });
  }

  static Random randomOf(int64_t number) {
    Random random(uint32_t(number * 2654435761u));
    random.discard(4);
    return random;
  }

  /// In a process of its own or of a batch.
  Outcome tryMutant(int64_t number) {
    startClock();
    Random random = randomOf(number);
    remains->bytes = remains->commandBytes = 0;
    Input input = suite.make(random);
    keep(input);
    return suite.run(input);
  }

  Ending runAlone(int64_t number) {
    remains->current = number;
    return runProcess(suite, options, [&] { return int(tryMutant(number)); });
  }

  /// Reports what ended a batch. What an earlier mutant broke may end a later one: where the last one alone shows
  /// nothing, those before it are tried alone, too, then each with the last one, then all but those that nothing but
  /// upstream's reader saw.
  void reportLast(Ending ending, int64_t first) {
    int64_t last = remains->current;
    if (ending.isHang())
      return report(ending, last, "");
    for (int64_t number = last; number >= first; --number)
      if (Ending alone = runAlone(number); alone.isFault())
        return report(alone, number, "");
    Ending again = runBatch(first, last + 1);
    if (!again.isFault())
      return;
    last = remains->current;
    for (int64_t number = last - 1; number >= first; --number) {
      auto tryBoth = [&] {
        tryMutant(number);
        remains->current = last;
        return int(tryMutant(last));
      };
      if (Ending pair = runProcess(suite, options, tryBoth); pair.isFault() && remains->current == last) {
        // What is to be reported is in `remains`.
        auto kept = std::make_unique<Remains>(*remains);
        bool ours = !isReadByUpstreamAlone(number);
        *remains = *kept;
        return report(pair, last, " (only after seed " + std::to_string(number) + ")", ours);
      }
    }
    std::string condition = " (only after seeds " + std::to_string(first) + " and following)";
    std::set<int64_t> readByUpstream;
    for (int64_t number = first; number < last; ++number)
      if (isReadByUpstreamAlone(number))
        readByUpstream.insert(number);
    if (Ending without = runBatch(first, last + 1, readByUpstream); without.isFault())
      return report(without, remains->current, condition);
    again = runBatch(first, last + 1);
    report(again, remains->current, condition, /*mayBeOurs=*/false);
  }

  bool isReadByUpstreamAlone(int64_t number) {
    auto read = [&] {
      Random random = randomOf(number);
      return suite.isReadByUpstreamAlone(suite.make(random)) ? kBatchDone : int(Outcome::accepted);
    };
    return runProcess(suite, options, read).isDone;
  }

  void report(const Ending &ending, int64_t seed, const std::string &condition, bool mayBeOurs = true) {
    Input input = {std::string(remains->input, remains->bytes), std::string(remains->command, remains->commandBytes)};
    bool ours = false;
    std::vector<std::string> frames = framesOf(*remains);
    std::string kind = mayBeOurs ? describe(ending, frames, ours) : "memory that a reader broke";
    if (ending.signal == 0)
      kind += ": " + input.command;
    bool isNew = !kinds.count(kind) && !upstreamKinds.count(kind);
    if (ours && ending.signal && !ending.isHang() && (isNew || upstreamKinds.count(kind)) &&
        suite.crashesUpstream(input, options.directory.empty() ? "/tmp" : options.directory))
      ours = false;
    (ours ? faults : upstream) += 1;
    (ours ? kinds : upstreamKinds).insert(kind);
    if (!isNew)
      return;
    if (ours && !ending.isHang() && condition.empty())
      reduce(input, kind);
    std::string path = "nowhere";
    if (!options.directory.empty()) {
      path = options.directory + "/" + suite.name() + "-" + (ours ? "" : "upstream-") + std::to_string(seed) +
             suite.suffix();
      std::ofstream(path, std::ios::binary) << suite.fileOf(input);
    }
    std::printf("%s: seed %ld%s: %s%s\n  kept in %s\n", suite.name().c_str(), long(seed), condition.c_str(),
                ours ? "" : "upstream: ", kind.c_str(), path.c_str());
    if (options.verbose)
      for (const std::string &frame : frames)
        std::printf("    %s\n", frame.c_str());
    std::fflush(stdout);
  }

  /// Leaves out parts of an input as long as it ends in the same way.
  void reduce(Input &input, const std::string &kind) {
    Options quiet = options;
    quiet.verbose = false;
    bool isSmaller = true;
    for (int turns = 0; isSmaller && turns < kReductions;) {
      isSmaller = false;
      for (Input &smaller : suite.reductions(input)) {
        if (++turns > kReductions)
          break;
        Ending ending = runProcess(suite, quiet, [&] { return int(suite.run(smaller)); });
        bool ours;
        if (!ending.isFault())
          continue;
        std::string found = describe(ending, framesOf(*remains), ours);
        if (ending.signal == 0)
          found += ": " + smaller.command;
        if (found != kind)
          continue;
        input = std::move(smaller);
        isSmaller = true;
        break;
      }
    }
  }

  Suite &suite;
  const Options &options;
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  int64_t ends[kOutcomes] = {}, died = 0; ///< of mutants, by outcome or signal
  int faults = 0, upstream = 0;
  std::set<std::string> kinds, upstreamKinds;
};
} // namespace
} // namespace tenon::fuzz

void tenon::fuzz::keep(const Input &input) {
  remains->bytes = std::min(input.bytes.size(), kLargestInput);
  std::memcpy(remains->input, input.bytes.data(), remains->bytes);
  remains->commandBytes = std::min(input.command.size(), sizeof(remains->command));
  std::memcpy(remains->command, input.command.data(), remains->commandBytes);
}

void tenon::fuzz::limitTime(double seconds) {
  itimerval limit = {};
  limit.it_value.tv_sec = time_t(seconds);
  limit.it_value.tv_usec = suseconds_t((seconds - double(limit.it_value.tv_sec)) * 1e6);
  setitimer(ITIMER_PROF, &limit, nullptr);
  // What waits takes no CPU time.
  alarm(unsigned(seconds + 1) * 10);
}

void tenon::fuzz::limitTime() { limitTime(runSeconds); }

void tenon::fuzz::refuseAfter(double seconds) {
  std::signal(SIGPROF, [](int) { _exit(int(Outcome::refused)); });
  limitTime(seconds);
}

int tenon::fuzz::runSuite(Suite &suite, const Options &options) {
  void *memory = mmap(nullptr, sizeof(Remains), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  remains = static_cast<Remains *>(memory);
  runSeconds = options.runSeconds;
  // Loads what unwinds, which a handler can't.
  backtrace(remains->frames, kMostFrames);
  if (!options.directory.empty())
    std::filesystem::create_directories(options.directory);
  // What crashes leaves its temporary files.
  std::string temporary = std::filesystem::temp_directory_path() / "tenon-fuzz-XXXXXX";
  if (!mkdtemp(temporary.data()) || setenv("TMPDIR", temporary.c_str(), 1) != 0)
    return 1;
  int faults = Campaign(suite, options).run();
  std::filesystem::remove_all(temporary);
  munmap(memory, sizeof(Remains));
  return faults;
}

std::string tenon::fuzz::readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> tenon::fuzz::findFiles(const std::vector<std::string> &paths, std::string_view suffix) {
  std::vector<std::string> files;
  for (const std::string &path : paths) {
    if (!std::filesystem::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    for (const auto &entry : std::filesystem::recursive_directory_iterator(path))
      if (entry.is_regular_file() && entry.path().native().ends_with(suffix))
        files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}
