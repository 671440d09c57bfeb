//===- TenonRunTest.cpp - the tool on a hand-made model
//-----------------------------------------------------===//

#include "Npz.h"
#include "ScaleAdd.h"

#include <cstring>
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
  EXPECT_EQ(run("--list"), "input x: float32[batch, 4]\noutput y: float32[?, 4]\ncode: baseline\n");
  EXPECT_EQ(status, 0);
}

TEST_F(TenonRun, RunsAndCompares) {
  std::string expected = path + ".expected.npz";
  writeInput(expected, 2, 1, "y");
  EXPECT_EQ(run("--verify --threads 2 --input " + in + " --output " + out + " --expect " + expected),
            "y: equal\n");
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
} // namespace
