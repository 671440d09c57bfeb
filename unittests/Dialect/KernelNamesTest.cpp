//===- KernelNamesTest.cpp - Kernels are called by what they are ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tile/Analysis/KernelNames.h"
#include "Module.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

namespace {
/// The content and name of a kernel that takes %x, of type `tensor<?x8xf32>`, to %y.
std::pair<std::string, std::string> namedKernel(StringRef name, StringRef body) {
  Module given(("tenon_tile.kernel @" + name +
                "(%n: index, %x: tensor<?x8xf32>) -> tensor<?x8xf32> "
                "attributes {work = affine_map<()[s0] -> (s0)>} {\n" +
                "tenon.bind_shape %x [%n, 8] : tensor<?x8xf32>\n" + body + "\ntenon_tile.yield %y : tensor<?x8xf32>\n}")
                   .str());
  auto kernel = given.module ? given.first<KernelOp>() : KernelOp();
  if (!kernel) {
    ADD_FAILURE() << "not a kernel: " << body.str();
    return {};
  }
  std::string content = contentOf(kernel);
  return {content, nameOf(kernel, content)};
}

constexpr StringLiteral kExp = "%y = tenon.exp %x : tensor<?x8xf32>";

TEST(KernelNames, followFromTheContentAlone) {
  auto [content, name] = namedKernel("a", kExp);
  EXPECT_EQ(namedKernel("another", kExp), std::pair(content, name));
  // Whatever values are called.
  auto [renamed, same] = namedKernel("a", "%z = tenon.exp %x : tensor<?x8xf32>\n%y = tenon.abs %z : tensor<?x8xf32>");
  EXPECT_EQ(namedKernel("a", "%t = tenon.exp %x : tensor<?x8xf32>\n%y = tenon.abs %t : tensor<?x8xf32>"),
            std::pair(renamed, same));
  EXPECT_NE(content, renamed);
  EXPECT_NE(name, same);
}

TEST(KernelNames, sayWhatIsComputed) {
  std::string name = namedKernel("a", kExp).second;
  EXPECT_TRUE(StringRef(name).starts_with("exp_")) << name;
  // A hash of 32 bits.
  EXPECT_EQ(name.size(), strlen("exp_") + 8);
  EXPECT_NE(name, namedKernel("a", "%y = tenon.abs %x : tensor<?x8xf32>").second);
}
} // namespace
