//===- Metadata.cpp - Write what an artifact says about its model ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Artifact/Metadata.h"
#include "tenon/Artifact/MetadataView.h"

#include <cassert>
#include <cstring>

using namespace tenon::artifact;

namespace {
/// Collects the tables; `finish` lays them out.
class TableWriter {
public:
  template <typename T> void add(Table table, const T &record) {
    assert(sizeof(T) == kRecordBytes[uint32_t(table)] && "the table has other records");
    size_t at = bytes[uint32_t(table)].size();
    bytes[uint32_t(table)].resize(at + sizeof(T));
    std::memcpy(bytes[uint32_t(table)].data() + at, &record, sizeof(T));
  }
  template <typename T> uint32_t count(Table table) const {
    return uint32_t(bytes[uint32_t(table)].size() / sizeof(T));
  }
  StringRecord string(const std::string &text) {
    auto &table = bytes[uint32_t(Table::Strings)];
    StringRecord record{uint32_t(table.size()), uint32_t(text.size())};
    table.insert(table.end(), text.begin(), text.end());
    table.push_back(0);
    return record;
  }
  std::vector<uint8_t> finish() const {
    constexpr uint32_t tables = uint32_t(Table::Count);
    std::vector<uint8_t> result(tables * sizeof(TableRecord));
    for (uint32_t t = 0; t < tables; ++t) {
      uint32_t stride = kRecordBytes[t];
      TableRecord record{uint32_t(result.size()), uint32_t(bytes[t].size() / stride), stride, 0};
      std::memcpy(result.data() + t * sizeof(TableRecord), &record, sizeof(record));
      result.insert(result.end(), bytes[t].begin(), bytes[t].end());
      result.resize((result.size() + 7) / 8 * 8);
    }
    return result;
  }

private:
  std::vector<uint8_t> bytes[uint32_t(Table::Count)];
};
} // namespace

std::vector<uint8_t> ModelMetadata::serialize() const {
  TableWriter out;
  out.add(Table::Model, ModelRecord{out.string(modelName), out.string(producer), runEntry, valueCount,
                                    uint32_t(inputs.size()), heldCount, growingCount});
  for (const auto *list : {&inputs, &outputs})
    for (const TensorInfo &t : *list) {
      out.add(Table::Tensors, TensorRecord{out.string(t.name), uint32_t(t.dtype), uint32_t(t.kind),
                                           uint32_t(t.dims.size()), out.count<DimRecord>(Table::Dims)});
      for (const Dim &d : t.dims)
        out.add(Table::Dims, DimRecord{d.kind, d.segment, d.value, d.boundSlot});
    }
  for (const AliasInfo &a : aliases)
    out.add(Table::Aliases, AliasRecord{a.output, a.input});
  for (size_t i = 0; i < outputs.size(); ++i)
    for (const KeyInfo &k : outputs[i].keys)
      out.add(Table::Keys, KeyRecord{out.string(k.text), k.number, uint32_t(i), k.isText});
  for (const SymbolInfo &s : symbols)
    out.add(Table::Symbols, SymbolRecord{out.string(s.name), s.source, s.input, s.dim, 0, s.min, s.max, s.divisor});
  for (const ConstantInfo &c : constants)
    out.add(Table::Constants, ConstantRecord{c.segment, c.devices, c.offset, c.bytes});
  for (const ConstantInfo &c : formed)
    out.add(Table::Formed, ConstantRecord{c.segment, c.devices, c.offset, c.bytes});
  for (const BindingInfo &b : bindings)
    out.add(Table::Bindings, BindingRecord{b.launch, b.variant, b.argument, b.constant});
  for (const std::vector<int64_t> &words : plans) {
    out.add(Table::Plans, PlanRecord{out.count<int64_t>(Table::PlanWords), uint32_t(words.size())});
    for (int64_t word : words)
      out.add(Table::PlanWords, word);
  }
  for (const KernelInfo &k : kernels) {
    out.add(Table::Kernels, KernelRecord{out.string(k.name), k.symbolCount, k.strideCount});
    for (size_t v = 0; v < variants.size(); ++v) {
      KernelCodeInfo code = v < k.variants.size() ? k.variants[v] : KernelCodeInfo();
      out.add(Table::KernelCodes,
              KernelCodeRecord{code.plan, out.count<int64_t>(Table::Entries), uint32_t(code.entries.size()), 0});
      for (int64_t entry : code.entries)
        out.add(Table::Entries, entry);
    }
  }
  for (const LaunchInfo &l : launches)
    out.add(Table::Launches, LaunchRecord{out.string(l.nodes), l.kernel, 0});
  for (const VariantInfo &v : variants) {
    out.add(Table::Variants,
            VariantRecord{out.string(v.name), out.count<StringRecord>(Table::Features), uint32_t(v.features.size())});
    for (const std::string &feature : v.features)
      out.add(Table::Features, out.string(feature));
  }
  for (const SegmentInfo &s : segments) {
    out.add(Table::Programs, ProgramRecord{s.planEntry, s.executeEntry, s.symbolCount, s.slotCount,
                                           out.count<BufferRecord>(Table::Buffers), uint32_t(s.buffers.size())});
    for (const BufferInfo &b : s.buffers)
      out.add(Table::Buffers, BufferRecord{b.sizeSlot, b.firstLaunch, b.lastLaunch, b.space});
  }
  for (const ExternalInfo &e : externals)
    out.add(Table::Externals, ExternalRecord{out.string(e.library), out.string(e.function), out.string(e.nodes)});
  for (const std::string &text : messages)
    out.add(Table::Messages, out.string(text));
  for (const std::string &name : devices)
    out.add(Table::Devices, out.string(name));
  for (const PropertyInfo &p : properties)
    out.add(Table::Properties, PropertyRecord{out.string(p.key), out.string(p.value)});
  return out.finish();
}

bool ModelMetadata::parse(const uint8_t *bytes, size_t size, ModelMetadata &result, std::string &error) {
  std::vector<uint64_t> aligned((size + 7) / 8);
  if (size != 0)
    std::memcpy(aligned.data(), bytes, size);
  MetadataView view;
  if (const char *problem = view.open(aligned.data(), size)) {
    error = problem;
    return false;
  }
  auto text = [&](StringRecord s) { return std::string(view.string(s), s.size); };
  result = ModelMetadata();
  result.modelName = text(view.model().name);
  result.producer = text(view.model().producer);
  result.runEntry = view.model().runEntry;
  result.valueCount = view.model().valueCount;
  result.heldCount = view.model().heldCount;
  result.growingCount = view.model().growingCount;
  auto dims = view.table<DimRecord>(Table::Dims);
  for (uint32_t i = 0; i < view.count(Table::Tensors); ++i) {
    const TensorRecord &t = view.input(i);
    TensorInfo info{text(t.name), DType(t.dtype), ValueKind(t.kind), {}, {}};
    for (uint32_t d = 0; d < t.rank; ++d) {
      const DimRecord &r = dims[t.firstDim + d];
      info.dims.push_back({Dim::Kind(r.kind), r.segment, r.value, r.boundSlot});
    }
    (i < view.inputCount() ? result.inputs : result.outputs).push_back(std::move(info));
  }
  auto each = [&]<typename T>(Table table, T, auto visit) {
    auto records = view.table<T>(table);
    for (uint32_t i = 0; i < records.count; ++i)
      visit(records[i], i);
  };
  each(Table::Aliases, AliasRecord(), [&](auto &r, uint32_t) { result.aliases.push_back({r.output, r.input}); });
  each(Table::Keys, KeyRecord(),
       [&](auto &r, uint32_t) { result.outputs[r.output].keys.push_back({r.isText != 0, text(r.text), r.number}); });
  each(Table::Symbols, SymbolRecord(), [&](auto &r, uint32_t) {
    result.symbols.push_back({text(r.name), SymbolInfo::Source(r.source), r.input, r.dim, r.min, r.max, r.divisor});
  });
  each(Table::Constants, ConstantRecord(),
       [&](auto &r, uint32_t) { result.constants.push_back({r.segment, r.offset, r.bytes, r.devices}); });
  each(Table::Formed, ConstantRecord(),
       [&](auto &r, uint32_t) { result.formed.push_back({r.segment, r.offset, r.bytes, r.devices}); });
  each(Table::Bindings, BindingRecord(),
       [&](auto &r, uint32_t) { result.bindings.push_back({r.launch, r.variant, r.argument, r.constant}); });
  auto features = view.table<StringRecord>(Table::Features);
  each(Table::Variants, VariantRecord(), [&](auto &r, uint32_t) {
    VariantInfo info{text(r.name), {}};
    for (uint32_t f = 0; f < r.featureCount; ++f)
      info.features.push_back(text(features[r.firstFeature + f]));
    result.variants.push_back(std::move(info));
  });
  auto entries = view.table<int64_t>(Table::Entries);
  uint32_t variantCount = view.count(Table::Variants);
  auto words = view.table<int64_t>(Table::PlanWords);
  each(Table::Plans, PlanRecord(), [&](auto &r, uint32_t) {
    std::vector<int64_t> &plan = result.plans.emplace_back();
    for (uint32_t w = 0; w < r.wordCount; ++w)
      plan.push_back(words[r.firstWord + w]);
  });
  auto codes = view.table<KernelCodeRecord>(Table::KernelCodes);
  each(Table::Kernels, KernelRecord(), [&](auto &r, uint32_t k) {
    KernelInfo info{text(r.name), r.symbolCount, r.strideCount, {}};
    for (uint32_t v = 0; v < variantCount; ++v) {
      const KernelCodeRecord &code = codes[k * variantCount + v];
      KernelCodeInfo &variant = info.variants.emplace_back(KernelCodeInfo{code.plan, {}});
      for (uint32_t e = 0; e < code.entryCount; ++e)
        variant.entries.push_back(entries[code.firstEntry + e]);
    }
    result.kernels.push_back(std::move(info));
  });
  each(Table::Launches, LaunchRecord(),
       [&](auto &r, uint32_t) { result.launches.push_back({r.kernel, text(r.nodes)}); });
  auto buffers = view.table<BufferRecord>(Table::Buffers);
  each(Table::Programs, ProgramRecord(), [&](auto &r, uint32_t) {
    SegmentInfo info{r.planEntry, r.executeEntry, r.symbolCount, r.slotCount, {}};
    for (uint32_t b = 0; b < r.bufferCount; ++b) {
      const BufferRecord &buffer = buffers[r.firstBuffer + b];
      info.buffers.push_back({buffer.sizeSlot, buffer.firstLaunch, buffer.lastLaunch, buffer.space});
    }
    result.segments.push_back(std::move(info));
  });
  each(Table::Externals, ExternalRecord(),
       [&](auto &r, uint32_t) { result.externals.push_back({text(r.library), text(r.function), text(r.nodes)}); });
  each(Table::Messages, StringRecord(), [&](auto &r, uint32_t) { result.messages.push_back(text(r)); });
  each(Table::Devices, StringRecord(), [&](auto &r, uint32_t) { result.devices.push_back(text(r)); });
  each(Table::Properties, PropertyRecord(),
       [&](auto &r, uint32_t) { result.properties.push_back({text(r.key), text(r.value)}); });
  return true;
}
