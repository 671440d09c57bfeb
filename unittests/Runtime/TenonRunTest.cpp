//===- TenonRunTest.cpp - The tool on a hand-made model ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Npz.h"
#include "ScaleAdd.h"

#include <csignal>
#include <cstring>
#include <sys/stat.h>
#include <sys/wait.h>

using namespace tenon;

namespace {
class TenonRun : public test::ScaleAdd {
protected:
  std::string in = path + ".in.npz", out = path + ".out.npz";

  void SetUp() override {
    ScaleAdd::SetUp();
    writeInput(in, 1, 0);
  }
  void TearDown() override {
    std::remove(in.c_str());
    std::remove(out.c_str());
    ScaleAdd::TearDown();
  }

  /// Rows of x (or, scaled, of y) under the name of the input or output.
  void writeInput(const std::string &file, float scale, float shift, const char *name = "x") {
    float values[8];
    for (int i = 0; i < 8; ++i)
      values[i] = float(i) * scale + shift * float(i % 4 + 1);
    npz::Array array{'f', 4, {2, 4}, std::vector<unsigned char>(32)};
    std::memcpy(array.data.data(), values, 32);
    std::string error;
    ASSERT_TRUE(npz::writeNpz(file, {{name, array}}, error)) << error;
  }

  int status = 0;
  std::string run(const std::string &options) {
    std::string text, command = std::string(TEST_TENON_RUN) + " " + path + " " + options + " 2>&1";
    std::FILE *pipe = popen(command.c_str(), "r");
    char buffer[256];
    while (size_t got = std::fread(buffer, 1, sizeof(buffer), pipe))
      text.append(buffer, got);
    status = WEXITSTATUS(pclose(pipe));
    return text;
  }
};

TEST_F(TenonRun, Lists) {
  EXPECT_EQ(run("--list"), "input x: float32[batch, 4]\noutput y: float32[?, 4]\n"
                           "code: never (x86-64 with no-such-feature)\ncode: baseline (x86-64), which runs here\n");
  EXPECT_EQ(status, 0);
}

TEST_F(TenonRun, ListsWhatRunsElsewhere) {
  metadata.variants[1].features = {"another-feature"};
  write();
  EXPECT_NE(run("--list").find("code: baseline (x86-64 with another-feature)\n"), std::string::npos);
  EXPECT_EQ(status, 0);
  EXPECT_NE(run("--random").find("no code for this CPU"), std::string::npos);
  EXPECT_EQ(status, 1);
}

TEST_F(TenonRun, PrintsNamesAsText) {
  metadata.outputs[0].name = "y\x1b[31m\ninput z: float32[]\xc2\x9b";
  metadata.symbols[0].name = "b\tatch";
  metadata.launches[0].nodes = "m\x1b[2Ju\xe2\x80\xael";
  write();
  EXPECT_EQ(
      run("--list").substr(0, 102),
      "input x: float32[b\\tatch, 4]\noutput y\\x1b[31m\\ninput z: float32[]\\xc2\\x9b: float32[?, 4]\ncode: never (");
  EXPECT_NE(run("--random --profile").find("(m\\x1b[2Ju\\xe2\\x80\\xael)"), std::string::npos);
  metadata.inputs[0].name = "x\x1b[31m\nOK";
  write();
  EXPECT_EQ(run(""), "tenon-run: error: input 'x\\x1b[31m\\nOK' is not given (and --random is not)\n");
  EXPECT_EQ(
      run("--random --symbol 'b\tatch=100001'").find("tenon-run: error: input 'x\\x1b[31m\\x0aOK' has size 100001"),
      0u);
}

TEST_F(TenonRun, VerifiesWithoutInputs) {
  EXPECT_EQ(run("--verify"), path + ": all checksums are right\n");
  EXPECT_EQ(status, 0);
  std::vector<char> bytes = test::readFile(path);
  bytes[bytes.size() - 33] = char(bytes[bytes.size() - 33] ^ 1);
  test::writeFile(path, bytes);
  EXPECT_NE(run("--verify").find("is wrong"), std::string::npos);
  EXPECT_EQ(status, 1);
}

TEST_F(TenonRun, SaysWhatCameOut) {
  EXPECT_EQ(run("--input " + in), "y: float32[2, 4]\n");
  EXPECT_EQ(run("--input " + in + " --output " + out), "");
}

TEST_F(TenonRun, RunsAndCompares) {
  std::string expected = path + ".expected.npz";
  writeInput(expected, 2, 1, "y");
  EXPECT_EQ(run("--verify --threads 2 --input " + in + " --output " + out + " --expect " + expected), "y: equal\n");
  EXPECT_EQ(status, 0);
  npz::Archive outputs;
  std::string error;
  ASSERT_TRUE(npz::readNpz(out, outputs, error)) << error;
  ASSERT_EQ(outputs.size(), 1u);
  EXPECT_EQ(outputs[0].second.shape, (std::vector<int64_t>{2, 4}));

  writeInput(expected, 2.5f, 1, "y");
  std::string text = run("--input " + in + " --expect " + expected);
  EXPECT_NE(text.find("y: different, largest difference 3.5"), std::string::npos) << text;
  EXPECT_EQ(status, 1);
  run("--tolerance 0.2 --input " + in + " --expect " + expected);
  EXPECT_EQ(status, 0);
  std::remove(expected.c_str());
}

TEST_F(TenonRun, TimesAndProfiles) {
  std::string text = run("--random --symbol batch=100 --time 5 --profile");
  EXPECT_EQ(status, 0);
  EXPECT_NE(text.find("of 5 runs"), std::string::npos) << text;
  EXPECT_NE(text.find("x6      scale  (mul1)"), std::string::npos) << text;
  EXPECT_NE(text.find("copies: 0 of 0 bytes in"), std::string::npos) << text;
}

TEST_F(TenonRun, ErrorsAreClear) {
  EXPECT_EQ(run(""), "tenon-run: error: input 'x' is not given (and --random is not)\n");
  EXPECT_EQ(status, 1);
  writeInput(in, 1, 0, "z");
  EXPECT_EQ(run("--input " + in), "tenon-run: error: the model has no input named 'z'\n");
  EXPECT_EQ(run("--frobnicate"), "tenon-run: error: unknown option '--frobnicate' (see --help)\n");
}

TEST_F(TenonRun, OptionsAreReadStrictly) {
  const std::pair<const char *, const char *> cases[] = {
      {"--symbol batch=-1", "'-1' is no number of 0 or more for size 'batch'"},
      {"--symbol batch=abc", "'abc' is no number"},
      {"--symbol batch=", "'' is no number"},
      {"--symbol batch=0x10", "'0x10' is no number"},
      {"--symbol batch=3x", "'3x' is no number"},
      {"--symbol batch=1e3", "'1e3' is no number"},
      {"--symbol 'batch= 3'", "' 3' is no number"},
      {"--symbol batch=99999999999999999999", "is too large for size 'batch'"},
      {"--symbol batch", "'--symbol' needs NAME=N"},
      {"--symbol =3", "'--symbol' needs NAME=N"},
      {"--symbol batch=3 --symbol batch=4", "size 'batch' is given twice, as 3 and 4"},
      {"--symbol other=3", "no input of the model has a size named 'other'"},
      {"--symbol batch=9223372036854775807", "more bytes than 64 bits can count"},
      {"--symbol batch=1152921504606846976", "more bytes than 64 bits can count"},
      {"--symbol batch=100001", "'batch' must be between 0 and 100000"},
      {"--time 3x", "'3x' is no number"},
      {"--time -1", "'-1' is no number"},
      {"--time 1.5", "'1.5' is no number"},
      {"--threads 2000", "'2000' is too large for '--threads': at most 1024"},
      {"--threads=two", "'two' is no number"},
      {"--tolerance nan", "'nan' is no number"},
      {"--tolerance inf", "'inf' is no number"},
      {"--tolerance 1e-3 --tolerance 1e-4", "option '--tolerance' is given twice"},
      {"--output a.npz -o b.npz", "option '--output' is given twice"},
      {"--memory-limit -3", "'-3' is no number"},
      {"--memory-limit 100", "bytes: the session holds"},
      {"--list=yes", "option '--list' takes no value"},
      {"--time", "option '--time' needs a value"},
      {"other.so", "more than one model"},
      {"--input =x.npy", "'--input' needs NAME=FILE.npy"},
  };
  for (auto [options, message] : cases) {
    std::string text = run(std::string("--random ") + options);
    EXPECT_NE(text.find(message), std::string::npos) << options << ": " << text;
    EXPECT_EQ(text.find("tenon-run: error: "), 0u) << text;
    EXPECT_EQ(text.find('\n'), text.size() - 1) << text;
    EXPECT_EQ(status, 1) << options;
  }
  EXPECT_NE(
      run("--input " + in + " --symbol batch=9").find("size 'batch' is given as 9, but input 'x' has 2 in dimension 0"),
      std::string::npos);
  EXPECT_NE(run("--input " + in + " --input " + in).find("input 'x' is given twice"), std::string::npos);
  EXPECT_EQ(run("--input " + in + " --symbol batch=2"), "y: float32[2, 4]\n");
  EXPECT_EQ(run("--random --symbol batch=0"), "y: float32[0, 4]\n");
  EXPECT_EQ(run("--version"), std::string("tenon-run ") + tenon_version() + "\n");
  EXPECT_EQ(status, 0);
}

#if !__has_feature(address_sanitizer) // its operator new ends the process, it doesn't throw
TEST_F(TenonRun, MemoryThatIsNotThereIsAnError) {
  EXPECT_EQ(run("--random --symbol batch=99999999999999"),
            "tenon-run: error: out of memory: input 'x' of sizes [99999999999999, 4] needs 1599999999999984 bytes\n");
  EXPECT_EQ(status, 1);
}
#endif

TEST_F(TenonRun, OutputsThatCannotBeWrittenAreErrors) {
  for (const char *options :
       {"--list > /dev/full", "--help > /dev/full", "--version > /dev/full", "--random --time 2 > /dev/full"}) {
    std::string command = std::string(TEST_TENON_RUN) + " " + path + " " + options;
    int code = std::system(("(" + command + ") 2> " + out).c_str());
    std::vector<char> error = test::readFile(out);
    EXPECT_EQ(WEXITSTATUS(code), 1) << options;
    EXPECT_EQ(std::string(error.begin(), error.end()),
              "tenon-run: error: cannot write to standard output: No space left on device\n");
  }
  EXPECT_NE(run("--random --output /dev/full").find("cannot write '/dev/full': No space left"), std::string::npos);
  EXPECT_EQ(status, 1);
  EXPECT_NE(run("--input " + in + " --output " + in).find("which is read"), std::string::npos);
  EXPECT_NE(run("--random --output " + path).find("which is read"), std::string::npos);
  EXPECT_EQ(run("--list | head -1"), "input x: float32[batch, 4]\n");
}

TEST_F(TenonRun, OutputsGoThroughLinksAndDevices) {
  std::string link = out + ".link";
  ASSERT_EQ(symlink(out.c_str(), link.c_str()), 0);
  test::writeFile(out, {'x'});
  EXPECT_EQ(run("--random --output " + link), "");
  struct stat about;
  ASSERT_EQ(lstat(link.c_str(), &about), 0);
  EXPECT_TRUE(S_ISLNK(about.st_mode));
  EXPECT_GT(test::readFile(out).size(), 100u);
  EXPECT_EQ(run("--random --output /dev/null"), "");
  ASSERT_EQ(lstat("/dev/null", &about), 0);
  EXPECT_TRUE(S_ISCHR(about.st_mode));
  std::remove(link.c_str());
}

/// Whether a process has a handler for a signal by now, as proc_pid_status(5) shows it.
bool catches(pid_t process, int number) {
  std::vector<char> bytes = test::readFile("/proc/" + std::to_string(process) + "/status");
  std::string status(bytes.begin(), bytes.end());
  size_t at = status.find("SigCgt:");
  return at != std::string::npos && (std::strtoull(status.c_str() + at + 7, nullptr, 16) >> (number - 1) & 1);
}

TEST_F(TenonRun, DiesOfSignalsWithALine) {
  for (int number : {SIGINT, SIGTERM}) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
      signal(number, SIG_DFL); // a shell's jobs ignore some
      dup2(ends[1], 2);
      execl(TEST_TENON_RUN, TEST_TENON_RUN, path.c_str(), "--random", "--symbol", "batch=50000", "--time", "1000000000",
            nullptr);
      _exit(99);
    }
    close(ends[1]);
    for (int tries = 0; tries < 1000 && !catches(child, number); ++tries)
      usleep(10000);
    kill(child, number);
    std::string text;
    char buffer[256];
    for (ssize_t got; (got = read(ends[0], buffer, sizeof(buffer))) > 0;)
      text.append(buffer, size_t(got));
    close(ends[0]);
    int ended = 0;
    ASSERT_EQ(waitpid(child, &ended, 0), child);
    EXPECT_TRUE(WIFSIGNALED(ended) && WTERMSIG(ended) == number) << ended;
    EXPECT_EQ(text, "tenon-run: interrupted\n");
  }
}

TEST_F(TenonRun, SaysThatAPipeIsClosed) {
  int output[2], errors[2];
  ASSERT_EQ(pipe(output), 0);
  ASSERT_EQ(pipe(errors), 0);
  close(output[0]);
  pid_t child = fork();
  if (child == 0) {
    dup2(output[1], 1);
    dup2(errors[1], 2);
    execl(TEST_TENON_RUN, TEST_TENON_RUN, path.c_str(), "--list", nullptr);
    _exit(99);
  }
  close(output[1]);
  close(errors[1]);
  std::string text;
  char buffer[256];
  for (ssize_t got; (got = read(errors[0], buffer, sizeof(buffer))) > 0;)
    text.append(buffer, size_t(got));
  close(errors[0]);
  int ended = 0;
  ASSERT_EQ(waitpid(child, &ended, 0), child);
  EXPECT_TRUE(WIFEXITED(ended) && WEXITSTATUS(ended) == 1) << ended;
  EXPECT_EQ(text, "tenon-run: error: cannot write to standard output: Broken pipe\n");
}
} // namespace
