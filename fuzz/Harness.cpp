//===- Harness.cpp - Runs mutants in processes of their own ---===//
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
#include <cstring>
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <malloc.h>
#include <map>
#include <set>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace tenon::fuzz;

namespace tenon::fuzz {
namespace {
constexpr size_t kLargestInput = 8 << 20, kMostFrames = 200;
/// Address space of a run: what asks for more meets std::bad_alloc or its like, not the machine's end.
constexpr rlim_t kMemory = rlim_t(6) << 30;
/// Turns of making a crash smaller.
constexpr int kReductions = 300;

/// What survives a crash.
struct Remains {
  size_t bytes, commandBytes;
  int frameCount;
  void *frames[kMostFrames];
  char command[4096];
  char input[kLargestInput];
};

/// How a process ended: a signal (0 where none), or an outcome.
struct Ending {
  int signal = 0;
  Outcome outcome = Outcome::accepted;
  bool isFault() const { return signal != 0 || outcome > Outcome::invalid; }
  bool isHang() const { return signal == SIGXCPU || signal == SIGALRM; }
};

Remains *remains = nullptr;

void recordCrash(int signal) {
  remains->frameCount = backtrace(remains->frames, kMostFrames);
  std::signal(signal, SIG_DFL);
  raise(signal);
}

/// In the new process: limits, and handlers on a stack of their own, since stacks overflow.
void prepareProcess(const Options &options) {
  static char stack[1 << 16];
  stack_t alternate = {};
  alternate.ss_sp = stack;
  alternate.ss_size = sizeof(stack);
  sigaltstack(&alternate, nullptr);
  struct sigaction action = {};
  action.sa_handler = recordCrash;
  action.sa_flags = SA_ONSTACK | SA_RESETHAND | SA_NODEFER;
  for (int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGXCPU})
    sigaction(signal, &action, nullptr);
  rlimit time = {rlim_t(options.runSeconds), rlim_t(options.runSeconds) + 1}, none = {0, 0};
  [[maybe_unused]] rlimit memory = {kMemory, kMemory};
  setrlimit(RLIMIT_CPU, &time);
#if !__has_feature(address_sanitizer) // it maps shadows of all addresses
  setrlimit(RLIMIT_AS, &memory);
#endif
  setrlimit(RLIMIT_CORE, &none);
  // What is used after it was freed is found by what it holds then.
  mallopt(M_PERTURB, 0xa5);
  alarm(unsigned(options.runSeconds) * 10);
  if (!options.verbose) {
    int null = open("/dev/null", O_WRONLY);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
  }
}

template <typename Work> Ending runProcess(const Options &options, Work work) {
  remains->frameCount = 0;
  std::fflush(nullptr);
  pid_t child = fork();
  if (child == 0) {
    prepareProcess(options);
    _exit(int(work()));
  }
  int status = 0;
  waitpid(child, &status, 0);
  Ending ending;
  if (WIFSIGNALED(status))
    ending.signal = WTERMSIG(status);
  else if (WEXITSTATUS(status) < int(Outcome::accepted)) // by a call of exit(), as LLVM's of a fatal error
    ending.signal = SIGABRT;
  else
    ending.outcome = Outcome(WEXITSTATUS(status));
  return ending;
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

/// Whether a function of this program is neither a fuzzer's nor an instance of somebody else's template.
bool isTenons(const std::string &name) {
  if (name.find("tenon::fuzz::") != std::string::npos || name == "main" || name.starts_with("_"))
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
  return text;
}

class Campaign {
public:
  Campaign(Suite &suite, const Options &options) : suite(suite), options(options) {}

  int run() {
    auto start = std::chrono::steady_clock::now();
    auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
    for (int64_t i = 0; options.runs >= 0 ? i < options.runs : elapsed() < options.seconds; ++i) {
      Random random(uint32_t((options.seed + i) * 2654435761u));
      random.discard(4);
      remains->bytes = remains->commandBytes = 0;
      Ending ending = runProcess(options, [&] {
        Input input = suite.make(random);
        keep(input);
        return suite.run(input);
      });
      ++runs;
      accepted += ending.signal == 0 && ending.outcome == Outcome::accepted;
      invalid += ending.signal == 0 && ending.outcome == Outcome::invalid;
      if (ending.isFault())
        report(ending, options.seed + i);
    }
    std::printf("%s: %ld runs in %.0f s, %ld invalid, %ld accepted, %d faults of Tenon's (%zu kinds), "
                "%d crashes of upstream's (%zu kinds)\n",
                suite.name().c_str(), long(runs), elapsed(), long(invalid), long(accepted), faults, kinds.size(),
                upstream, upstreamKinds.size());
    std::fflush(stdout);
    return faults;
  }

private:
  void report(const Ending &ending, int64_t seed) {
    Input input = {std::string(remains->input, remains->bytes), std::string(remains->command, remains->commandBytes)};
    bool ours = false;
    std::vector<std::string> frames = framesOf(*remains);
    std::string kind = describe(ending, frames, ours);
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
    if (ours && !ending.isHang())
      reduce(input, kind);
    std::string path = "nowhere";
    if (!options.directory.empty()) {
      path = options.directory + "/" + suite.name() + "-" + (ours ? "" : "upstream-") + std::to_string(seed) +
             suite.suffix();
      std::ofstream(path, std::ios::binary) << suite.fileOf(input);
    }
    std::printf("%s: seed %ld: %s%s\n  kept in %s\n", suite.name().c_str(), long(seed),
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
        Ending ending = runProcess(quiet, [&] { return suite.run(smaller); });
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
  int64_t runs = 0, invalid = 0, accepted = 0;
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

int tenon::fuzz::runSuite(Suite &suite, const Options &options) {
  void *memory = mmap(nullptr, sizeof(Remains), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  remains = static_cast<Remains *>(memory);
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
