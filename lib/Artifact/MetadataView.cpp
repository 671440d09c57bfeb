//===- MetadataView.cpp - The tables of metadata, checked before they are read ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Artifact/MetadataView.h"

#include <string.h>

using namespace tenon::artifact;

namespace {
constexpr uint32_t kTables = uint32_t(Table::Count);
constexpr uint32_t kMaxSlots = 1u << 24;
constexpr uint32_t kMaxPlaces = 1u << 20;

// By dtype. No pointers to names: the loader has nothing to do.
#define TENON_DTYPES(F)                                                                                                \
  F("undefined", 0)                                                                                                    \
  F("float32", 32)                                                                                                     \
  F("uint8", 8)                                                                                                        \
  F("int8", 8)                                                                                                         \
  F("uint16", 16)                                                                                                      \
  F("int16", 16)                                                                                                       \
  F("int32", 32)                                                                                                       \
  F("int64", 64)                                                                                                       \
  F("string", 0)                                                                                                       \
  F("bool", 8)                                                                                                         \
  F("float16", 16)                                                                                                     \
  F("float64", 64)                                                                                                     \
  F("uint32", 32)                                                                                                      \
  F("uint64", 64)                                                                                                      \
  F("complex64", 64)                                                                                                   \
  F("complex128", 128)                                                                                                 \
  F("bfloat16", 16)                                                                                                    \
  F("float8e4m3fn", 8)                                                                                                 \
  F("float8e4m3fnuz", 8)                                                                                               \
  F("float8e5m2", 8)                                                                                                   \
  F("float8e5m2fnuz", 8)                                                                                               \
  F("uint4", 4)                                                                                                        \
  F("int4", 4)                                                                                                         \
  F("float4e2m1", 4)                                                                                                   \
  F("float8e8m0", 8)                                                                                                   \
  F("uint2", 2)                                                                                                        \
  F("int2", 2)

#define TENON_NAME(name, bits) name "\0"
constexpr char kNames[] = TENON_DTYPES(TENON_NAME); // one after the other
#define TENON_BITS(name, bits) bits,
constexpr unsigned char kBits[] = {TENON_DTYPES(TENON_BITS)};
constexpr uint32_t kElementCount = sizeof(kBits);

/// Where records have strings.
struct StringField {
  Table table;
  uint32_t offset;
};
constexpr StringField kStrings[] = {
    {Table::Model, offsetof(ModelRecord, name)},
    {Table::Model, offsetof(ModelRecord, producer)},
    {Table::Tensors, offsetof(TensorRecord, name)},
    {Table::Symbols, offsetof(SymbolRecord, name)},
    {Table::Kernels, offsetof(KernelRecord, name)},
    {Table::Launches, offsetof(LaunchRecord, nodes)},
    {Table::Variants, offsetof(VariantRecord, name)},
    {Table::Features, 0},
    {Table::Messages, 0},
    {Table::Devices, 0},
    {Table::Externals, offsetof(ExternalRecord, library)},
    {Table::Externals, offsetof(ExternalRecord, function)},
    {Table::Externals, offsetof(ExternalRecord, nodes)},
    {Table::Keys, offsetof(KeyRecord, text)},
    {Table::Properties, offsetof(PropertyRecord, key)},
    {Table::Properties, offsetof(PropertyRecord, value)},
};

bool inRange(uint32_t first, uint32_t count, uint32_t limit) { return first <= limit && count <= limit - first; }
} // namespace

unsigned tenon::artifact::bitsOf(uint32_t dtype) { return dtype < kElementCount ? kBits[dtype] : 0; }
const char *tenon::artifact::nameOf(uint32_t dtype) {
  if (dtype >= kElementCount)
    return "unknown";
  const char *name = kNames;
  while (dtype-- != 0)
    name += strlen(name) + 1;
  return name;
}

bool MetadataView::holds(StringRecord s) const {
  uint32_t bytes = count(Table::Strings);
  return s.offset < bytes && s.size < bytes - s.offset && string(s)[s.size] == 0;
}

const char *MetadataView::open(const void *data, size_t size) {
  base = static_cast<const unsigned char *>(data);
  tables = reinterpret_cast<const TableRecord *>(base);
  if (size < sizeof(TableRecord) * kTables)
    return "metadata: too short for its directory";
  for (uint32_t t = 0; t < kTables; ++t) {
    const TableRecord &r = tables[t];
    if (r.stride < kRecordBytes[t] || (r.stride % 8 != 0 && t != uint32_t(Table::Strings)) || r.offset % 8 != 0)
      return "metadata: a table has records of an unknown size";
    if (r.offset > size || uint64_t(r.count) * r.stride > size - r.offset)
      return "metadata: a table does not fit";
  }
  if (tables[uint32_t(Table::Strings)].stride != 1 || tables[uint32_t(Table::Entries)].stride != 8 ||
      tables[uint32_t(Table::PlanWords)].stride != 8)
    return "metadata: a table has records of an unknown size";
  return check();
}

const char *MetadataView::check() const {
  const char *badIndex = "metadata: an index is out of range";
  if (count(Table::Model) != 1)
    return "metadata: there must be one model record";
  for (StringField field : kStrings) {
    TableView<unsigned char> records = table<unsigned char>(field.table);
    for (uint32_t i = 0; i < records.count; ++i)
      if (!holds(reinterpret_cast<const StringRecord &>((&records[i])[field.offset])))
        return "metadata: a string does not fit";
  }
  if (inputCount() > count(Table::Tensors) || model().valueCount > kMaxSlots || model().heldCount > kMaxPlaces ||
      model().growingCount > kMaxPlaces)
    return badIndex;

  uint32_t programs = count(Table::Programs);
  auto program = table<ProgramRecord>(Table::Programs);
  if (programs == 0)
    return "metadata: there is no segment";
  uint32_t devices = count(Table::Devices);
  if (devices > kMaxDevices)
    return badIndex;
  uint32_t buffers = count(Table::Buffers);
  auto buffer = table<BufferRecord>(Table::Buffers);
  // Each record belongs to one other: looking at all takes time in proportion to the file.
  uint64_t buffersUsed = 0, dimsUsed = 0, featuresUsed = 0, entriesUsed = 0;
  for (uint32_t i = 0; i < programs; ++i) {
    const ProgramRecord &p = program[i];
    buffersUsed += p.bufferCount;
    if (!inRange(p.firstBuffer, p.bufferCount, buffers) || buffersUsed > buffers || p.slotCount > kMaxSlots ||
        p.symbolCount > uint64_t(count(Table::Symbols)) + model().valueCount)
      return badIndex;
    for (uint32_t b = 0; b < p.bufferCount; ++b) {
      const BufferRecord &r = buffer[p.firstBuffer + b];
      if (r.sizeSlot >= p.slotCount || r.firstLaunch < 0 || r.firstLaunch > r.lastLaunch || r.space > devices)
        return badIndex;
    }
  }
  // Segment 0 reads the symbols that are bound from the inputs.
  if (program[0].symbolCount > count(Table::Symbols))
    return badIndex;

  auto dim = table<DimRecord>(Table::Dims);
  for (uint32_t i = 0; i < count(Table::Tensors); ++i) {
    const TensorRecord &t = input(i);
    if (t.dtype == 0 || t.dtype >= kElementCount || t.kind > 2)
      return "metadata: a tensor has an unknown type";
    dimsUsed += t.rank;
    if (t.rank > kMaxTensorRank || !inRange(t.firstDim, t.rank, count(Table::Dims)) || dimsUsed > count(Table::Dims))
      return badIndex;
    for (uint32_t d = 0; d < t.rank; ++d) {
      const DimRecord &r = dim[t.firstDim + d];
      bool valid = false;
      if (r.kind == 0)
        valid = r.value >= 0;
      else if (r.kind == 1)
        valid = r.value >= 0 && r.value < int64_t(count(Table::Symbols));
      else if (r.kind == 2)
        valid = i >= inputCount() && r.segment < programs && r.value >= 0 &&
                r.value < int64_t(program[r.segment].slotCount);
      else if (r.kind == 3)
        valid = i >= inputCount();
      if (!valid || r.boundSlot < -1 || r.boundSlot >= int64_t(program[0].slotCount))
        return badIndex;
    }
  }

  auto alias = table<AliasRecord>(Table::Aliases);
  for (uint32_t i = 0; i < count(Table::Aliases); ++i)
    if (alias[i].output >= outputCount() || alias[i].input >= inputCount())
      return badIndex;
  auto key = table<KeyRecord>(Table::Keys);
  for (uint32_t i = 0; i < key.count; ++i)
    if (key[i].output >= outputCount() || (i != 0 && key[i - 1].output > key[i].output))
      return badIndex;
  auto symbol = table<SymbolRecord>(Table::Symbols);
  for (uint32_t i = 0; i < count(Table::Symbols); ++i) {
    const SymbolRecord &s = symbol[i];
    if (s.divisor < 1)
      return "metadata: a symbol has a divisor below 1";
    bool fromInput = s.source <= 1 && s.input < inputCount() && s.dim < input(s.input).rank;
    if (!fromInput && !(s.source == 2 && s.input < outputCount()))
      return badIndex;
  }

  uint32_t variants = count(Table::Variants), kernels = count(Table::Kernels);
  auto plan = table<PlanRecord>(Table::Plans);
  for (uint32_t i = 0; i < plan.count; ++i)
    if (!inRange(plan[i].firstWord, plan[i].wordCount, count(Table::PlanWords)))
      return badIndex;
  if (uint64_t(kernels) * variants != count(Table::KernelCodes))
    return "metadata: kernels and variants do not match the table of their code";
  auto code = table<KernelCodeRecord>(Table::KernelCodes);
  for (uint32_t i = 0; i < code.count; ++i) {
    entriesUsed += code[i].entryCount;
    if (!inRange(code[i].firstEntry, code[i].entryCount, count(Table::Entries)) ||
        entriesUsed > count(Table::Entries) || (code[i].entryCount != 0 && code[i].plan >= plan.count))
      return badIndex;
  }
  auto launch = table<LaunchRecord>(Table::Launches);
  for (uint32_t i = 0; i < count(Table::Launches); ++i)
    if (launch[i].kernel >= kernels)
      return badIndex;
  auto binding = table<BindingRecord>(Table::Bindings);
  for (uint32_t i = 0; i < binding.count; ++i) {
    const BindingRecord &b = binding[i];
    if (b.launch >= count(Table::Launches) || b.variant >= variants || b.constant >= count(Table::Formed))
      return badIndex;
    // Arguments of a launch and variant are counted from 0 on.
    bool isFirst = i == 0 || binding[i - 1].launch != b.launch || binding[i - 1].variant != b.variant;
    if (b.argument != (isFirst ? 0 : binding[i - 1].argument + 1))
      return badIndex;
    if (i != 0 &&
        (binding[i - 1].launch > b.launch || (binding[i - 1].launch == b.launch && binding[i - 1].variant > b.variant)))
      return badIndex;
  }
  auto variant = table<VariantRecord>(Table::Variants);
  for (uint32_t i = 0; i < variants; ++i) {
    featuresUsed += variant[i].featureCount;
    if (!inRange(variant[i].firstFeature, variant[i].featureCount, count(Table::Features)) ||
        featuresUsed > count(Table::Features))
      return badIndex;
  }
  return nullptr;
}
