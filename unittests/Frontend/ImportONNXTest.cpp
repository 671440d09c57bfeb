//===- ImportONNXTest.cpp - ONNX models in memory ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "onnx-ml.pb.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Frontend/ONNX/Import.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/FileSystem.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace tenon::onnx;

namespace {
/// A model that gives back one constant of `count` floats, 0, 1, 2 and so on.
std::string constantModel(int count, bool isRaw) {
  ::onnx::ModelProto model;
  model.set_ir_version(8);
  model.add_opset_import()->set_version(17);
  ::onnx::GraphProto &graph = *model.mutable_graph();
  graph.add_output()->set_name("w");
  ::onnx::TensorProto &tensor = *graph.add_initializer();
  tensor.set_name("w");
  tensor.set_data_type(::onnx::TensorProto::FLOAT);
  tensor.add_dims(count);
  for (int i = 0; i < count; ++i) {
    float value = i;
    if (isRaw)
      tensor.mutable_raw_data()->append(reinterpret_cast<const char *>(&value), sizeof value);
    else
      tensor.add_float_data(value);
  }
  return model.SerializeAsString();
}

class ImportONNX : public testing::Test {
protected:
  ImportONNX() : context(MLIRContext::Threading::DISABLED) {
    context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) { messages.push_back(diagnostic.str()); });
  }

  OwningOpRef<ModuleOp> import(const std::string &bytes, const ImportOptions &options = {}) {
    return importONNXBytes({bytes.data(), bytes.size()}, "in memory", "", &context, options);
  }

  static Attribute constantOf(ModuleOp module) {
    Attribute value;
    module.walk([&](tenon::ConstantOp constant) { value = constant.getValue(); });
    return value;
  }

  MLIRContext context;
  std::vector<std::string> messages;
};

void expectCounting(tenon::BlobAttr blob, size_t count) {
  llvm::Expected<ArrayRef<char>> data = blob.getData();
  ASSERT_TRUE(!!data);
  ASSERT_EQ(data->size(), count * sizeof(float));
  for (size_t i = 0; i < count; ++i) {
    float value;
    std::memcpy(&value, data->data() + i * sizeof value, sizeof value);
    ASSERT_EQ(value, float(i));
  }
}

TEST_F(ImportONNX, PutsLargeConstantsIntoTemporaryFile) {
  for (bool isRaw : {false, true}) {
    // Of the bytes nothing may be needed after the import.
    OwningOpRef<ModuleOp> module = import(constantModel(1000, isRaw));
    ASSERT_TRUE(!!module);
    auto blob = dyn_cast<tenon::BlobAttr>(constantOf(*module));
    ASSERT_TRUE(!!blob);
    expectCounting(blob, 1000);
  }
  EXPECT_TRUE(messages.empty());
}

TEST_F(ImportONNX, PutsLargeConstantsIntoGivenFile) {
  llvm::SmallString<128> directory;
  ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("tenon-import", directory));
  ImportOptions options;
  options.constantsFile = (directory + "/constants").str();
  OwningOpRef<ModuleOp> module = import(constantModel(1000, /*isRaw=*/true), options);
  ASSERT_TRUE(!!module);
  auto blob = dyn_cast<tenon::BlobAttr>(constantOf(*module));
  ASSERT_TRUE(!!blob);
  EXPECT_EQ(blob.getFile(), options.constantsFile);
  expectCounting(blob, 1000);
  llvm::sys::fs::remove_directories(directory);
}

TEST_F(ImportONNX, LeavesNoFileAfterAnError) {
  llvm::SmallString<128> directory;
  ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("tenon-import", directory));
  ImportOptions options;
  options.constantsFile = (directory + "/constants").str();
  ::onnx::ModelProto model;
  ASSERT_TRUE(model.ParseFromString(constantModel(1000, /*isRaw=*/true)));
  model.mutable_graph()->add_output()->set_name("nothing");
  EXPECT_FALSE(!!import(model.SerializeAsString(), options));
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0], "the output 'nothing' is defined by nothing");
  // Fails where the directory holds a file.
  EXPECT_FALSE(llvm::sys::fs::remove(directory));
}

TEST_F(ImportONNX, KeepsSmallAndInlinedConstantsInTheIR) {
  OwningOpRef<ModuleOp> small = import(constantModel(256, /*isRaw=*/true));
  ASSERT_TRUE(!!small);
  EXPECT_TRUE(isa<DenseElementsAttr>(constantOf(*small)));
  ImportOptions options;
  options.inlineConstants = true;
  OwningOpRef<ModuleOp> large = import(constantModel(257, /*isRaw=*/true), options);
  ASSERT_TRUE(!!large);
  auto dense = dyn_cast<DenseElementsAttr>(constantOf(*large));
  ASSERT_TRUE(!!dense);
  EXPECT_EQ(*(dense.value_begin<float>() + 256), 256.0f);
}

TEST_F(ImportONNX, SaysWhatIsWrongOnce) {
  EXPECT_FALSE(!!import("no model"));
  EXPECT_FALSE(!!import(""));
  EXPECT_FALSE(!!importONNX("/nowhere/model.onnx", &context));
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(messages[1], "is no ONNX model: it is empty");
  EXPECT_EQ(messages[2], "cannot read the model: No such file or directory");
}
} // namespace
