//===- MetadataView.h - Metadata read in place ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The records of the metadata segment and a view that checks them once and then hands them out without
// copying or allocating. See Metadata.h for what the fields mean.
//
//===--------------------------------------------------------------------------------------------------------===//
#ifndef TENON_ARTIFACT_METADATAVIEW_H
#define TENON_ARTIFACT_METADATAVIEW_H

#include <stddef.h>
#include <stdint.h>

namespace tenon::artifact {

struct StringRecord {
  uint32_t offset, size; ///< in the string table; a zero byte follows each string
};
struct ModelRecord {
  StringRecord name, producer;
  int64_t runEntry;
  uint32_t valueCount, inputCount; ///< the first `inputCount` tensors are the inputs, the others the outputs
  uint32_t heldCount, growingCount;
};
struct TensorRecord {
  StringRecord name;
  uint32_t dtype, kind, rank, firstDim;
};
struct DimRecord {
  uint32_t kind, segment;
  int64_t value, boundSlot;
};
struct AliasRecord {
  uint32_t output, input;
};
/// One after the other of an output, in the order of its last dimension.
struct KeyRecord {
  StringRecord text;
  int64_t number;
  uint32_t output, isText;
};
struct SymbolRecord {
  StringRecord name;
  uint32_t source, input, dim, reserved;
  int64_t min, max, divisor;
};
struct ConstantRecord {
  uint32_t segment, devices;
  uint64_t offset, bytes;
};
struct BindingRecord {
  uint32_t launch, variant, argument, constant;
};
struct KernelRecord {
  StringRecord name;
  uint32_t symbolCount, strideCount;
};
struct KernelCodeRecord {
  uint32_t plan, firstEntry, entryCount, reserved;
};
struct PlanRecord {
  uint32_t firstWord, wordCount;
};
struct LaunchRecord {
  StringRecord nodes;
  uint32_t kernel, reserved;
};
struct VariantRecord {
  StringRecord name;
  uint32_t firstFeature, featureCount;
};
struct ProgramRecord {
  int64_t planEntry, executeEntry;
  uint32_t symbolCount, slotCount, firstBuffer, bufferCount;
};
struct BufferRecord {
  uint32_t sizeSlot;
  int32_t firstLaunch, lastLaunch;
  uint32_t space;
};
struct ExternalRecord {
  StringRecord library, function, nodes;
};

struct PropertyRecord {
  StringRecord key, value;
};

/// The tables, in the order of the directory at the start of the metadata.
enum class Table : uint32_t {
  Model,
  Tensors,
  Dims,
  Aliases,
  Symbols,
  Constants,
  Kernels,
  KernelCodes, ///< [kernel][variant]
  Entries,     ///< int64_t, of one kernel code after the other
  Plans,
  PlanWords, ///< int64_t
  Launches,
  Variants,
  Features, ///< StringRecord
  Programs, ///< one per segment of the host program
  Buffers,
  Externals,
  Messages, ///< StringRecord
  Devices,  ///< StringRecord
  Formed,   ///< ConstantRecord
  Bindings,
  Keys,
  Properties,
  Strings, ///< bytes
  Count,
};

/// The bytes of a record of each table.
inline constexpr uint32_t kRecordBytes[uint32_t(Table::Count)] = {
    sizeof(ModelRecord),    sizeof(TensorRecord),   sizeof(DimRecord),      sizeof(AliasRecord),
    sizeof(SymbolRecord),   sizeof(ConstantRecord), sizeof(KernelRecord),   sizeof(KernelCodeRecord),
    sizeof(int64_t),        sizeof(PlanRecord),     sizeof(int64_t),        sizeof(LaunchRecord),
    sizeof(VariantRecord),  sizeof(StringRecord),   sizeof(ProgramRecord),  sizeof(BufferRecord),
    sizeof(ExternalRecord), sizeof(StringRecord),   sizeof(StringRecord),   sizeof(ConstantRecord),
    sizeof(BindingRecord),  sizeof(KeyRecord),      sizeof(PropertyRecord), 1,
};

/// Devices of one model.
inline constexpr uint32_t kMaxDevices = 32;
/// Dimensions of an input or output.
inline constexpr uint32_t kMaxTensorRank = 64;

struct TableRecord {
  uint32_t offset; ///< from the start of the metadata, a multiple of 8
  uint32_t count;
  uint32_t stride; ///< bytes per record; at least those that the reader knows
  uint32_t reserved;
};

/// Records at a stride that the file states.
template <typename T> struct TableView {
  const unsigned char *first = nullptr;
  uint32_t count = 0, stride = 0;
  const T &operator[](uint32_t i) const { return *reinterpret_cast<const T *>(first + size_t(i) * stride); }
};

class MetadataView {
public:
  /// Checks that every table, string, and index is in bounds. `data` is 8-byte aligned. Null, or what is
  /// wrong.
  const char *open(const void *data, size_t size);

  const ModelRecord &model() const { return table<ModelRecord>(Table::Model)[0]; }
  uint32_t inputCount() const { return model().inputCount; }
  uint32_t outputCount() const { return count(Table::Tensors) - model().inputCount; }
  const TensorRecord &input(uint32_t i) const { return table<TensorRecord>(Table::Tensors)[i]; }
  const TensorRecord &output(uint32_t i) const { return input(inputCount() + i); }

  uint32_t count(Table t) const { return tables[uint32_t(t)].count; }
  template <typename T> TableView<T> table(Table t) const {
    const TableRecord &r = tables[uint32_t(t)];
    return {base + r.offset, r.count, r.stride};
  }
  /// Zero-terminated.
  const char *string(StringRecord s) const {
    return reinterpret_cast<const char *>(base + tables[uint32_t(Table::Strings)].offset + s.offset);
  }

private:
  const char *check() const;
  bool holds(StringRecord s) const;

  const unsigned char *base = nullptr;
  const TableRecord *tables = nullptr;
};

/// Bits of one element, or 0 when the type has no fixed size (strings).
unsigned bitsOf(uint32_t dtype);
/// "float32", "int64", ...; never null.
const char *nameOf(uint32_t dtype);

} // namespace tenon::artifact

#endif
