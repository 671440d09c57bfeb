//===- Metadata.h - What an artifact says about its model ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The metadata segment of an artifact: flat tables of fixed-size little-endian records that refer to each
// other by index, and one string table. The runtime reads them in place through `MetadataView`, which checks
// every offset and index once; the compiler and tools use `ModelMetadata`, plain values that are written to
// and read from the same bytes. Records only grow at their end, and a reader accepts a longer record than it
// knows.
//
//===--------------------------------------------------------------------------------------------------------===//
#ifndef TENON_ARTIFACT_METADATA_H
#define TENON_ARTIFACT_METADATA_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tenon::artifact {

/// Element types, numbered as in ONNX's TensorProto.DataType.
enum class DType : uint32_t {
  Undefined = 0,
  F32 = 1,
  U8 = 2,
  I8 = 3,
  U16 = 4,
  I16 = 5,
  I32 = 6,
  I64 = 7,
  String = 8,
  Bool = 9,
  F16 = 10,
  F64 = 11,
  U32 = 12,
  U64 = 13,
  C64 = 14,
  C128 = 15,
  BF16 = 16,
  F8E4M3FN = 17,
  F8E4M3FNUZ = 18,
  F8E5M2 = 19,
  F8E5M2FNUZ = 20,
  U4 = 21,
  I4 = 22,
  F4E2M1 = 23,
  F8E8M0 = 24,
  U2 = 25,
  I2 = 26,
};

enum class ValueKind : uint32_t { Tensor = 0, Sequence = 1, Optional = 2 };

/// A size of an input or output.
struct Dim {
  enum Kind : uint32_t {
    Static = 0,  ///< `value` is the size
    Symbol = 1,  ///< `value` is an index into `ModelMetadata::symbols`
    Slot = 2,    ///< `value` is a slot of the plan of `segment` (outputs only)
    Unknown = 3, ///< of a value that the session holds (outputs only)
  };
  Kind kind = Static;
  uint32_t segment = 0;
  int64_t value = 0;
  /// A slot of segment 0 that holds an upper bound when the size depends on data, or -1.
  int64_t boundSlot = -1;

  static Dim fixed(int64_t size) { return {Static, 0, size, -1}; }
  static Dim symbol(int64_t index) { return {Symbol, 0, index, -1}; }
  static Dim unknown() { return {Unknown, 0, 0, -1}; }
  static Dim slot(int64_t slot, uint32_t segment = 0) { return {Slot, segment, slot, -1}; }
};

/// What stands for a place of an output's last dimension: text, or a number.
struct KeyInfo {
  bool isText = false;
  std::string text;
  int64_t number = 0;
};

struct TensorInfo {
  std::string name;
  DType dtype = DType::F32;
  ValueKind kind = ValueKind::Tensor;
  std::vector<Dim> dims;
  std::vector<KeyInfo> keys; ///< of an output that is a dictionary per row, else none
};

/// Output `output` may be bound to the buffer of input `input`.
struct AliasInfo {
  uint32_t output = 0, input = 0;
};

/// A value that is known when the inputs are bound. The array of all of them is `ctx->symbols`, the argument
/// of segment 0's plan.
struct SymbolInfo {
  enum Source : uint32_t {
    InputDim = 0,    ///< size `dim` of input `input`; every other input dimension naming the symbol must agree
    InputStride = 1, ///< stride `dim` of input `input`, in elements
    Aliased = 2,     ///< 1 when output `input` is bound to its alias's buffer, else 0
  };
  std::string name;
  Source source = InputDim;
  uint32_t input = 0, dim = 0;
  int64_t min = 0, max = INT64_MAX, divisor = 1;
};

/// A constant's bytes: `offset` in the constants segment number `segment` (0 unless there are several). What is stored
/// in other forms only has none.
struct ConstantInfo {
  uint32_t segment = 0;
  uint64_t offset = 0, bytes = 0;
  uint32_t devices = 0; ///< bit d: device d of the table reads it, too
};

/// A kernel's code for one variant.
struct KernelCodeInfo {
  uint32_t plan = 0; ///< index into `ModelMetadata::plans`
  /// Offsets in the variant's image: of each grid of each program; none where the variant lacks the kernel.
  std::vector<int64_t> entries;
};

struct KernelInfo {
  std::string name;
  uint32_t symbolCount = 0, strideCount = 0; ///< numbers that come with a launch
  std::vector<KernelCodeInfo> variants;
};

struct LaunchInfo {
  uint32_t kernel = 0;
  /// Names of the model's nodes that the launch computes, for profiles and error messages.
  std::string nodes;
};

/// Argument `argument` of the constants that a launch gives its kernel, where that comes from `variant`.
struct BindingInfo {
  uint32_t launch = 0, variant = 0, argument = 0;
  uint32_t constant = 0; ///< of `formed`
};

/// A code image for some CPUs. Variants are in order of preference: the first whose features are all present
/// runs.
struct VariantInfo {
  std::string name;
  std::vector<std::string> features; ///< as LLVM names them: "avx2", "fma", "avx512f", ...
};

/// A temporary buffer of a segment: its size in bytes is plan slot `sizeSlot`; live in launches [first, last]
/// of the segment, counted in program order.
struct BufferInfo {
  uint32_t sizeSlot = 0;
  int32_t firstLaunch = 0, lastLaunch = 0;
  uint32_t space = 0; ///< 0: the host's memory, d + 1: that of device d of the table
};

struct SegmentInfo {
  int64_t planEntry = 0, executeEntry = 0; ///< offsets in the host image
  uint32_t symbolCount = 0;                ///< values that plan_i reads
  uint32_t slotCount = 0;
  std::vector<BufferInfo> buffers;
};

/// A function that the artifact needs from outside.
struct ExternalInfo {
  std::string library, function;
  std::string nodes; ///< names of the model's nodes that a call computes, for error messages
};

/// What a model says about itself, for who uses it: `onnx.producer` and the like, and what its author added.
struct PropertyInfo {
  std::string key, value;
};

struct ModelMetadata {
  std::string modelName, producer;
  int64_t runEntry = 0;      ///< offset of run(ctx) in the host image
  uint32_t valueCount = 0;   ///< length of ctx->values
  uint32_t heldCount = 0;    ///< places for values in ctx->held behind those of inputs and outputs
  uint32_t growingCount = 0; ///< length of ctx->growing
  std::vector<TensorInfo> inputs, outputs;
  std::vector<AliasInfo> aliases;
  std::vector<SymbolInfo> symbols;
  std::vector<ConstantInfo> constants;
  std::vector<ConstantInfo> formed;        ///< constants in the forms that variants want them in
  std::vector<BindingInfo> bindings;       ///< in the order of launches, then variants, then arguments
  std::vector<std::vector<int64_t>> plans; ///< words of LaunchPlan.h
  std::vector<KernelInfo> kernels;
  std::vector<LaunchInfo> launches;
  std::vector<VariantInfo> variants;
  std::vector<SegmentInfo> segments;
  std::vector<ExternalInfo> externals;
  std::vector<std::string> devices; ///< names; at most `kMaxDevices` of MetadataView.h
  std::vector<PropertyInfo> properties;
  std::vector<std::string> messages; ///< texts of codes from TENON_CODE_MESSAGE on

  /// The bytes of the metadata segment; the same for equal values.
  std::vector<uint8_t> serialize() const;
  /// Reads `bytes` back. False with a text in `error` when they are not valid.
  static bool parse(const uint8_t *bytes, size_t size, ModelMetadata &result, std::string &error);
};

} // namespace tenon::artifact

#endif
