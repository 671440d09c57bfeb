//===- BytecodeChecksumTest.cpp - Damage of bytecode found before it is read ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Compiler/BytecodeChecksum.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/raw_ostream.h"

#include <gtest/gtest.h>

using namespace mlir;

namespace {
class BytecodeChecksum : public ::testing::Test {
protected:
  std::string write(StringRef producer) {
    auto module = parseSourceString<ModuleOp>(
        "module @named attributes {a.weights = dense<[1.0, 2.0]> : tensor<2xf32>} {}", &context);
    std::string content;
    llvm::raw_string_ostream stream(content);
    BytecodeWriterConfig config(producer);
    EXPECT_TRUE(succeeded(writeBytecodeToFile(*module, stream, config)));
    return content;
  }

  static bool holds(StringRef content) {
    llvm::Error error = tenon::checkBytecode(content);
    bool result = !error;
    llvm::consumeError(std::move(error));
    return result;
  }

  MLIRContext context{MLIRContext::Threading::DISABLED};

  BytecodeChecksum() { context.allowUnregisteredDialects(); }
};

TEST_F(BytecodeChecksum, FindsEveryBitBehindTheProducer) {
  std::string content = write("MLIR22.1.10"), sealed = content;
  tenon::sealBytecode(sealed);
  ASSERT_NE(content, sealed);
  ASSERT_EQ(content.size(), sealed.size());
  EXPECT_TRUE(holds(sealed));
  for (size_t at = StringRef(sealed).find('\0') * 8; at < sealed.size() * 8; ++at) {
    std::string damaged = sealed;
    damaged[at / 8] ^= char(1 << at % 8);
    EXPECT_FALSE(holds(damaged)) << "bit " << at;
  }
}

TEST_F(BytecodeChecksum, FindsWhatWasCutOffOrAdded) {
  std::string sealed = write("MLIR22.1.10");
  tenon::sealBytecode(sealed);
  for (size_t size = StringRef(sealed).find('\0') + 1; size < sealed.size(); ++size)
    EXPECT_FALSE(holds(StringRef(sealed).take_front(size))) << size << " bytes";
  EXPECT_FALSE(holds(sealed + "a"));
}

TEST_F(BytecodeChecksum, IsReadByAnyReader) {
  std::string sealed = write("MLIR22.1.10");
  tenon::sealBytecode(sealed);
  EXPECT_TRUE(parseSourceString<ModuleOp>(sealed, &context));
}

TEST_F(BytecodeChecksum, LeavesWhatOthersWrote) {
  for (StringRef producer : {"MLIR", "somebody else's compiler"}) {
    std::string content = write(producer);
    EXPECT_TRUE(holds(content));
    content.back() ^= 1;
    EXPECT_TRUE(holds(content));
  }
  std::string shortName = write("MLIR"), sealed = shortName, text = "module {}";
  tenon::sealBytecode(sealed);
  EXPECT_EQ(shortName, sealed);
  tenon::sealBytecode(text);
  EXPECT_EQ(text, "module {}");
  EXPECT_TRUE(holds(text));
  EXPECT_TRUE(holds(""));
}
} // namespace
